import { expect, test, vi } from 'vitest'
import { ClientLeaving } from '../src/server/client-leaving.ts'

test('tells its listener once, with a reason that is ours', () => {
  const leaving = new ClientLeaving()
  const listener = { handleEvent: vi.fn() }
  leaving.addEventListener('abort', listener)
  expect(leaving).toMatchObject({ aborted: false, reason: undefined })
  leaving.leave()
  leaving.leave()
  expect(listener.handleEvent).toHaveBeenCalledTimes(1)
  expect(leaving).toMatchObject({ aborted: true, reason: { code: 'ABORTED' } })
})

test('a listener that was taken off hears nothing; another one cannot take it off', () => {
  const leaving = new ClientLeaving()
  const [kept, other] = [{ handleEvent: vi.fn() }, { handleEvent: vi.fn() }]
  leaving.addEventListener('abort', kept)
  leaving.removeEventListener('abort', other)
  leaving.leave()
  expect(kept.handleEvent).toHaveBeenCalledTimes(1)
  const gone = new ClientLeaving()
  gone.addEventListener('abort', kept)
  gone.removeEventListener('abort', kept)
  gone.leave()
  expect(kept.handleEvent).toHaveBeenCalledTimes(1)
})
