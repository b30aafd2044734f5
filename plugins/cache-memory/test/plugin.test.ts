import { cache, counters } from '@switchyard/contract'
import { startPlugin } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import { cacheMemory } from '../src/index.ts'

test('closed, it lets go of all that it held', async () => {
  const started = await startPlugin(cacheMemory())
  const entries = started.port(cache)
  const rows = started.port(counters)
  await entries.set('k', { value: new Uint8Array(4) })
  await rows.reserve([{ key: 'c', amount: 2n, limit: 5n }], { id: 'l', expiresAt: 1_000_000 })
  await started.close()
  expect(await entries.get('k')).toBeUndefined()
  expect(await rows.read(['c'])).toEqual([0n])
  expect(await rows.settle('l', {})).toEqual({ settled: false })
})

test('what is in one process is shared with none, and says so', async () => {
  const started = await startPlugin(cacheMemory())
  expect(started.port(cache).capabilities).toEqual({ tags: true, expiryResolutionMs: 0, shared: false })
  expect(started.port(counters).capabilities).toEqual({ shared: false })
})
