import {
  type Clock,
  type CounterChange,
  type CounterRow,
  type Counters,
  type ExpiredLease,
  type Lease,
  SwitchyardError,
} from '@switchyard/contract'

interface Row {
  settled: bigint
  held: bigint
  readonly expiresAt: number
}

interface Held {
  readonly row: Row
  amount: bigint
  expected: bigint
}

interface FakeLease extends Lease {
  expiresAt: number
  settleUntil: number
  state: 'held' | 'expired' | 'settled'
  readonly held: Map<string, Held>
  changes: readonly CounterChange[]
  listed: boolean
}

/** Counters in memory, by the words of the contract; held to the counters suite like any other. */
export interface FakeCounters extends Counters {
  /** Loses everything, as a store that was emptied. */
  clear(): void
  /** Calls so far, by method. */
  readonly calls: Record<'reserve' | 'settle' | 'renew' | 'read', number>
  /** Rejects every call with this until it is undefined again. */
  failure: unknown
  /** Called before each settle; a promise holds it up. */
  beforeSettle: (() => Promise<void>) | undefined
}

const DAY_MS = 86_400_000

export function fakeCounters(clock: Pick<Clock, 'now'>, shared = false): FakeCounters {
  const rows = new Map<string, Row>()
  const leases = new Map<string, FakeLease>()
  const calls = { reserve: 0, settle: 0, renew: 0, read: 0 }
  const invalid = (message: string): SwitchyardError => new SwitchyardError('INVALID_REQUEST', message)

  function begin(options: { readonly signal?: AbortSignal } | undefined): number {
    if (options?.signal?.aborted === true) {
      const { reason } = options.signal
      throw SwitchyardError.is(reason) ? reason : new SwitchyardError('ABORTED', 'aborted')
    }
    if (fake.failure !== undefined) throw fake.failure
    const now = clock.now()
    for (const lease of [...leases.values()].sort((a, b) => a.expiresAt - b.expiresAt)) {
      if (lease.state === 'held' && lease.expiresAt <= now) expire(lease)
      if (lease.expiresAt <= now && lease.settleUntil + DAY_MS <= now) leases.delete(lease.id)
      else if (lease.state === 'settled' && lease.expiresAt <= now) leases.delete(lease.id)
    }
    return now
  }

  function live(key: string, now: number): Row | undefined {
    const row = rows.get(key)
    if (row !== undefined && row.expiresAt <= now) {
      rows.delete(key)
      return undefined
    }
    return row
  }

  function expire(lease: FakeLease): void {
    lease.state = 'expired'
    lease.changes = replace(lease, lease.expiresAt, ({ expected }) => expected)
    lease.listed = [...lease.held.values()].some(({ expected }) => expected > 0n)
  }

  function replace(lease: FakeLease, now: number, by: (held: Held, key: string) => bigint): readonly CounterChange[] {
    const changes: CounterChange[] = []
    for (const [key, held] of lease.held) {
      const { row } = held
      const before = row.settled
      if (lease.state === 'settled' || lease.changes.length === 0) row.held -= held.amount
      row.settled += by(held, key)
      if (row.expiresAt > now) changes.push({ key, before, after: row.settled })
    }
    return changes
  }

  const fake: FakeCounters = {
    capabilities: Object.freeze({ shared }),
    calls,
    failure: undefined,
    beforeSettle: undefined,
    clear() {
      rows.clear()
      leases.clear()
    },
    async reserve(wanted, lease, options) {
      calls.reserve += 1
      const now = begin(options)
      check(wanted, lease, invalid)
      if (leases.has(lease.id) && (leases.get(lease.id) as FakeLease).expiresAt > now) {
        throw new SwitchyardError('CONFLICT', `${lease.id} is taken`)
      }
      const sums = new Map<string, bigint>()
      for (const { key, amount, limit } of wanted) {
        const row = live(key, now)
        const sum = sums.get(key) ?? (row === undefined ? 0n : row.settled + row.held)
        if (limit !== undefined && sum + amount > limit) {
          const frees = [...leases.values()].filter((one) => one.state === 'held' && one.held.get(key)?.row === row)
          const freesAt = frees.length === 0 ? undefined : Math.min(...frees.map((one) => one.expiresAt))
          return { granted: false, key, available: limit > sum ? limit - sum : 0n, freesAt }
        }
        sums.set(key, sum + amount)
      }
      const held = new Map<string, Held>()
      for (const { key, amount, expected = 0n, expiresAt = Number.POSITIVE_INFINITY } of wanted) {
        const row = live(key, now) ?? { settled: 0n, held: 0n, expiresAt }
        rows.set(key, row)
        row.held += amount
        const own = held.get(key) ?? { row, amount: 0n, expected: 0n }
        own.amount += amount
        own.expected += expected
        held.set(key, own)
      }
      const { settleUntil = lease.expiresAt } = lease
      leases.set(lease.id, { ...lease, settleUntil, state: 'held', held, changes: [], listed: false })
      return { granted: true, sums: wanted.map(({ key }) => sums.get(key) as bigint) }
    },
    async settle(id, amounts, options) {
      calls.settle += 1
      await fake.beforeSettle?.()
      const now = begin(options)
      const lease = leases.get(id)
      if (lease === undefined || lease.state === 'settled') return { settled: false }
      if (lease.state === 'expired' && lease.settleUntil <= now) return { settled: false }
      for (const [key, amount] of Object.entries(amounts)) {
        if (!lease.held.has(key)) throw invalid(`${id} does not hold ${key}`)
        if (amount < 0n) throw invalid('negative')
      }
      const late = lease.state === 'expired'
      const changes: CounterChange[] = []
      for (const [key, held] of lease.held) {
        const before = held.row.settled
        if (late) held.row.settled -= held.expected
        else held.row.held -= held.amount
        held.row.settled += amounts[key] ?? 0n
        if (live(key, now) === held.row) changes.push({ key, before, after: held.row.settled })
      }
      lease.state = 'settled'
      lease.listed = false
      return { settled: true, changes }
    },
    async renew(id, renewal, options) {
      calls.renew += 1
      const now = begin(options)
      const lease = leases.get(id)
      if (lease === undefined || lease.state !== 'held') return { renewed: false }
      if (renewal.expiresAt !== undefined && renewal.expiresAt <= now) throw invalid('past')
      for (const [key, amount] of Object.entries(renewal.amounts ?? {})) {
        if (!lease.held.has(key) || amount < 0n) throw invalid('amounts')
      }
      for (const [key, amount] of Object.entries(renewal.amounts ?? {})) {
        const held = lease.held.get(key) as Held
        held.row.held += amount - held.amount
        held.amount = amount
      }
      lease.expiresAt = renewal.expiresAt ?? lease.expiresAt
      lease.settleUntil = renewal.settleUntil ?? renewal.expiresAt ?? lease.settleUntil
      return { renewed: true }
    },
    async expired(options) {
      begin(options)
      return [...leases.values()]
        .filter(({ listed }) => listed)
        .sort((a, b) => a.expiresAt - b.expiresAt)
        .slice(0, 1_000)
        .map(({ id, expiresAt, note, changes }): ExpiredLease => ({ id, expiredAt: expiresAt, note, changes }))
    },
    async acknowledge(ids, options) {
      begin(options)
      for (const id of ids) {
        const lease = leases.get(id)
        if (lease !== undefined) lease.listed = false
      }
    },
    async read(keys, options) {
      calls.read += 1
      const now = begin(options)
      return keys.map((key) => {
        const row = live(key, now)
        return row === undefined ? 0n : row.settled + row.held
      })
    },
  }
  return fake
}

function check(wanted: readonly CounterRow[], lease: Lease, invalid: (message: string) => SwitchyardError): void {
  if (lease.id === '' || !Number.isFinite(lease.expiresAt)) throw invalid('lease')
  if (lease.settleUntil !== undefined && !(lease.settleUntil >= lease.expiresAt)) throw invalid('settleUntil')
  if ((lease.note ?? '').length > 4_096) throw invalid('note')
  for (const { key, amount, expected = 0n, expiresAt } of wanted) {
    if (key === '' || amount < 0n || expected < 0n || Number.isNaN(expiresAt)) throw invalid('row')
  }
}
