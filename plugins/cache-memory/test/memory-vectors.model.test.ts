import { virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryVectors } from '../src/memory-vectors.ts'

const partition = fc.constantFrom('p', 'q', '__proto__')
const id = fc.constantFrom('a', 'b', 'c', '__proto__', 'e', 'f', 'g', 'h', 'i', 'j')
const vector = fc
  .array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 3, maxLength: 3 })
  .filter((numbers) => Math.hypot(...numbers) > 1e-3)
  .map((numbers) => Float32Array.from(numbers))
const item = fc.record({ id, vector, ttl: fc.option(fc.integer({ min: -1, max: 30 })), payload: fc.option(fc.nat(255)) })
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('upsert' as const), partition, items: fc.array(item, { maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), partition, ids: fc.array(id, { maxLength: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('nearest' as const), partition, vector, count: fc.integer({ min: 1, max: 12 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(20) }) },
)

interface Plain {
  readonly vector: Float32Array
  readonly expiresAt: number
  readonly payload: number | null
}

function cosine(one: Float32Array, other: Float32Array): number {
  const product = one.reduce((sum, number, at) => sum + number * (other[at] as number), 0)
  return product / Math.hypot(...one) / Math.hypot(...other)
}

test('any calls over time give what looking at every one gives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 80 }), async (steps) => {
      const clock = virtualClock(1000)
      const held = memoryVectors({ maxBytes: 1e7, clock })
      const plain = new Map<string, Map<string, Plain>>()
      for (const one of steps) {
        if (one.kind === 'advance') {
          await clock.advance(one.ms)
          continue
        }
        const own = plain.get(one.partition) ?? new Map<string, Plain>()
        plain.set(one.partition, own)
        if (one.kind === 'upsert') {
          const given = one.items.map(({ ttl, payload, ...rest }) => ({
            ...rest,
            ...(ttl !== null && { expiresAt: clock.now() + ttl }),
            ...(payload !== null && { payload: Uint8Array.of(payload) }),
          }))
          await held.upsert(one.partition, given)
          for (const { id: name, vector: of, ttl, payload } of one.items) {
            own.set(name, { vector: of, payload, expiresAt: ttl === null ? Number.POSITIVE_INFINITY : clock.now() + ttl })
          }
        } else if (one.kind === 'delete') {
          await held.delete(one.partition, one.ids)
          for (const name of one.ids) own.delete(name)
        } else {
          const live = [...own].filter(([, { expiresAt }]) => expiresAt > clock.now())
          const wanted = live.map(([, { vector: of }]) => cosine(of, one.vector)).sort((a, b) => b - a)
          const found = await held.nearest(one.partition, one)
          expect(found.length).toBe(Math.min(one.count, live.length))
          for (const [at, { id: name, similarity, payload }] of found.entries()) {
            const stored = own.get(name) as Plain
            expect(Math.abs(similarity - (wanted[at] as number))).toBeLessThan(1e-5)
            expect(Math.abs(similarity - cosine(stored.vector, one.vector))).toBeLessThan(1e-5)
            expect(payload?.[0] ?? null).toBe(stored.payload)
            expect(stored.expiresAt).toBeGreaterThan(clock.now())
          }
        }
      }
      for (const [name, own] of plain) await held.delete(name, [...own.keys()])
      expect(held.usage()).toEqual({ partitions: 0, items: 0, bytes: 0, heldBytes: 0 })
    }),
    { numRuns: 200 },
  )
})
