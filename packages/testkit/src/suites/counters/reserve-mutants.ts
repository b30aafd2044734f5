import type { Counters } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { confusesKeys, mutant, relimited, reserves } from './wrap.ts'

const round = (amount: bigint): bigint => BigInt(Number(amount))

export const reserveMutants: readonly Mutant<Counters>[] = [
  mutant('shared-left-open', 'counters.capabilities.well-formed', () => ({
    capabilities: {} as Counters['capabilities'],
  })),
  mutant('unknown-reads-undefined', 'counters.read.unknown-key-zero', (right) => ({
    read: async (keys, options) => (await right.read(keys, options)).map((sum) => sum || (undefined as unknown as bigint)),
  })),
  mutant('reads-in-key-order', 'counters.read.order-of-keys', (right) => ({
    read: (keys, options) => right.read([...keys].sort(), options),
  })),
  mutant('reads-a-key-once', 'counters.read.order-of-keys', (right) => ({
    read: (keys, options) => right.read([...new Set(keys)], options),
  })),
  mutant('reads-the-known-only', 'counters.read.order-of-keys', (right) => ({
    read: async (keys, options) => (await right.read(keys, options)).filter((sum) => sum !== 0n),
  })),
  mutant('keeps-last-amount', 'counters.reserve.adds-up', (right) => {
    const last = new Map<string, bigint>()
    return {
      reserve(rows, lease, options) {
        for (const { key, amount } of rows) last.set(key, amount)
        return right.reserve(rows, lease, options)
      },
      read: async (keys, options) => (await right.read(keys, options)).map((sum, at) => last.get(keys[at] as string) ?? sum),
    }
  }),
  mutant('reads-settled-only', 'counters.reserve.adds-up', (right) => {
    let settled = false
    return {
      settle(leaseId, amounts, options) {
        settled = true
        return right.settle(leaseId, amounts, options)
      },
      read: async (keys, options) => (settled ? right.read(keys, options) : keys.map(() => 0n)),
    }
  }),
  mutant('stops-one-short', 'counters.reserve.reaches-limit', (right) =>
    reserves(right, (row) => relimited(row, (limit) => limit - 1n)),
  ),
  mutant('lets-one-more', 'counters.reserve.passes-no-limit', (right) =>
    reserves(right, (row) => relimited(row, (limit) => limit + 1n)),
  ),
  mutant('says-limit-for-available', 'counters.reserve.passes-no-limit', (right) => ({
    async reserve(rows, lease, options) {
      const said = await right.reserve(rows, lease, options)
      if (said.granted) return said
      return { ...said, available: rows.find(({ key }) => key === said.key)?.limit ?? 0n }
    },
  })),
  mutant('checks-amount-alone', 'counters.reserve.passes-no-limit', (right) => ({
    reserve: (rows, lease, options) =>
      right.reserve(
        rows.map((row) => relimited(row, (limit) => (row.amount <= limit ? limit + 10n ** 15n : limit))),
        lease,
        options,
      ),
  })),
  mutant('takes-zero-limit-for-none', 'counters.reserve.zero-limit', (right) =>
    reserves(right, (row) => (row.limit === 0n ? { ...row, limit: 10n ** 18n } : row)),
  ),
  mutant('refuses-at-limit', 'counters.reserve.zero-limit', (right) => ({
    async reserve(rows, lease, options) {
      for (const [at, sum] of (await right.read(rows.map(({ key }) => key))).entries()) {
        const row = rows[at]
        if (row?.limit !== undefined && sum >= row.limit) return { granted: false, key: row.key, available: 0n }
      }
      return right.reserve(rows, lease, options)
    },
  })),
  mutant('keeps-first-limit', 'counters.reserve.limit-of-each-call', (right) => {
    const first = new Map<string, bigint>()
    return reserves(right, (row) => {
      const limit = first.get(row.key) ?? row.limit
      if (limit !== undefined) first.set(row.key, limit)
      return relimited(row, () => limit as bigint)
    })
  }),
  mutant('goes-row-by-row', 'counters.reserve.all-or-nothing', (right) => ({
    async reserve(rows, lease, options) {
      for (const [at, row] of rows.entries()) {
        const said = await right.reserve([row], { ...lease, id: `${lease.id} ${at}` }, options)
        if (!said.granted) return said
      }
      return { granted: true, sums: [] }
    },
  })),
  mutant('adds-after-refusal', 'counters.reserve.all-or-nothing', (right, { ownLease }) => ({
    async reserve(rows, lease, options) {
      const said = await right.reserve(rows, lease, options)
      if (said.granted) return said
      const refusedAt = rows.findIndex(({ key }) => key === said.key)
      await right.reserve(rows.slice(refusedAt + 1), ownLease(), options)
      return said
    },
  })),
  mutant('names-last-refusing-row', 'counters.reserve.first-refusing-row', (right) => ({
    reserve: (rows, lease, options) => right.reserve([...rows].reverse(), lease, options),
  })),
  mutant('names-first-row', 'counters.reserve.first-refusing-row', (right) => ({
    async reserve(rows, lease, options) {
      const said = await right.reserve(rows, lease, options)
      return said.granted ? said : { ...said, key: rows[0]?.key ?? '' }
    },
  })),
  mutant('last-of-repeated-key-wins', 'counters.reserve.repeated-key-adds-up', (right) => ({
    reserve: (rows, lease, options) => right.reserve([...new Map(rows.map((row) => [row.key, row])).values()], lease, options),
  })),
  mutant('checks-repeated-rows-alone', 'counters.reserve.repeated-key-adds-up', (right) => ({
    reserve: (rows, lease, options) =>
      right.reserve(
        rows.map((row, at) => {
          const before = rows.slice(0, at).filter(({ key }) => key === row.key)
          return relimited(row, (given) => before.reduce((limit, { amount }) => limit + amount, given))
        }),
        lease,
        options,
      ),
  })),
  mutant('takes-negative-for-zero', 'counters.reserve.negative-amount-invalid', (right) =>
    reserves(right, (row) => (row.amount < 0n ? { ...row, amount: 0n } : row)),
  ),
  mutant('adds-before-it-checks', 'counters.reserve.negative-amount-invalid', (right, { ownLease }) => ({
    async reserve(rows, lease, options) {
      const before = rows.slice(
        0,
        Math.max(
          0,
          rows.findIndex(({ amount }) => amount < 0n),
        ),
      )
      if (before.length > 0) await right.reserve(before, ownLease(), options)
      return right.reserve(rows, lease, options)
    },
  })),
  mutant('counts-in-doubles', 'counters.reserve.exact-beyond-doubles', (right) => ({
    ...reserves(right, (row) => relimited({ ...row, amount: round(row.amount) }, round)),
    read: async (keys, options) => (await right.read(keys, options)).map(round),
  })),
  mutant('compares-in-doubles', 'counters.reserve.exact-beyond-doubles', (right) => ({
    async reserve(rows, lease, options) {
      const said = await right.reserve(rows, lease, options)
      if (said.granted) return said
      const row = rows.find(({ key }) => key === said.key)
      const sum = (row?.limit ?? 0n) - said.available
      const fits = row?.limit !== undefined && Number(sum) + Number(row.amount) <= Number(row.limit)
      return fits ? { granted: true, sums: [] } : said
    },
  })),
  mutant('folds-case-of-keys', 'counters.reserve.keys-distinct', (right) => confusesKeys(right, (key) => key.toLowerCase())),
  mutant('normalises-keys', 'counters.reserve.keys-distinct', (right) => confusesKeys(right, (key) => key.normalize('NFC'))),
  mutant('cuts-keys-at-colon', 'counters.reserve.keys-distinct', (right) =>
    confusesKeys(right, (key) => key.replace(/(:[^:]*):.*/s, '$1')),
  ),
  mutant('collects-amounts-in-plain-object', 'counters.reserve.keys-distinct', (right) => ({
    settle(leaseId, amounts, options) {
      const own: Record<string, bigint> = {}
      for (const [key, amount] of Object.entries(amounts)) own[key] = amount
      return right.settle(leaseId, own, options)
    },
  })),
  mutant('reserve-ignores-abort', 'counters.reserve.aborted-signal', (right) => ({
    reserve: (rows, lease) => right.reserve(rows, lease),
  })),
  mutant('reserve-looks-at-abort-too-late', 'counters.reserve.aborted-signal', (right) => ({
    async reserve(rows, lease, options) {
      const said = await right.reserve(rows, lease)
      await right.read([], options)
      return said
    },
  })),
  mutant('read-ignores-abort', 'counters.read.aborted-signal', (right) => ({ read: (keys) => right.read(keys) })),
  mutant('read-rejects-raw-reason', 'counters.read.aborted-signal', (right) => ({
    async read(keys, options) {
      options?.signal?.throwIfAborted()
      return right.read(keys)
    },
  })),
]
