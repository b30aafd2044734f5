import { type Counters, SwitchyardError } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { type Beside, expectedOf, frees, leases, mutant, reads, relimited, reserves, settles, settlesSaying } from './wrap.ts'

function expires({ held, now }: Beside, leaseId: string): boolean {
  return (held.get(leaseId)?.lease.expiresAt ?? Number.POSITIVE_INFINITY) <= now()
}

/** Settles otherwise once the lease has expired. */
function settlesLate(right: Counters, beside: Beside, late: Counters['settle']): Partial<Counters> {
  return {
    settle: (leaseId, amounts, options) =>
      expires(beside, leaseId) ? late(leaseId, amounts, options) : right.settle(leaseId, amounts, options),
  }
}

export const expectedMutants: readonly Mutant<Counters>[] = [
  mutant('expiry-gives-all-back', 'counters.reserve.expiry-charges-expected', (right) =>
    reserves(right, ({ expected: _, ...row }) => row),
  ),
  mutant('expiry-keeps-all', 'counters.reserve.expiry-charges-expected', (right) =>
    reserves(right, (row) => (row.expected === undefined ? row : { ...row, expected: row.amount })),
  ),
  mutant('expects-no-more-than-reserved', 'counters.reserve.expiry-charges-expected', (right) =>
    reserves(right, (row) => ((row.expected ?? 0n) > row.amount ? { ...row, expected: row.amount } : row)),
  ),
  mutant('expects-all-by-default', 'counters.reserve.expiry-charges-expected', (right) =>
    reserves(right, (row) => ({ ...row, expected: row.expected ?? row.amount })),
  ),
  mutant('expects-last-of-repeated-key', 'counters.reserve.expiry-charges-expected', (right) => ({
    reserve: (rows, lease, options) =>
      right.reserve(
        rows.map((row, at) => (rows.findLastIndex(({ key }) => key === row.key) === at ? row : { ...row, expected: 0n })),
        lease,
        options,
      ),
  })),
  mutant('charges-beside-limits', 'counters.reserve.expected-counts-against-limits', (right, beside) =>
    reserves(right, (row) =>
      relimited(row, (limit) => {
        const over = [...beside.held.values()].filter(({ lease }) => expires(beside, lease.id))
        return over.reduce((sum, granted) => sum + expectedOf(granted, row.key), limit)
      }),
    ),
  ),
  mutant('waits-for-expired-leases', 'counters.reserve.expected-counts-against-limits', (right, { held }) =>
    frees(right, () => Math.min(...[...held.values()].map(({ lease }) => lease.expiresAt))),
  ),
  mutant('charges-next-window', 'counters.reserve.expected-of-passed-window', (right, beside) =>
    reads(right, beside, (granted, key) => {
      const end = granted.rows.find((row) => row.key === key)?.expiresAt
      const overtaken = end !== undefined && end < granted.lease.expiresAt && granted.lease.expiresAt <= beside.now()
      return overtaken ? expectedOf(granted, key) : 0n
    }),
  ),
  mutant('takes-negative-expected-for-zero', 'counters.reserve.negative-expected-invalid', (right) =>
    reserves(right, (row) => ((row.expected ?? 0n) < 0n ? { ...row, expected: 0n } : row)),
  ),
  mutant('lifts-settle-until', 'counters.reserve.settle-until-before-expiry-invalid', (right) =>
    leases(right, ({ settleUntil = 0, ...lease }) => ({ ...lease, settleUntil: Math.max(settleUntil, lease.expiresAt) })),
  ),
  mutant('refuses-settle-until-at-expiry', 'counters.reserve.settle-until-before-expiry-invalid', (right) =>
    leases(right, (lease) => (lease.settleUntil === lease.expiresAt ? { ...lease, settleUntil: lease.expiresAt - 1 } : lease)),
  ),
  mutant('cuts-notes', 'counters.reserve.note-too-long-invalid', (right) =>
    leases(right, (lease) => (lease.note === undefined ? lease : { ...lease, note: lease.note.slice(0, 4096) })),
  ),
  mutant('refuses-notes-of-4096', 'counters.reserve.note-too-long-invalid', (right) => ({
    async reserve(rows, lease, options) {
      if ((lease.note ?? '').length >= 4096) throw new SwitchyardError('INVALID_REQUEST', 'too long')
      return right.reserve(rows, lease, options)
    },
  })),
  mutant('refuses-late-settle', 'counters.settle.late-replaces-expected', (right, beside) =>
    settlesLate(right, beside, async () => ({ settled: false })),
  ),
  mutant('late-settle-adds-to-expected', 'counters.settle.late-replaces-expected', (right, beside) =>
    settlesLate(right, beside, (leaseId, amounts, options) => {
      const granted = beside.held.get(leaseId)
      const more = Object.entries(amounts).map(([key, amount]) => [key, amount + (granted ? expectedOf(granted, key) : 0n)])
      return right.settle(leaseId, Object.fromEntries(more), options)
    }),
  ),
  mutant('late-left-out-stays-expected', 'counters.settle.late-replaces-expected', (right, beside) =>
    settlesLate(right, beside, (leaseId, amounts, options) => {
      const rows = beside.held.get(leaseId)?.rows ?? []
      const expected = rows.map(({ key, expected = 0n }) => [key, expected] as const)
      return right.settle(leaseId, { ...Object.fromEntries(expected), ...amounts }, options)
    }),
  ),
  mutant('late-changes-leave-out-expected', 'counters.settle.late-replaces-expected', (right, beside) =>
    settlesSaying(right, (changes, leaseId) => {
      const granted = beside.held.get(leaseId)
      if (granted === undefined || !expires(beside, leaseId)) return changes
      return changes.map((change) => ({ ...change, before: change.before - expectedOf(granted, change.key) }))
    }),
  ),
  mutant('settles-late-only-what-was-expected', 'counters.settle.late-without-expected', (right, beside) =>
    settlesLate(right, beside, async (leaseId, amounts, options) => {
      const charged = beside.held.get(leaseId)?.rows.some(({ expected = 0n }) => expected > 0n)
      return charged ? right.settle(leaseId, amounts, options) : { settled: false }
    }),
  ),
  mutant('settles-late-again', 'counters.settle.late-once', (right, beside) =>
    settlesLate(right, beside, async (leaseId, amounts, options) => {
      const said = await right.settle(leaseId, amounts, options)
      if (said.settled) return said
      for (const [key, amount] of Object.entries(amounts)) await beside.add(key, amount)
      return { settled: true, changes: [] }
    }),
  ),
  mutant('late-settle-drops-foreign-keys', 'counters.settle.late-invalid', (right, beside) =>
    settlesLate(right, beside, (leaseId, amounts, options) => {
      const rows = beside.held.get(leaseId)?.rows ?? []
      const own = Object.entries(amounts).filter(([key]) => rows.some((row) => row.key === key))
      return right.settle(leaseId, Object.fromEntries(own), options)
    }),
  ),
  mutant('late-settle-takes-negative-for-zero', 'counters.settle.late-invalid', (right, beside) => ({
    ...settles(right, beside, (amount) => (amount !== undefined && amount < 0n ? 0n : amount)),
  })),
  mutant('rejection-ends-late-lease', 'counters.settle.late-invalid', (right, beside) =>
    settlesLate(right, beside, async (leaseId, amounts, options) => {
      try {
        return await right.settle(leaseId, amounts, options)
      } catch (error) {
        await right.settle(leaseId, {}, options)
        throw error
      }
    }),
  ),
  mutant('settles-late-for-ever', 'counters.settle.after-settle-until', (right) =>
    leases(right, (lease) => ({ ...lease, settleUntil: (lease.settleUntil ?? lease.expiresAt) + 600_000 })),
  ),
  mutant('settle-until-ends-charge', 'counters.settle.after-settle-until', (right, beside) =>
    reads(right, beside, (granted, key) =>
      (granted.lease.settleUntil ?? Number.POSITIVE_INFINITY) <= beside.now() ? -expectedOf(granted, key) : 0n,
    ),
  ),
  mutant('settles-late-by-default', 'counters.settle.no-settle-until', (right) =>
    leases(right, (lease) => ({ ...lease, settleUntil: lease.settleUntil ?? lease.expiresAt + 600_000 })),
  ),
  mutant('late-settle-counts-in-next-window', 'counters.settle.late-of-passed-window', (right, beside) =>
    settlesLate(right, beside, async (leaseId, amounts, options) => {
      const said = await right.settle(leaseId, amounts, options)
      for (const { key, expiresAt } of beside.held.get(leaseId)?.rows ?? []) {
        const past = expiresAt !== undefined && expiresAt <= beside.now()
        if (past) await beside.add(key, amounts[key] ?? 0n, beside.now() + 60_000)
      }
      return said
    }),
  ),
  mutant('late-changes-of-passed-windows', 'counters.settle.late-of-passed-window', (right, { held, now }) =>
    settlesSaying(right, (changes, leaseId) => {
      const passed = (held.get(leaseId)?.rows ?? []).filter(({ expiresAt }) => expiresAt !== undefined && expiresAt <= now())
      return [...passed.map(({ key }) => ({ key, before: 0n, after: 0n })), ...changes]
    }),
  ),
]
