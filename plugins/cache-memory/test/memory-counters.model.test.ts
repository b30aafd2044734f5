import { virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryCounters } from '../src/memory-counters.ts'

/** Keys whose rows live in windows of that many ms; the others never expire. */
const WINDOW_MS: ReadonlyMap<string, number> = new Map([
  ['w', 10],
  ['long', 25],
])

const key = fc.constantFrom('a', 'b', 'w', 'long', '__proto__')
const amount = fc.bigInt({ min: 0n, max: 6n })
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      rows: fc.array(fc.record({ key, amount, limit: fc.bigInt({ min: 0n, max: 20n }) }), { maxLength: 4 }),
      lease: fc.nat(12),
      ms: fc.nat(30),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      lease: fc.nat(12),
      amounts: fc.dictionary(key, amount, { maxKeys: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(15) }) },
)

/** The same promises in the plainest way: a list of all that ever happened, added up anew for every question. */
function plainCounters(now: () => number) {
  interface Entry {
    key: string
    window: number
    lease: string
    amount: bigint
    until: number
  }
  let entries: Entry[] = []
  let leases: { id: string; expiresAt: number; open: boolean }[] = []
  const windowOf = (name: string): number => Math.floor(now() / (WINDOW_MS.get(name) ?? Number.POSITIVE_INFINITY))
  const sum = (name: string): bigint =>
    entries
      .filter((entry) => entry.key === name && entry.window === windowOf(name) && entry.until > now())
      .reduce((total, entry) => total + entry.amount, 0n)
  const lease = (id: string) => leases.find((other) => other.id === id && other.expiresAt > now())
  return {
    sum,
    reserve(rows: readonly { key: string; amount: bigint; limit: bigint }[], id: string, expiresAt: number) {
      if (lease(id) !== undefined) return 'CONFLICT'
      const before = entries
      for (const { key: name, amount: more, limit } of rows) {
        const left = limit - sum(name)
        if (more > left) {
          entries = before
          return { granted: false, key: name, available: left > 0n ? left : 0n }
        }
        entries = [...entries, { key: name, window: windowOf(name), lease: id, amount: more, until: Number.POSITIVE_INFINITY }]
      }
      // What is asked for at once adds up, even under a lease that has already expired.
      entries = entries.map((entry) => (before.includes(entry) ? entry : { ...entry, until: expiresAt }))
      leases = [...leases.filter((other) => other.id !== id), { id, expiresAt, open: true }]
      return { granted: true }
    },
    settle(id: string, amounts: Readonly<Record<string, bigint>>) {
      const own = lease(id)
      if (own === undefined || !own.open) return { settled: false }
      const held = entries.filter((entry) => entry.lease === id && entry.until === own.expiresAt)
      if (Object.keys(amounts).some((name) => !held.some((entry) => entry.key === name))) return 'INVALID_REQUEST'
      entries = entries.filter((entry) => !held.includes(entry))
      for (const [name, exact] of Object.entries(amounts)) {
        const window = held.find((entry) => entry.key === name)?.window ?? 0
        entries = [...entries, { key: name, window, lease: 'settled', amount: exact, until: Number.POSITIVE_INFINITY }]
      }
      own.open = false
      return { settled: true }
    },
  }
}

test('any reserves, settlements and expiries give what adding up everything gives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 80 }), async (steps) => {
      const clock = virtualClock(0)
      const counters = memoryCounters({ maxCounters: 1000, maxLeases: 1000, clock })
      const plain = plainCounters(() => clock.now())
      for (const one of steps) {
        if (one.kind === 'advance') await clock.advance(one.ms)
        else if (one.kind === 'reserve') {
          const expiresAt = clock.now() + one.ms
          const rows = one.rows.map((row) => {
            const window = WINDOW_MS.get(row.key)
            return window === undefined ? row : { ...row, expiresAt: (Math.floor(clock.now() / window) + 1) * window }
          })
          const wanted = plain.reserve(one.rows, `${one.lease}`, expiresAt)
          const reserving = counters.reserve(rows, { id: `${one.lease}`, expiresAt })
          if (typeof wanted === 'string') await expect(reserving).rejects.toMatchObject({ code: wanted })
          else expect(await reserving).toEqual(wanted)
        } else {
          const wanted = plain.settle(`${one.lease}`, one.amounts)
          const settling = counters.settle(`${one.lease}`, one.amounts)
          if (typeof wanted === 'string') await expect(settling).rejects.toMatchObject({ code: wanted })
          else expect(await settling).toEqual(wanted)
        }
        const keys = ['a', 'b', 'w', 'long', '__proto__']
        expect(await counters.read(keys)).toEqual(keys.map((name) => plain.sum(name)))
      }
    }),
    { numRuns: 200 },
  )
})
