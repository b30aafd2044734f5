import {
  type CallOptions,
  type CounterChange,
  type CounterRow,
  type Counters,
  type ExpiredLease,
  type Lease,
  SwitchyardError,
} from '@switchyard/contract'

interface Entry {
  readonly key: string
  readonly amount: bigint
  /** Epoch ms from which it counts no more: the end of its window. */
  readonly until: number
  readonly lease: string
  readonly settled: boolean
}

interface Held {
  readonly rows: readonly CounterRow[]
  readonly lease: Lease
  state: 'open' | 'expired' | 'settled'
  listed: ExpiredLease | undefined
}

const DAY_MS = 86_400_000
const NEVER = Number.POSITIVE_INFINITY

/** The port in the plainest way: a list of all that ever happened, added up anew for every question. */
export function plainCounters(now: () => number): Counters {
  let entries: readonly Entry[] = []
  const leases = new Map<string, Held>()

  const settleUntil = ({ expiresAt, settleUntil: until = expiresAt }: Lease): number => Math.max(expiresAt, until)
  const invalid = (message: string): SwitchyardError => new SwitchyardError('INVALID_REQUEST', message)
  const sum = (key: string, list = entries): bigint =>
    list.filter((entry) => entry.key === key).reduce((total, { amount }) => total + amount, 0n)
  const settledSum = (key: string): bigint =>
    sum(
      key,
      entries.filter(({ settled }) => settled),
    )
  const windowEnd = (rows: readonly CounterRow[], key: string): number =>
    rows.find((row) => row.key === key)?.expiresAt ?? NEVER

  function begin(options: CallOptions | undefined): void {
    if (options?.signal?.aborted) throw new SwitchyardError('ABORTED', 'aborted before it began')
    const due = [...leases.values()].filter(({ state, lease }) => state === 'open' && lease.expiresAt <= now())
    for (const held of due.sort((one, other) => one.lease.expiresAt - other.lease.expiresAt)) expire(held)
    passUntil(now())
    for (const [id, { lease, state, listed }] of leases) {
      const end = state === 'settled' ? lease.expiresAt : settleUntil(lease) + (listed === undefined ? 0 : DAY_MS)
      if (state === 'open' || end > now()) continue
      unlink(id)
      leases.delete(id)
    }
  }

  /** Its amounts stay, but no later lease of this id may take them away. */
  function unlink(id: string): void {
    entries = entries.map((one) => (one.lease === id ? { ...one, lease: '' } : one))
  }

  function passUntil(at: number): void {
    entries = entries.filter(({ until }) => until > at)
  }

  function expire(held: Held): void {
    const { id, expiresAt, note } = held.lease
    passUntil(expiresAt)
    const expected = new Map<string, bigint>()
    for (const row of held.rows) expected.set(row.key, (expected.get(row.key) ?? 0n) + (row.expected ?? 0n))
    const changes = replace(held, expected, expiresAt)
    held.state = 'expired'
    const charged = [...expected.values()].some((amount) => amount > 0n)
    held.listed = charged ? { id, expiredAt: expiresAt, note, changes } : undefined
  }

  /** Puts settled amounts in place of all that the lease has, and says how the settled sums changed. */
  function replace({ rows, lease }: Held, amounts: ReadonlyMap<string, bigint>, at: number): CounterChange[] {
    const keys = [...new Set(rows.map(({ key }) => key))].filter((key) => windowEnd(rows, key) > at)
    const before = keys.map(settledSum)
    entries = [
      ...entries.filter((entry) => entry.lease !== lease.id),
      ...keys.map((key) => entry(rows, key, amounts.get(key) ?? 0n, lease.id, true)),
    ]
    return keys.map((key, place) => ({ key, before: before[place] ?? 0n, after: settledSum(key) }))
  }

  function entry(rows: readonly CounterRow[], key: string, amount: bigint, lease: string, settled: boolean): Entry {
    return { key, amount, lease, settled, until: windowEnd(rows, key) }
  }

  function check({ rows }: Held, amounts: Readonly<Record<string, bigint>>): Map<string, bigint> {
    for (const [key, amount] of Object.entries(amounts)) {
      if (!rows.some((row) => row.key === key)) throw invalid(`${key} is not of this lease`)
      if (amount < 0n) throw invalid(`${amount} is below 0`)
    }
    return new Map(Object.entries(amounts))
  }

  function freesAt(key: string): number | undefined {
    const open = [...leases.values()].filter(({ state, rows }) => state === 'open' && rows.some((row) => row.key === key))
    return open.length === 0 ? undefined : Math.min(...open.map(({ lease }) => lease.expiresAt))
  }

  return {
    capabilities: { shared: false },
    async reserve(rows, lease, options) {
      begin(options)
      if (rows.some(({ amount, expected = 0n }) => amount < 0n || expected < 0n)) throw invalid('an amount is below 0')
      if ((lease.settleUntil ?? NEVER) < lease.expiresAt) throw invalid('settleUntil is before expiresAt')
      if ((lease.note ?? '').length > 4096) throw invalid('the note is too long')
      if (leases.has(lease.id)) throw new SwitchyardError('CONFLICT', `${lease.id} is taken`)
      let after = entries
      for (const { key, amount, limit } of rows) {
        const left = limit === undefined ? amount : limit - sum(key, after)
        if (amount > left) return { granted: false, key, available: left > 0n ? left : 0n, freesAt: freesAt(key) }
        after = [...after, entry(rows, key, amount, lease.id, false)]
      }
      entries = after
      leases.set(lease.id, { rows, lease, state: 'open', listed: undefined })
      return { granted: true, sums: rows.map(({ key }) => sum(key)) }
    },
    async settle(leaseId, amounts, options) {
      begin(options)
      const held = leases.get(leaseId)
      if (held === undefined || held.state === 'settled') return { settled: false }
      if (held.state === 'expired' && settleUntil(held.lease) <= now()) return { settled: false }
      const changes = replace(held, check(held, amounts), now())
      held.state = 'settled'
      held.listed = undefined
      unlink(leaseId)
      return { settled: true, changes }
    },
    async renew(leaseId, { amounts = {}, ...times }, options) {
      begin(options)
      const held = leases.get(leaseId)
      if (held?.state !== 'open') return { renewed: false }
      if ((times.expiresAt ?? NEVER) <= now()) throw invalid('expiresAt has passed')
      for (const [key, amount] of check(held, amounts)) {
        if (windowEnd(held.rows, key) <= now()) continue
        const others = entries.filter((one) => one.lease !== leaseId || one.key !== key)
        entries = [...others, entry(held.rows, key, amount, leaseId, false)]
      }
      leases.set(leaseId, { ...held, lease: { ...held.lease, ...times } })
      return { renewed: true }
    },
    async expired(options) {
      begin(options)
      const listed = [...leases.values()].flatMap((held) => held.listed ?? [])
      return listed.sort((one, other) => one.expiredAt - other.expiredAt).slice(0, 1000)
    },
    async acknowledge(leaseIds, options) {
      begin(options)
      for (const id of leaseIds) {
        const held = leases.get(id)
        if (held !== undefined) held.listed = undefined
      }
    },
    async read(keys, options) {
      begin(options)
      return keys.map((key) => sum(key))
    },
  }
}
