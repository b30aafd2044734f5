import type { Counters, ExpiredLease } from '@switchyard/contract'
import { SwitchyardError } from '@switchyard/contract'

interface Kept {
  state: 'open' | 'expired' | 'settled'
  expiresAt: number
  settleUntil: number | undefined
  listed: Omit<ExpiredLease, 'id'> | undefined
  readonly note: string | undefined
  readonly rows: Map<string, { readonly ends: number; held: bigint; settled: bigint; readonly expected: bigint }>
}

const DAY_MS = 86_400_000

/** The port in the plainest way: a lease remembers all that it put where, and a sum asks every lease that there ever was. */
export function plainCounters(now: () => number): Omit<Counters, 'capabilities'> {
  const leases: [string, Kept][] = []

  const late = ({ expiresAt, settleUntil = expiresAt }: Kept): number => Math.max(expiresAt, settleUntil)
  const sum = (key: string, at: number, part: 'both' | 'settled' = 'both'): bigint =>
    leases.reduce((total, [, { rows }]) => {
      const row = rows.get(key)
      if (row === undefined || row.ends <= at) return total
      return total + row.settled + (part === 'both' ? row.held : 0n)
    }, 0n)
  const known = (id: string): Kept | undefined =>
    leases.findLast(([other, lease]) => {
      const until = { open: lease.expiresAt, settled: lease.expiresAt, expired: late(lease) + (lease.listed ? DAY_MS : 0) }
      return other === id && until[lease.state] > now()
    })?.[1]

  function put(lease: Kept, amounts: ReadonlyMap<string, bigint>, at: number) {
    const alive = [...lease.rows].filter(([, { ends }]) => ends > at)
    return alive.map(([key, row]) => {
      const before = sum(key, at, 'settled')
      row.held = 0n
      row.settled = amounts.get(key) ?? 0n
      return { key, before, after: sum(key, at, 'settled') }
    })
  }

  function expire(): void {
    const due = leases.filter(([, { state, expiresAt }]) => state === 'open' && expiresAt <= now())
    for (const [, lease] of due.sort(([, one], [, other]) => one.expiresAt - other.expiresAt)) {
      const expected = new Map([...lease.rows].map(([key, row]) => [key, row.expected] as const))
      const changes = put(lease, expected, lease.expiresAt)
      lease.state = 'expired'
      const charged = [...expected.values()].some((amount) => amount > 0n)
      lease.listed = charged ? { expiredAt: lease.expiresAt, note: lease.note, changes } : undefined
    }
  }

  function check(lease: Kept, amounts: Readonly<Record<string, bigint>>): Map<string, bigint> {
    for (const key of Object.keys(amounts)) if (!lease.rows.has(key)) throw new SwitchyardError('INVALID_REQUEST', key)
    return new Map(Object.entries(amounts))
  }

  return {
    async reserve(rows, { id, expiresAt, settleUntil, note }) {
      expire()
      if (known(id) !== undefined) throw new SwitchyardError('CONFLICT', id)
      const taken: Kept['rows'] = new Map()
      for (const { key, amount, limit, expected = 0n, expiresAt: ends = Number.POSITIVE_INFINITY } of rows) {
        const own = taken.get(key) ?? { ends, held: 0n, settled: 0n, expected: 0n }
        const left = limit === undefined ? amount : limit - sum(key, now()) - own.held
        if (left < amount) {
          const holders = leases.filter(([, { state, rows: held }]) => state === 'open' && (held.get(key)?.ends ?? 0) > now())
          const freesAt = holders.length === 0 ? undefined : Math.min(...holders.map(([, { expiresAt: at }]) => at))
          return { granted: false, key, available: left > 0n ? left : 0n, freesAt }
        }
        taken.set(key, { ...own, held: own.held + amount, expected: own.expected + expected })
      }
      leases.push([id, { state: 'open', expiresAt, settleUntil, note, listed: undefined, rows: taken }])
      return { granted: true, sums: rows.map(({ key }) => sum(key, now())) }
    },
    async settle(id, amounts) {
      expire()
      const lease = known(id)
      if (lease === undefined || lease.state === 'settled') return { settled: false }
      if (lease.state === 'expired' && late(lease) <= now()) return { settled: false }
      const changes = put(lease, check(lease, amounts), now())
      lease.state = 'settled'
      lease.listed = undefined
      return { settled: true, changes }
    },
    async renew(id, { expiresAt, settleUntil, amounts = {} }) {
      expire()
      const lease = known(id)
      if (lease?.state !== 'open') return { renewed: false }
      const given = check(lease, amounts)
      if (expiresAt !== undefined && expiresAt <= now()) throw new SwitchyardError('INVALID_REQUEST', id)
      for (const [key, amount] of given) (lease.rows.get(key) as { held: bigint }).held = amount
      lease.expiresAt = expiresAt ?? lease.expiresAt
      lease.settleUntil = settleUntil ?? lease.settleUntil
      return { renewed: true }
    },
    async expired() {
      expire()
      return leases.flatMap(([id, lease]) => (lease.listed && known(id) === lease ? [{ id, ...lease.listed }] : []))
    },
    async acknowledge(ids) {
      expire()
      for (const id of ids) {
        const lease = known(id)
        if (lease !== undefined) lease.listed = undefined
      }
    },
    async read(keys) {
      expire()
      return keys.map((key) => sum(key, now()))
    },
  }
}
