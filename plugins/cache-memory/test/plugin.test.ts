import { cache, counters, vectors } from '@switchyard/contract'
import { startPlugin } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import { cacheMemory } from '../src/index.ts'

test('closed, it lets go of all that it held', async () => {
  const started = await startPlugin(cacheMemory())
  const entries = started.port(cache)
  const rows = started.port(counters)
  await entries.set('k', { value: new Uint8Array(4) })
  await rows.reserve([{ key: 'c', amount: 2n, limit: 5n }], { id: 'l', expiresAt: 1_000_000 })
  const query = { vector: Float32Array.of(1), count: 1 }
  await started.port(vectors).upsert('p', [{ id: 'a', vector: query.vector }])
  await started.close()
  expect(await started.port(vectors).nearest('p', query)).toEqual([])
  expect(await entries.get('k')).toBeUndefined()
  expect(await rows.read(['c'])).toEqual([0n])
  expect(await rows.settle('l', {})).toEqual({ settled: false })
})

test('what is in one process is shared with none, and says so', async () => {
  const started = await startPlugin(cacheMemory())
  expect(started.port(cache).capabilities).toEqual({ tags: true, expiryResolutionMs: 0, shared: false })
  expect(started.port(counters).capabilities).toEqual({ shared: false })
  expect(started.port(vectors).capabilities).toEqual({ dimensions: 'any', shared: false, approximate: false })
})
