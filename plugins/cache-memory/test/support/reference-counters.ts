import type { CounterRow, Lease, LeaseRenewal } from '@switchyard/contract'

interface Holding {
  readonly key: string
  readonly windowEnd: number
  amount: bigint
  expected: bigint
  exact: bigint | undefined
}

interface Known {
  readonly id: string
  readonly holdings: readonly Holding[]
  expiresAt: number
  settleUntil: number
  settled: boolean
  acknowledged: boolean
}

interface Listed {
  readonly id: string
  readonly expiredAt: number
  readonly charges: readonly (readonly [key: string, amount: bigint])[]
}

export interface ReferenceCounters {
  sum(key: string): bigint
  /** Each says what the port should, or the code of its error. */
  reserve(rows: readonly CounterRow[], lease: Lease): unknown
  settle(id: string, amounts: Readonly<Record<string, bigint>>): unknown
  renew(id: string, renewal: LeaseRenewal): unknown
  acknowledge(ids: readonly string[]): void
  /** What each listed lease charged, by key: which of two that expire at once was first is not promised. */
  expired(): Listed[]
}

const DAY_MS = 86_400_000
const NEVER = Number.POSITIVE_INFINITY

/**
 * The port's promises as questions about all leases that ever were, each answered from the beginning: no row, no sum and no list is
 * kept. Errors are given as their codes.
 */
export function referenceCounters(now: () => number): ReferenceCounters {
  const known: Known[] = []

  const expired = (lease: Known): boolean => !lease.settled && lease.expiresAt <= now()
  const open = (lease: Known): boolean => !lease.settled && lease.expiresAt > now()
  const lateUntil = (lease: Known): number => Math.max(lease.settleUntil, lease.expiresAt)
  const charged = (lease: Known): boolean => lease.holdings.some(({ expected }) => expected > 0n)
  const listed = (lease: Known): boolean =>
    expired(lease) && charged(lease) && !lease.acknowledged && now() < lateUntil(lease) + DAY_MS
  const taken = (lease: Known): boolean =>
    now() < lease.expiresAt || (expired(lease) && (listed(lease) || now() < lateUntil(lease)))
  const find = (id: string): Known | undefined => known.find((lease) => lease.id === id && taken(lease))

  function sum(key: string, settledOnly = false): bigint {
    let total = 0n
    for (const lease of known) {
      for (const { key: own, windowEnd, amount, expected, exact } of lease.holdings) {
        if (own !== key || windowEnd <= now()) continue
        if (exact !== undefined) total += exact
        else if (expired(lease)) total += expected
        else if (!settledOnly) total += amount
      }
    }
    return total
  }

  function refusesAmounts({ holdings }: Known, amounts: Readonly<Record<string, bigint>>): boolean {
    return Object.entries(amounts).some(([key, amount]) => amount < 0n || !holdings.some((own) => own.key === key))
  }

  return {
    sum: (key) => sum(key),

    reserve(rows: readonly CounterRow[], { id, expiresAt, settleUntil }: Lease) {
      if (settleUntil !== undefined && settleUntil < expiresAt) return 'INVALID_REQUEST'
      if (find(id) !== undefined) return 'CONFLICT'
      const holdings: Holding[] = []
      for (const { key, amount, limit, expected = 0n, expiresAt: windowEnd = NEVER } of rows) {
        const own = holdings.find((one) => one.key === key)
        const before = sum(key) + (own?.amount ?? 0n)
        if (limit !== undefined && before + amount > limit) {
          const ends = known
            .filter((lease) => open(lease) && lease.holdings.some((one) => one.key === key && one.windowEnd > now()))
            .map((lease) => lease.expiresAt)
          const freesAt = ends.length === 0 ? undefined : Math.min(...ends)
          return { granted: false, key, available: limit > before ? limit - before : 0n, freesAt }
        }
        if (own === undefined) holdings.push({ key, windowEnd, amount, expected, exact: undefined })
        else {
          own.amount += amount
          own.expected += expected
        }
      }
      known.push({ id, holdings, expiresAt, settleUntil: settleUntil ?? 0, settled: false, acknowledged: false })
      return { granted: true, sums: rows.map(({ key }) => sum(key)) }
    },

    settle(id: string, amounts: Readonly<Record<string, bigint>>) {
      const lease = find(id)
      if (lease === undefined || lease.settled || (expired(lease) && lateUntil(lease) <= now())) return { settled: false }
      if (refusesAmounts(lease, amounts)) return 'INVALID_REQUEST'
      const standing = lease.holdings.filter(({ windowEnd }) => windowEnd > now())
      const before = standing.map(({ key }) => sum(key, true))
      for (const own of lease.holdings) own.exact = Object.hasOwn(amounts, own.key) ? (amounts[own.key] ?? 0n) : 0n
      lease.settled = true
      return { settled: true, changes: standing.map(({ key }, at) => ({ key, before: before[at], after: sum(key, true) })) }
    },

    renew(id: string, { expiresAt, settleUntil, amounts = {} }: LeaseRenewal) {
      const lease = find(id)
      if (lease === undefined || !open(lease)) return { renewed: false }
      if ((expiresAt ?? NEVER) <= now() || (settleUntil ?? NEVER) < (expiresAt ?? lease.expiresAt)) return 'INVALID_REQUEST'
      if (refusesAmounts(lease, amounts)) return 'INVALID_REQUEST'
      for (const own of lease.holdings) if (Object.hasOwn(amounts, own.key)) own.amount = amounts[own.key] ?? 0n
      lease.expiresAt = expiresAt ?? lease.expiresAt
      lease.settleUntil = settleUntil ?? lease.settleUntil
      return { renewed: true }
    },

    acknowledge(ids: readonly string[]) {
      for (const lease of known) if (expired(lease) && ids.includes(lease.id)) lease.acknowledged = true
    },

    expired() {
      return known
        .filter(listed)
        .map(({ id, expiresAt, holdings }) => ({
          id,
          expiredAt: expiresAt,
          charges: holdings
            .filter(({ windowEnd }) => windowEnd > expiresAt)
            .map(({ key, expected }) => [key, expected] as const),
        }))
        .sort((one, other) => one.expiredAt - other.expiredAt || (one.id < other.id ? -1 : 1))
    },
  }
}
