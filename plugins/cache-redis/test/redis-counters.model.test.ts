import type { CounterRow, Counters } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { redisCounters } from '../src/counters/redis-counters.ts'
import { guardOf } from '../src/guard.ts'
import { plainCounters } from './support/plain-counters.ts'
import { freshPrefix, needsServer, serverUrl } from './support/server.ts'

needsServer()

/** Keys whose rows live in windows of that many ms; the others never expire. */
const WINDOW_MS: ReadonlyMap<string, number> = new Map([
  ['w', 10],
  ['long', 25],
])
const KEYS = ['a', 'b', 'w', 'long', '__proto__']
const DAY_MS = 86_400_000
/** Beyond what a double tells apart, so that every sum of a run is. */
const LARGE = 2n ** 60n

const key = fc.constantFrom(...KEYS)
const amount = fc.oneof(fc.bigInt({ min: 0n, max: 6n }), fc.bigInt({ min: LARGE, max: LARGE + 6n }))
const id = fc.nat(10).map(String)
const amounts = fc.dictionary(key, amount, { maxKeys: 3 })
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })
const kind = <K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name)

const row = fc.record({ key, amount, limit: maybe(fc.oneof(amount, fc.constant(3n * LARGE))), expected: maybe(amount) })
const ms = fc.integer({ min: 1, max: 30 })
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: kind('reserve'), id, rows: fc.array(row, { maxLength: 4 }), ms, late: maybe(fc.nat(40)) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: kind('settle'), id, amounts }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('renew'), id, amounts, ms: maybe(ms), late: maybe(fc.nat(60)) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('acknowledge'), ids: fc.array(id, { maxLength: 3 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: kind('advance'), by: fc.oneof({ weight: 20, arbitrary: fc.nat(15) }, fc.constant(DAY_MS)) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? Exclude<S, { kind: 'advance' }> : never

function play(counters: Omit<Counters, 'capabilities'>, one: Step, now: number): Promise<unknown> {
  if (one.kind === 'reserve') {
    const rows = one.rows.map(({ key: name, ...given }): CounterRow => {
      const window = WINDOW_MS.get(name)
      const ends = window === undefined ? {} : { expiresAt: (Math.floor(now / window) + 1) * window }
      return { key: name, ...(defined(given) as { amount: bigint }), ...ends }
    })
    const expiresAt = now + one.ms
    const settleUntil = one.late === undefined ? undefined : expiresAt + one.late
    return counters.reserve(rows, { id: one.id, expiresAt, ...defined({ settleUntil }) })
  }
  if (one.kind === 'settle') return counters.settle(one.id, one.amounts)
  if (one.kind === 'acknowledge') return counters.acknowledge(one.ids)
  const expiresAt = one.ms === undefined ? undefined : now + one.ms
  const settleUntil = one.late === undefined ? undefined : now + 30 + one.late
  return counters.renew(one.id, { amounts: one.amounts, ...defined({ expiresAt, settleUntil }) })
}

function defined(given: object): object {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

const outcome = (reply: Promise<unknown>): Promise<unknown> => reply.catch((error: { code?: string }) => error.code ?? error)

/** Leases that expire in one millisecond come in any order, so what stood in a row before each is left open. */
async function listing(counters: Pick<Counters, 'expired'>): Promise<unknown[]> {
  const list = [...(await counters.expired())].sort(
    (one, other) => one.expiredAt - other.expiredAt || (one.id < other.id ? -1 : 1),
  )
  return list.map(({ id: lease, expiredAt, changes }) => [
    lease,
    expiredAt,
    changes.map(({ key: changed, before, after }) => [changed, after - before]),
  ])
}

test('any reserves, settlements, renewals and expiries give what asking every lease anew gives', {
  timeout: 120_000,
}, async () => {
  const clock = virtualClock()
  // Without the log beside them, whose lease is renewed every third of a second, also of the days that pass here.
  const client = new Redis(serverUrl as string, { replyMapping: 'legacy' })
  onTestFinished(() => client.disconnect())
  const guard = guardOf({ clock, commandTimeoutMs: 60_000, maxInFlight: 100 })
  const counters = redisCounters({ client, guard, clock, keyPrefix: freshPrefix() })
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), async (steps) => {
      run += 1
      const plain = plainCounters(() => clock.now())
      const here = tagged(counters, `{${run}}`)
      for (const one of steps) {
        if (one.kind === 'advance') await clock.advance(one.by)
        else expect(await outcome(play(here, one, clock.now())), one.kind).toEqual(await outcome(play(plain, one, clock.now())))
        expect(await here.read(KEYS)).toEqual(await plain.read(KEYS))
        expect(await listing(here)).toEqual(await listing(plain))
      }
      await clock.advance(3 * DAY_MS)
      expect(await here.expired()).toEqual([])
    }),
    { numRuns: 40 },
  )
})

/** Every key and id under one tag, so that each run has a world of its own. */
function tagged(counters: Counters, tag: string): Omit<Counters, 'capabilities'> {
  const bare = <T extends { readonly key: string }>(one: T): T => ({ ...one, key: one.key.slice(tag.length) })
  const full = (given: Readonly<Record<string, bigint>>): Record<string, bigint> =>
    Object.fromEntries(Object.entries(given).map(([name, value]) => [tag + name, value]))
  return {
    async reserve(rows, lease) {
      const reply = await counters.reserve(
        rows.map((one) => ({ ...one, key: tag + one.key })),
        { ...lease, id: tag + lease.id },
      )
      return reply.granted ? reply : bare(reply)
    },
    async settle(lease, given) {
      const reply = await counters.settle(tag + lease, full(given))
      return reply.settled ? { settled: true, changes: reply.changes.map(bare) } : reply
    },
    renew: (lease, renewal) => counters.renew(tag + lease, { ...renewal, amounts: full(renewal.amounts ?? {}) }),
    acknowledge: (ids) => counters.acknowledge(ids.map((one) => tag + one)),
    read: (keys) => counters.read(keys.map((name) => tag + name)),
    async expired() {
      const own = (await counters.expired()).filter((lease) => lease.id.startsWith(tag))
      return own.map((lease) => ({ ...lease, id: lease.id.slice(tag.length), changes: lease.changes.map(bare) }))
    },
  }
}
