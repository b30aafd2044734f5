import { type CallOptions, type CounterRow, type Counters, SwitchyardError } from '@switchyard/contract'

interface Entry {
  readonly key: string
  readonly amount: bigint
  /** Epoch ms from which it counts no more: the end of its lease or of its window, whichever is first. */
  readonly until: number
  /** Undefined once settled. */
  readonly lease: string | undefined
}

/** The port in the plainest way: a list of all that ever happened, added up anew for every question. */
export function plainCounters(now: () => number): Counters {
  let entries: readonly Entry[] = []
  const leases = new Map<string, { readonly expiresAt: number; readonly rows: readonly CounterRow[]; open: boolean }>()
  const begin = (options: CallOptions | undefined): void => {
    if (options?.signal?.aborted) throw new SwitchyardError('ABORTED', 'aborted before it began')
    entries = entries.filter(({ until }) => until > now())
    for (const [id, { expiresAt }] of leases) if (expiresAt <= now()) leases.delete(id)
  }
  const add = (total: bigint, { amount }: { readonly amount: bigint }): bigint => total + amount
  const sum = (list: readonly Entry[], key: string): bigint => list.filter((entry) => entry.key === key).reduce(add, 0n)
  const nonNegative = (amounts: Iterable<bigint>): void => {
    for (const amount of amounts) if (amount < 0n) throw new SwitchyardError('INVALID_REQUEST', `${amount} is below 0`)
  }
  const entryOf = ({ key, amount, expiresAt = Number.POSITIVE_INFINITY }: CounterRow, lease: string, end: number): Entry => ({
    key,
    amount,
    lease,
    until: Math.min(end, expiresAt),
  })
  return {
    capabilities: { shared: false },
    async reserve(rows, lease, options) {
      begin(options)
      nonNegative(rows.map(({ amount }) => amount))
      if (leases.has(lease.id)) throw new SwitchyardError('CONFLICT', `${lease.id} is taken`)
      let after = entries
      for (const row of rows) {
        const left = row.limit - sum(after, row.key)
        if (row.amount > left) return { granted: false, key: row.key, available: left > 0n ? left : 0n }
        after = [...after, entryOf(row, lease.id, lease.expiresAt)]
      }
      entries = after
      leases.set(lease.id, { expiresAt: lease.expiresAt, rows, open: true })
      return { granted: true }
    },
    async settle(leaseId, amounts, options) {
      begin(options)
      const lease = leases.get(leaseId)
      if (lease === undefined || !lease.open) return { settled: false }
      const { rows } = lease
      const foreign = Object.keys(amounts).find((key) => !rows.some((row) => row.key === key))
      if (foreign !== undefined) throw new SwitchyardError('INVALID_REQUEST', `${foreign} is not of this lease`)
      nonNegative(Object.values(amounts))
      const settled = Object.entries(amounts).map(([key, amount]): Entry => {
        const until = rows.find((row) => row.key === key)?.expiresAt ?? Number.POSITIVE_INFINITY
        return { key, amount, lease: undefined, until }
      })
      entries = [...entries.filter((entry) => entry.lease !== leaseId), ...settled]
      lease.open = false
      return { settled: true }
    },
    async read(keys, options) {
      begin(options)
      return keys.map((key) => sum(entries, key))
    },
  }
}
