import { type Counters, SwitchyardError } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { leases, mutant, settles } from './wrap.ts'

// Wide enough to show on a subject whose clock goes by itself, too.
const EARLY_MS = 150
const LATE_MS = 60

export const leaseMutants: readonly Mutant<Counters>[] = [
  mutant('lease-expires-early', 'counters.reserve.lease-holds-until-expiry', (right) =>
    leases(right, (lease) => ({ ...lease, expiresAt: lease.expiresAt - EARLY_MS })),
  ),
  mutant('lease-expires-late', 'counters.reserve.lease-expiry-gives-back', (right) =>
    leases(right, (lease) => ({ ...lease, expiresAt: lease.expiresAt + LATE_MS })),
  ),
  mutant('lease-never-expires', 'counters.reserve.lease-expiry-gives-back', (right) =>
    leases(right, (lease) => ({ ...lease, expiresAt: lease.expiresAt + 600_000 })),
  ),
  mutant('gives-back-first-row-only', 'counters.reserve.lease-expiry-gives-back', (right, { ownLease }) => ({
    async reserve(rows, lease, options) {
      const said = await right.reserve(rows.slice(0, 1), lease, options)
      return said.granted ? right.reserve(rows.slice(1), ownLease(), options) : said
    },
  })),
  mutant('one-expiry-ends-every-lease', 'counters.reserve.lease-expiry-gives-back', (right, { held, now }) => ({
    async read(keys, options) {
      const over = [...held.values()].some(({ lease }) => lease.expiresAt <= now())
      if (over) for (const id of held.keys()) await right.settle(id, {})
      return right.read(keys, options)
    },
  })),
  mutant('grants-same-id-again', 'counters.reserve.lease-id-conflicts', (right, { held }) => ({
    reserve: async (rows, lease, options) =>
      held.has(lease.id) ? { granted: true, sums: [] } : right.reserve(rows, lease, options),
  })),
  mutant('adds-before-conflict', 'counters.reserve.lease-id-conflicts', (right, { held, ownLease }) => ({
    async reserve(rows, lease, options) {
      if (held.has(lease.id)) await right.reserve(rows, ownLease(), options)
      return right.reserve(rows, lease, options)
    },
  })),
  mutant('conflict-ends-lease', 'counters.reserve.lease-id-conflicts', (right, { held }) => ({
    async reserve(rows, lease, options) {
      if (held.has(lease.id)) await right.settle(lease.id, { a: 1n }, options)
      return right.reserve(rows, lease, options)
    },
  })),
  mutant('settling-frees-id', 'counters.reserve.settled-id-conflicts', (right) => {
    const lives = new Map<string, number>()
    const life = (id: string): string => `${id} ${lives.get(id) ?? 0}`
    return {
      reserve: (rows, lease, options) => right.reserve(rows, { ...lease, id: life(lease.id) }, options),
      async settle(leaseId, amounts, options) {
        const said = await right.settle(life(leaseId), amounts, options)
        if (said.settled) lives.set(leaseId, (lives.get(leaseId) ?? 0) + 1)
        return said
      },
    }
  }),
  mutant('refusal-takes-id', 'counters.reserve.refused-id-free', (right) => {
    const seen = new Set<string>()
    return {
      async reserve(rows, lease, options) {
        if (seen.has(lease.id)) throw new SwitchyardError('CONFLICT', 'seen before')
        seen.add(lease.id)
        return right.reserve(rows, lease, options)
      },
    }
  }),
  mutant('refusal-leaves-lease', 'counters.reserve.refused-id-free', (right) => ({
    async reserve(rows, lease, options) {
      const said = await right.reserve(rows, lease, options)
      if (!said.granted) await right.reserve([], { ...lease, id: lease.id }, options)
      return said
    },
  })),
  mutant('settle-adds-to-reserved', 'counters.settle.replaces-amounts', (right, beside) =>
    settles(right, beside, (amount, reserved) => (amount === undefined ? undefined : amount + reserved)),
  ),
  mutant('settle-only-lowers', 'counters.settle.replaces-amounts', (right, beside) =>
    settles(right, beside, (amount, reserved) => (amount !== undefined && amount > reserved ? reserved : amount)),
  ),
  mutant('settle-only-raises', 'counters.settle.replaces-amounts', (right, beside) =>
    settles(right, beside, (amount, reserved) => (amount !== undefined && amount < reserved ? reserved : amount)),
  ),
  mutant('settle-says-nothing', 'counters.settle.replaces-amounts', (right) => ({
    async settle(leaseId, amounts, options) {
      await right.settle(leaseId, amounts, options)
      return { settled: false }
    },
  })),
  mutant('forgets-rows-at-zero', 'counters.settle.from-zero', (right, beside) =>
    settles(right, beside, (amount, reserved) => (reserved === 0n ? undefined : amount)),
  ),
  mutant('drops-rows-of-zero', 'counters.settle.from-zero', (right) => ({
    reserve: (rows, lease, options) =>
      right.reserve(
        rows.filter(({ amount }) => amount !== 0n),
        lease,
        options,
      ),
  })),
  mutant('left-out-stays-reserved', 'counters.settle.left-out-counts-zero', (right, beside) =>
    settles(right, beside, (amount, reserved) => amount ?? reserved),
  ),
  mutant('empty-settles-nothing', 'counters.settle.left-out-counts-zero', (right) => ({
    settle: async (leaseId, amounts, options) =>
      Object.keys(amounts).length === 0 ? { settled: true, changes: [] } : right.settle(leaseId, amounts, options),
  })),
  mutant('expiry-takes-settled-back', 'counters.settle.outlasts-lease', (right, { held }) => ({
    async settle(leaseId, amounts, options) {
      const own = held.get(leaseId)
      const said = await right.settle(leaseId, {}, options)
      if (own === undefined || !said.settled) return said
      const rows = own.rows.map((row) => ({ ...row, amount: amounts[row.key] ?? 0n }))
      await right.reserve(rows, { id: `${leaseId} settled`, expiresAt: own.lease.expiresAt })
      return said
    },
  })),
  mutant('settle-stops-at-limit', 'counters.settle.may-pass-limit', (right, beside) =>
    settles(right, beside, (amount, _reserved, key) => {
      const limit = [...beside.held.values()].flatMap(({ rows }) => rows).find((row) => row.key === key)?.limit
      return amount !== undefined && limit !== undefined && amount > limit ? limit : amount
    }),
  ),
  mutant('available-below-zero', 'counters.settle.may-pass-limit', (right) => ({
    async reserve(rows, lease, options) {
      const said = await right.reserve(rows, lease, options)
      if (said.granted) return said
      const [sum = 0n] = await right.read([said.key])
      return { ...said, available: (rows.find(({ key }) => key === said.key)?.limit ?? 0n) - sum }
    },
  })),
  mutant('settles-again', 'counters.settle.once', (right, { add }) => ({
    async settle(leaseId, amounts, options) {
      const said = await right.settle(leaseId, amounts, options)
      if (!said.settled) for (const [key, amount] of Object.entries(amounts)) await add(key, amount)
      return said
    },
  })),
  mutant('always-says-settled', 'counters.settle.once', (right) => ({
    async settle(leaseId, amounts, options) {
      await right.settle(leaseId, amounts, options)
      return { settled: true, changes: [] }
    },
  })),
  mutant('settle-looks-first', 'counters.settle.parallel-once', (right) => {
    const done = new Set<string>()
    return {
      async settle(leaseId, amounts, options) {
        if (done.has(leaseId)) return { settled: false }
        await right.settle(leaseId, amounts, options)
        done.add(leaseId)
        return { settled: true, changes: [] }
      },
    }
  }),
  mutant('settles-after-expiry', 'counters.settle.after-expiry', (right, { held, now, add }) => ({
    async settle(leaseId, amounts, options) {
      const late = (held.get(leaseId)?.lease.expiresAt ?? Number.POSITIVE_INFINITY) <= now()
      if (!late) return right.settle(leaseId, amounts, options)
      for (const [key, amount] of Object.entries(amounts)) await add(key, amount)
      return { settled: true, changes: [] }
    },
  })),
  mutant('late-settle-rejects', 'counters.settle.after-expiry', (right, { held, now }) => ({
    async settle(leaseId, amounts, options) {
      const late = (held.get(leaseId)?.lease.expiresAt ?? Number.POSITIVE_INFINITY) <= now()
      if (late) throw new SwitchyardError('NOT_FOUND', 'expired')
      return right.settle(leaseId, amounts, options)
    },
  })),
  mutant('unknown-lease-rejects', 'counters.settle.unknown-lease', (right, { held }) => ({
    async settle(leaseId, amounts, options) {
      if (!held.has(leaseId)) throw new SwitchyardError('NOT_FOUND', 'unknown lease')
      return right.settle(leaseId, amounts, options)
    },
  })),
  mutant('unknown-lease-counts', 'counters.settle.unknown-lease', (right, { held, add }) => ({
    async settle(leaseId, amounts, options) {
      if (held.has(leaseId)) return right.settle(leaseId, amounts, options)
      for (const [key, amount] of Object.entries(amounts)) await add(key, amount)
      return { settled: true, changes: [] }
    },
  })),
  mutant('drops-foreign-keys', 'counters.settle.foreign-key-invalid', (right, beside) =>
    settles(right, beside, (amount, _reserved, key) =>
      [...beside.held.values()].some(({ rows }) => rows.some((row) => row.key === key)) ? amount : undefined,
    ),
  ),
  mutant('counts-foreign-keys', 'counters.settle.foreign-key-invalid', (right, { held, add }) => ({
    async settle(leaseId, amounts, options) {
      const own = new Set(held.get(leaseId)?.rows.map(({ key }) => key))
      for (const [key, amount] of Object.entries(amounts)) if (!own.has(key)) await add(key, amount)
      return right.settle(leaseId, Object.fromEntries(Object.entries(amounts).filter(([key]) => own.has(key))), options)
    },
  })),
  mutant('rejection-ends-lease', 'counters.settle.foreign-key-invalid', (right) => ({
    async settle(leaseId, amounts, options) {
      try {
        return await right.settle(leaseId, amounts, options)
      } catch (error) {
        await right.settle(leaseId, {}, options)
        throw error
      }
    },
  })),
  mutant('settles-negative-at-zero', 'counters.settle.negative-amount-invalid', (right, beside) =>
    settles(right, beside, (amount) => (amount !== undefined && amount < 0n ? 0n : amount)),
  ),
  mutant('settle-ignores-abort', 'counters.settle.aborted-signal', (right) => ({
    settle: (leaseId, amounts) => right.settle(leaseId, amounts),
  })),
  mutant('abort-ends-lease', 'counters.settle.aborted-signal', (right) => ({
    async settle(leaseId, amounts, options) {
      if (options?.signal?.aborted) await right.settle(leaseId, {})
      return right.settle(leaseId, amounts, options)
    },
  })),
]
