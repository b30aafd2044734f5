import { type Clock, type CounterRow, type Counters, SwitchyardError } from '@switchyard/contract'

interface PlainLease {
  readonly id: string
  expiresAt: number
  amounts: Record<string, bigint>
  live: boolean
}

/** Counters as plain as can be: a list of leases, summed up at every question. May be made to fail. */
export interface PlainCounters extends Counters {
  /** While true every call rejects; with `after`, once it was carried out. */
  away: false | 'before' | 'after'
  /** Leases that count now. */
  live(): number
  /** Sum of all keys that hold `part`. */
  sum(part: string): number
  /** Calls so far, by method. */
  readonly calls: Record<'reserve' | 'settle' | 'renew' | 'read', number>
}

export function plainCounters(clock: Pick<Clock, 'now'>): PlainCounters {
  let leases: PlainLease[] = []
  const calls = { reserve: 0, settle: 0, renew: 0, read: 0 }

  const sumOf = (key: string): bigint =>
    leases.filter(({ live }) => live).reduce((sum, { amounts }) => sum + (amounts[key] ?? 0n), 0n)

  async function doing<T>(what: keyof typeof calls, act: () => T): Promise<T> {
    calls[what]++
    if (counters.away === 'before') throw gone()
    leases = leases.filter(({ expiresAt }) => expiresAt > clock.now())
    const done = act()
    if (counters.away === 'after') throw gone()
    return done
  }

  function checkShard(rows: readonly CounterRow[], id: string): void {
    const tags = new Set([...rows.map(({ key }) => key), id].map((text) => /\{([^}]+)\}/.exec(text)?.[1] ?? text))
    if (tags.size > 1) throw new SwitchyardError('INVALID_REQUEST', `several shards in one reserve: ${[...tags].join(', ')}`)
  }

  const counters: PlainCounters = {
    away: false,
    calls,
    capabilities: { shared: true },
    live: () => leases.filter(({ live, expiresAt }) => live && expiresAt > clock.now()).length,
    sum(part) {
      leases = leases.filter(({ expiresAt }) => expiresAt > clock.now())
      const keys = new Set(leases.flatMap(({ amounts }) => Object.keys(amounts)).filter((key) => key.includes(part)))
      return [...keys].reduce((sum, key) => sum + Number(sumOf(key)), 0)
    },
    reserve: (rows, { id, expiresAt }) =>
      doing('reserve', () => {
        checkShard(rows, id)
        if (leases.some((lease) => lease.id === id)) throw new SwitchyardError('CONFLICT', `lease ${id} is taken`)
        for (const { key, amount, limit } of rows) {
          const sum = sumOf(key)
          if (limit === undefined || sum + amount <= limit) continue
          const holders = leases.filter(({ live, amounts }) => live && amounts[key] !== undefined)
          const freesAt = holders.length === 0 ? undefined : Math.min(...holders.map((lease) => lease.expiresAt))
          return { granted: false, key, available: limit > sum ? limit - sum : 0n, freesAt } as const
        }
        leases.push({ id, expiresAt, live: true, amounts: Object.fromEntries(rows.map(({ key, amount }) => [key, amount])) })
        return { granted: true, sums: rows.map(({ key }) => sumOf(key)) } as const
      }),
    settle: (id) =>
      doing('settle', () => {
        const lease = leases.find((one) => one.id === id && one.live)
        if (lease === undefined) return { settled: false }
        lease.live = false
        return { settled: true, changes: [] }
      }),
    renew: (id, { expiresAt, amounts }) =>
      doing('renew', () => {
        const lease = leases.find((one) => one.id === id && one.live)
        if (lease === undefined) return { renewed: false }
        for (const key of Object.keys(amounts ?? {})) {
          if (lease.amounts[key] === undefined) throw new SwitchyardError('INVALID_REQUEST', `lease ${id} holds no ${key}`)
        }
        if (Object.values(amounts ?? {}).some((amount) => amount < 0n)) throw new SwitchyardError('INVALID_REQUEST', 'below 0')
        lease.amounts = { ...lease.amounts, ...amounts }
        lease.expiresAt = expiresAt ?? lease.expiresAt
        return { renewed: true }
      }),
    expired: async () => [],
    acknowledge: async () => {},
    read: (keys) => doing('read', () => keys.map(sumOf)),
  }
  return counters
}

function gone(): SwitchyardError {
  return new SwitchyardError('UPSTREAM_UNAVAILABLE', 'the counters are gone')
}
