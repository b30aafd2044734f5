import type { CounterRow, Lease, LeaseRenewal } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type MemoryCounters, memoryCounters } from '../src/memory-counters.ts'
import { type ReferenceCounters, referenceCounters } from './support/reference-counters.ts'

/** Keys whose rows live in windows of that many ms; the others never expire. */
const WINDOW_MS: ReadonlyMap<string, number> = new Map([
  ['w', 10],
  ['long', 25],
])
const KEYS = ['a', 'b', 'w', 'long', '__proto__']
const DAY_MS = 86_400_000

const key = fc.constantFrom(...KEYS)
const amount = fc.bigInt({ min: 0n, max: 6n })
const lease = fc.nat(12).map(String)
const amounts = fc.dictionary(key, fc.oneof({ weight: 20, arbitrary: amount }, fc.constant(-1n)), { maxKeys: 3 })
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      rows: fc.array(fc.record({ key, amount, limit: maybe(fc.bigInt({ min: 0n, max: 20n })), expected: maybe(amount) }), {
        maxLength: 4,
      }),
      lease,
      ms: fc.integer({ min: 1, max: 30 }),
      lateMs: maybe(fc.integer({ min: -1, max: 40 })),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const), lease, amounts }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('renew' as const),
      lease,
      amounts: maybe(amounts),
      ms: maybe(fc.integer({ min: -1, max: 40 })),
      lateMs: maybe(fc.nat(60)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), leases: fc.array(lease, { maxLength: 3 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.oneof({ weight: 20, arbitrary: fc.nat(15) }, fc.constant(DAY_MS - 20), fc.constant(DAY_MS)),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

async function outcome(reply: Promise<unknown>): Promise<unknown> {
  return reply.catch((error: { code?: string }) => error.code ?? error)
}

/** Does one step to both, and gives what each said. */
function play(one: Exclude<Step, { kind: 'advance' }>, now: number, plain: ReferenceCounters) {
  return async (counters: MemoryCounters): Promise<[unknown, unknown]> => {
    if (one.kind === 'reserve') {
      const rows = one.rows.map((row): CounterRow => {
        const window = WINDOW_MS.get(row.key)
        const ends = window === undefined ? {} : { expiresAt: (Math.floor(now / window) + 1) * window }
        return { ...defined(row), ...ends } as CounterRow
      })
      const expiresAt = now + one.ms
      const settleUntil = one.lateMs === undefined ? undefined : expiresAt + one.lateMs
      const wanted = defined({ id: one.lease, expiresAt, settleUntil }) as unknown as Lease
      return [await outcome(counters.reserve(rows, wanted)), plain.reserve(rows, wanted)]
    }
    if (one.kind === 'settle') {
      return [await outcome(counters.settle(one.lease, one.amounts)), plain.settle(one.lease, one.amounts)]
    }
    if (one.kind === 'renew') {
      const expiresAt = one.ms === undefined ? undefined : now + one.ms
      const settleUntil = one.lateMs === undefined ? undefined : now + one.lateMs
      const renewal = defined({ expiresAt, settleUntil, amounts: one.amounts }) as LeaseRenewal
      return [await outcome(counters.renew(one.lease, renewal)), plain.renew(one.lease, renewal)]
    }
    return [await outcome(counters.acknowledge(one.leases)), plain.acknowledge(one.leases)]
  }
}

function defined(given: object): object {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

async function listing(counters: MemoryCounters) {
  const list = await counters.expired()
  const times = list.map(({ expiredAt }) => expiredAt)
  expect(times).toEqual([...times].sort((one, other) => one - other))
  return list
    .map(({ id, expiredAt, changes }) => ({
      id,
      expiredAt,
      charges: changes.map(({ key: changed, before, after }) => [changed, after - before] as const),
    }))
    .sort((one, other) => one.expiredAt - other.expiredAt || (one.id < other.id ? -1 : 1))
}

test('any reserves, settlements, renewals and expiries give what asking every lease anew gives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }), async (steps) => {
      const clock = virtualClock(0)
      const counters = memoryCounters({ maxCounters: 1000, maxLeases: 1000, clock })
      const plain = referenceCounters(() => clock.now())
      for (const one of steps) {
        if (one.kind === 'advance') await clock.advance(one.ms)
        else {
          const [said, wanted] = await play(one, clock.now(), plain)(counters)
          expect(
            said,
            JSON.stringify(one, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
          ).toEqual(wanted)
        }
        expect(await counters.read(KEYS)).toEqual(KEYS.map((name) => plain.sum(name)))
        expect(await listing(counters)).toEqual(plain.expired())
      }
      // Nothing stays behind once every lease and window is over, but rows that count for ever.
      await clock.advance(2 * DAY_MS)
      const sums = await counters.read(['a', 'b', '__proto__'])
      expect(counters.usage()).toEqual({ rows: sums.filter((sum) => sum > 0n).length, leases: 0, expiring: 0 })
    }),
    { numRuns: 200 },
  )
})
