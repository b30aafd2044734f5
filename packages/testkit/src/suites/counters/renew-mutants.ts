import { type Counters, type LeaseRenewal, SwitchyardError } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { amountOf, expectedOf, type Granted, mutant, reads, renews } from './wrap.ts'

/** A renewal with other amounts, where it has any. */
function revalued(
  { amounts, ...times }: LeaseRenewal,
  granted: Granted | undefined,
  changed: (amount: bigint, key: string, granted: Granted) => bigint,
): LeaseRenewal {
  if (amounts === undefined || granted === undefined) return amounts === undefined ? times : { ...times, amounts }
  const others = Object.entries(amounts).map(([key, amount]) => [key, changed(amount, key, granted)])
  return { ...times, amounts: Object.fromEntries(others) }
}

function withoutExpiry({ expiresAt: _, ...renewal }: LeaseRenewal): LeaseRenewal {
  return renewal
}

function withoutSettleUntil({ settleUntil: _, ...renewal }: LeaseRenewal): LeaseRenewal {
  return renewal
}

/** Remembers what it renewed. */
function renewing(right: Counters): {
  readonly renew: Counters['renew']
  readonly renewals: ReadonlyMap<string, LeaseRenewal>
} {
  const renewals = new Map<string, LeaseRenewal>()
  return {
    renewals,
    async renew(leaseId, renewal, options) {
      const said = await right.renew(leaseId, renewal, options)
      if (said.renewed) renewals.set(leaseId, renewal)
      return said
    },
  }
}

export const renewMutants: readonly Mutant<Counters>[] = [
  mutant('renews-no-expiry', 'counters.renew.expires-later', (right) => renews(right, withoutExpiry)),
  mutant('renewed-never-expires', 'counters.renew.expires-later', (right) =>
    renews(right, (renewal) =>
      renewal.expiresAt === undefined ? renewal : { ...renewal, expiresAt: renewal.expiresAt + 600_000 },
    ),
  ),
  mutant('renews-to-later-only', 'counters.renew.expires-sooner', (right, { held }) =>
    renews(right, (renewal, leaseId) =>
      (renewal.expiresAt ?? 0) < (held.get(leaseId)?.lease.expiresAt ?? 0) ? withoutExpiry(renewal) : renewal,
    ),
  ),
  mutant('renews-every-lease', 'counters.renew.expires-sooner', (right, { held }) => ({
    async renew(leaseId, renewal, options) {
      const said = await right.renew(leaseId, renewal, options)
      for (const id of held.keys()) if (id !== leaseId) await right.renew(id, { expiresAt: renewal.expiresAt ?? 0 })
      return said
    },
  })),
  mutant('renews-once', 'counters.renew.again-and-again', (right) => {
    const { renew, renewals } = renewing(right)
    return {
      renew: async (leaseId, renewal, options) =>
        renewals.has(leaseId) ? { renewed: true } : renew(leaseId, renewal, options),
    }
  }),
  mutant('renewed-settles-no-more', 'counters.renew.again-and-again', (right) => {
    const { renew, renewals } = renewing(right)
    return {
      renew,
      settle: async (leaseId, amounts, options) =>
        renewals.has(leaseId) ? { settled: false } : right.settle(leaseId, amounts, options),
    }
  }),
  mutant('frees-id-at-first-expiry', 'counters.renew.keeps-id-taken', (right, { held, now }) => ({
    reserve(rows, lease, options) {
      const over = (held.get(lease.id)?.lease.expiresAt ?? Number.POSITIVE_INFINITY) <= now()
      return right.reserve(rows, over ? { ...lease, id: `${lease.id} again` } : lease, options)
    },
  })),
  mutant('renew-adds', 'counters.renew.replaces-amounts', (right, { held }) =>
    renews(right, (renewal, leaseId) =>
      revalued(renewal, held.get(leaseId), (amount, key, granted) => amount + amountOf(granted, key)),
    ),
  ),
  mutant('renew-only-raises', 'counters.renew.replaces-amounts', (right, { held }) =>
    renews(right, (renewal, leaseId) =>
      revalued(renewal, held.get(leaseId), (amount, key, granted) => {
        const more = amount - amountOf(granted, key)
        return more < 0n ? amount - more : amount
      }),
    ),
  ),
  mutant('renew-only-lowers', 'counters.renew.replaces-amounts', (right, { held }) =>
    renews(right, (renewal, leaseId) =>
      revalued(renewal, held.get(leaseId), (amount, key, granted) => {
        const more = amount - amountOf(granted, key)
        return more > 0n ? amount - more : amount
      }),
    ),
  ),
  mutant('renews-each-row', 'counters.renew.replaces-amounts', (right, { held }) =>
    renews(right, (renewal, leaseId) =>
      revalued(
        renewal,
        held.get(leaseId),
        (amount, key, { rows }) => amount * BigInt(rows.filter((row) => row.key === key).length),
      ),
    ),
  ),
  mutant('renew-drops-keys-left-out', 'counters.renew.replaces-amounts', (right, { held }) =>
    renews(right, (renewal, leaseId) => {
      const none = (held.get(leaseId)?.rows ?? []).map(({ key }) => [key, 0n] as const)
      return { ...renewal, amounts: { ...Object.fromEntries(none), ...renewal.amounts } }
    }),
  ),
  mutant('renew-stops-at-limit', 'counters.renew.may-pass-limit', (right, { held }) =>
    renews(right, (renewal, leaseId) =>
      revalued(renewal, held.get(leaseId), (amount, key, { rows }) => {
        const limit = rows.find((row) => row.key === key)?.limit
        return limit !== undefined && amount > limit ? limit : amount
      }),
    ),
  ),
  mutant('renew-refuses-beyond-limit', 'counters.renew.may-pass-limit', (right, { held }) => ({
    async renew(leaseId, renewal, options) {
      const passes = held.get(leaseId)?.rows.some(({ key, limit }) => {
        const amount = renewal.amounts?.[key]
        return limit !== undefined && amount !== undefined && amount > limit
      })
      return passes ? { renewed: false } : right.renew(leaseId, renewal, options)
    },
  })),
  mutant('gives-back-first-amounts', 'counters.renew.gives-back-new-amounts', (right, beside) => {
    const { renew, renewals } = renewing(right)
    return {
      renew,
      ...reads(right, beside, (granted, key) => {
        const amount = renewals.get(granted.lease.id)?.amounts?.[key]
        return amount === undefined || granted.lease.expiresAt > beside.now() ? 0n : amount - amountOf(granted, key)
      }),
    }
  }),
  mutant('renewing-forgets-expected', 'counters.renew.gives-back-new-amounts', (right, beside) => {
    const { renew, renewals } = renewing(right)
    return {
      renew,
      ...reads(right, beside, (granted, key) => {
        const over = renewals.has(granted.lease.id) && granted.lease.expiresAt <= beside.now()
        return over ? -expectedOf(granted, key) : 0n
      }),
    }
  }),
  mutant('renews-no-settle-until', 'counters.renew.settle-until', (right) => renews(right, withoutSettleUntil)),
  mutant('renews-settle-until-to-later-only', 'counters.renew.settle-until', (right, { held }) =>
    renews(right, (renewal, leaseId) =>
      (renewal.settleUntil ?? 0) < (held.get(leaseId)?.lease.settleUntil ?? 0) ? withoutSettleUntil(renewal) : renewal,
    ),
  ),
  mutant('takes-first-expiry-for-settle-until', 'counters.renew.settle-until', (right, { held }) =>
    renews(right, ({ expiresAt = 0, ...renewal }, leaseId) => {
      const settleUntil = renewal.settleUntil ?? Math.max(held.get(leaseId)?.lease.expiresAt ?? 0, expiresAt)
      return { ...renewal, ...(expiresAt === 0 ? {} : { expiresAt }), settleUntil }
    }),
  ),
  mutant('always-says-renewed', 'counters.renew.standing-leases-only', (right) => ({
    async renew(leaseId, renewal, options) {
      await right.renew(leaseId, renewal, options)
      return { renewed: true }
    },
  })),
  mutant('renew-rejects-unknown-lease', 'counters.renew.standing-leases-only', (right, { held }) => ({
    async renew(leaseId, renewal, options) {
      if (!held.has(leaseId)) throw new SwitchyardError('NOT_FOUND', 'unknown lease')
      return right.renew(leaseId, renewal, options)
    },
  })),
  mutant('renewal-counts-though-refused', 'counters.renew.standing-leases-only', (right, { add }) => ({
    async renew(leaseId, renewal, options) {
      const said = await right.renew(leaseId, renewal, options)
      if (!said.renewed) for (const [key, amount] of Object.entries(renewal.amounts ?? {})) await add(key, amount)
      return said
    },
  })),
  mutant('refused-renewal-settles', 'counters.renew.standing-leases-only', (right) => ({
    async renew(leaseId, renewal, options) {
      const said = await right.renew(leaseId, renewal, options)
      if (!said.renewed) await right.settle(leaseId, renewal.amounts ?? {})
      return said
    },
  })),
  mutant('renew-drops-foreign-keys', 'counters.renew.foreign-key-invalid', (right, { held }) =>
    renews(right, (renewal, leaseId) => {
      const own = new Set(held.get(leaseId)?.rows.map(({ key }) => key))
      return { ...renewal, amounts: Object.fromEntries(Object.entries(renewal.amounts ?? {}).filter(([key]) => own.has(key))) }
    }),
  ),
  mutant('renews-expiry-before-it-checks', 'counters.renew.foreign-key-invalid', (right) => ({
    async renew(leaseId, renewal, options) {
      if (renewal.expiresAt !== undefined) await right.renew(leaseId, { expiresAt: renewal.expiresAt })
      return right.renew(leaseId, renewal, options)
    },
  })),
  mutant('renews-negative-at-zero', 'counters.renew.negative-amount-invalid', (right, { held }) =>
    renews(right, (renewal, leaseId) => revalued(renewal, held.get(leaseId), (amount) => (amount < 0n ? 0n : amount))),
  ),
  mutant('renews-amount-by-amount', 'counters.renew.negative-amount-invalid', (right) => ({
    async renew(leaseId, renewal, options) {
      for (const [key, amount] of Object.entries(renewal.amounts ?? {}))
        await right.renew(leaseId, { amounts: { [key]: amount } })
      return right.renew(leaseId, renewal, options)
    },
  })),
  mutant('renews-into-past', 'counters.renew.passed-expiry-invalid', (right, { now }) =>
    renews(right, (renewal) => ((renewal.expiresAt ?? now() + 1) <= now() ? withoutExpiry(renewal) : renewal)),
  ),
  mutant('renews-to-now', 'counters.renew.passed-expiry-invalid', (right, { now }) =>
    renews(right, (renewal) => (renewal.expiresAt === now() ? withoutExpiry(renewal) : renewal)),
  ),
  mutant('renewal-counts-in-next-window', 'counters.renew.window-forgets-leases', (right, { held, now, add }) => ({
    async renew(leaseId, renewal, options) {
      const said = await right.renew(leaseId, renewal, options)
      for (const { key, expiresAt } of held.get(leaseId)?.rows ?? []) {
        const past = expiresAt !== undefined && expiresAt <= now()
        if (said.renewed && past) await add(key, renewal.amounts?.[key] ?? 0n, now() + 60_000)
      }
      return said
    },
  })),
  mutant('renews-no-lease-of-passed-window', 'counters.renew.window-forgets-leases', (right, { held, now }) => ({
    async renew(leaseId, renewal, options) {
      const past = held.get(leaseId)?.rows.some(({ expiresAt }) => expiresAt !== undefined && expiresAt <= now())
      return past ? { renewed: false } : right.renew(leaseId, renewal, options)
    },
  })),
  mutant('renew-ignores-abort', 'counters.renew.aborted-signal', (right) => ({
    renew: (leaseId, renewal) => right.renew(leaseId, renewal),
  })),
  mutant('renew-looks-at-abort-too-late', 'counters.renew.aborted-signal', (right) => ({
    async renew(leaseId, renewal, options) {
      const said = await right.renew(leaseId, renewal)
      await right.read([], options)
      return said
    },
  })),
]
