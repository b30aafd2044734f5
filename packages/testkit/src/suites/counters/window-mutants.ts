import type { CounterRow, Counters } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { mutant, reserves } from './wrap.ts'

// Wide enough to show on a subject whose clock goes by itself, too.
const EARLY_MS = 150
const LATE_MS = 60

function moved(row: CounterRow, byMs: number): CounterRow {
  return row.expiresAt === undefined ? row : { ...row, expiresAt: row.expiresAt + byMs }
}

function endless({ expiresAt: _, ...row }: CounterRow): CounterRow {
  return row
}

export const windowMutants: readonly Mutant<Counters>[] = [
  mutant('window-ends-early', 'counters.reserve.window-holds-until-expiry', (right) =>
    reserves(right, (row) => moved(row, -EARLY_MS)),
  ),
  mutant('window-ends-late', 'counters.reserve.window-resets', (right) => reserves(right, (row) => moved(row, LATE_MS))),
  mutant('window-never-ends', 'counters.reserve.window-resets', (right) => reserves(right, endless)),
  mutant('one-window-for-every-row', 'counters.reserve.window-resets', (right) => ({
    reserve(rows, lease, options) {
      const ends = rows.map(({ expiresAt }) => expiresAt).filter((end) => end !== undefined)
      const changed = ends.length === 0 ? rows : rows.map((row) => ({ ...row, expiresAt: Math.min(...ends) }))
      return right.reserve(changed, lease, options)
    },
  })),
  mutant('old-lease-takes-from-new-window', 'counters.reserve.window-forgets-leases', (right, { held, now }) => ({
    async read(keys, options) {
      const sums = [...(await right.read(keys, options))]
      for (const { rows, lease } of held.values()) {
        for (const { key, amount, expiresAt } of rows) {
          const at = keys.indexOf(key)
          const overtaken = expiresAt !== undefined && expiresAt < lease.expiresAt && lease.expiresAt <= now()
          if (at >= 0 && overtaken) sums[at] = (sums[at] ?? 0n) - amount
        }
      }
      return sums
    },
  })),
  mutant('old-lease-settles-in-new-window', 'counters.settle.window-forgets-leases', (right, { held, now, add }) => ({
    async settle(leaseId, amounts, options) {
      const said = await right.settle(leaseId, amounts, options)
      for (const { key, amount, expiresAt } of held.get(leaseId)?.rows ?? []) {
        const past = said.settled && expiresAt !== undefined && expiresAt <= now()
        const more = (amounts[key] ?? 0n) - amount
        if (past && more > 0n) await add(key, more, now() + 60_000)
      }
      return said
    },
  })),
  mutant('old-lease-cannot-be-settled', 'counters.settle.window-forgets-leases', (right, { held, now }) => ({
    async settle(leaseId, amounts, options) {
      const past = held.get(leaseId)?.rows.some(({ expiresAt }) => expiresAt !== undefined && expiresAt <= now())
      return past ? { settled: false } : right.settle(leaseId, amounts, options)
    },
  })),
  mutant('default-window', 'counters.reserve.no-expiry-stays', (right, { now }) =>
    reserves(right, (row) => ({ ...row, expiresAt: row.expiresAt ?? now() + 100 })),
  ),
  mutant('looks-then-adds', 'counters.reserve.parallel-within-limit', (right) => ({
    async reserve(rows, lease, options) {
      const sums = await right.read(rows.map(({ key }) => key))
      for (const [at, { key, amount, limit }] of rows.entries()) {
        const sum = sums[at] ?? 0n
        if (limit !== undefined && sum + amount > limit)
          return { granted: false, key, available: limit > sum ? limit - sum : 0n }
      }
      return right.reserve(
        rows.map((row) => ({ ...row, limit: 10n ** 18n })),
        lease,
        options,
      )
    },
  })),
  mutant('refuses-while-busy', 'counters.reserve.parallel-within-limit', (right) => {
    let busy = false
    return {
      async reserve(rows, lease, options) {
        if (busy) return { granted: false, key: rows[0]?.key ?? '', available: 0n }
        busy = true
        const said = await right.reserve(rows, lease, options)
        busy = false
        return said
      },
    }
  }),
  mutant('adds-row-by-row', 'counters.reserve.parallel-rows-agree', (right) => ({
    async reserve(rows, lease, options) {
      for (const [at, row] of rows.entries()) {
        const said = await right.reserve([row], { ...lease, id: `${lease.id} ${at}` }, options)
        if (!said.granted) return said
      }
      return { granted: true, sums: [] }
    },
  })),
]
