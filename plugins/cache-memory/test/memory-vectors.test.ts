import { SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import { memoryVectors } from '../src/memory-vectors.ts'

const X = Float32Array.of(1, 0)

test('one partition may take half of the bytes, and what could never fit is TOO_LARGE', async () => {
  const held = memoryVectors({ maxBytes: 40_000, clock: virtualClock() })
  const long = new Float32Array(300).fill(1)
  await expect(held.upsert('p', [{ id: 'a', vector: long }])).rejects.toMatchObject({ code: 'TOO_LARGE' })
  for (let at = 0; at < 300; at += 1) await held.upsert('p', [{ id: `i${at}`, vector: X }])
  expect(held.usage().bytes).toBeLessThanOrEqual(20_000)
  expect((await held.nearest('p', { vector: X, count: 1 })).length).toBe(1)
  await held.upsert('q', [{ id: 'a', vector: X }])
  expect(held.usage().partitions).toBe(2)
})

test('errors are of the kernel: a code, and what to do', async () => {
  const held = memoryVectors({ maxBytes: 1e6, clock: virtualClock() })
  await held.upsert('p', [{ id: 'a', vector: X }])
  const refused = held.upsert('p', [{ id: 'b', vector: Float32Array.of(1, 2, 3) }])
  await expect(refused).rejects.toSatisfy(SwitchyardError.is)
  await expect(refused).rejects.toThrow(/give each encoder partitions of its own/)
})

test('a search of many ends at its next slice once its signal aborts', async () => {
  const held = memoryVectors({ maxBytes: 1e9, clock: virtualClock() })
  const vector = new Float32Array(16_384).fill(1)
  const items = Array.from({ length: 700 }, (_, at) => ({ id: `i${at}`, vector }))
  await held.upsert('p', items)
  const late = new SwitchyardError('TIMEOUT', 'the deadline has passed')
  const controller = new AbortController()
  const searching = held.nearest('p', { vector, count: 1 }, { signal: controller.signal })
  controller.abort(late)
  await expect(searching).rejects.toBe(late)
  expect((await held.nearest('p', { vector, count: 1 })).length).toBe(1)
})
