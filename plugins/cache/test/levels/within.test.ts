import { virtualClock } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import { within } from '../../src/levels/within.ts'

test('ends in time what heeds no signal, and lets go of it', async () => {
  const clock = virtualClock()
  const hangs = Promise.withResolvers<string>()
  let told: AbortSignal | undefined
  const done = within({ clock, ms: 100 }, (signal) => {
    told = signal
    return hangs.promise
  })
  const refused = expect(done).rejects.toMatchObject({ code: 'TIMEOUT' })
  await clock.advance(100)
  await refused
  expect(told?.aborted).toBe(true)
  hangs.reject(new Error('nobody hears of it'))
  await clock.advance(0)
})

test('gives what is done in time, and leaves no timer', async () => {
  const clock = virtualClock()
  expect(await within({ clock, ms: 100 }, async () => 'done')).toBe('done')
  await expect(within({ clock, ms: 100 }, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  expect(clock.pending()).toBe(0)
})
