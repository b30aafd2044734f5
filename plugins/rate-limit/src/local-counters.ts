import { type Clock, type CounterRow, type Counters, type Lease, SwitchyardError } from '@switchyard/contract'

interface Held {
  expiresAt: number
  amounts: Map<string, bigint> | undefined
}

/** Leases held at once; beyond it a reserve rejects. */
const MOST_LEASES = 200_000

/** What of the port limits use. */
export type LimitCounters = Pick<Counters, 'reserve' | 'settle' | 'renew' | 'read'>

/**
 * Counters of this process, for while the real ones cannot be reached. Leases of one duration expire in the order they were made, so each
 * duration has a queue of its own, and what is due stands at the head. Rejects `OVERLOADED` above 200,000 leases.
 */
export function localCounters(clock: Pick<Clock, 'now'>): LimitCounters {
  const sums = new Map<string, bigint>()
  const leases = new Map<string, { readonly held: Held; queue: Map<string, Held> }>()
  const queues = new Map<number, Map<string, Held>>()

  function sweep(now: number): void {
    for (const [duration, queue] of queues) {
      for (const [id, held] of queue) {
        if (held.expiresAt > now) break
        queue.delete(id)
        leases.delete(id)
        release(held)
      }
      if (queue.size === 0) queues.delete(duration)
    }
  }

  function add(key: string, amount: bigint): void {
    const sum = (sums.get(key) ?? 0n) + amount
    if (sum === 0n) sums.delete(key)
    else sums.set(key, sum)
  }

  function release(held: Held): void {
    for (const [key, amount] of held.amounts ?? []) add(key, -amount)
    held.amounts = undefined
  }

  function enqueue(id: string, held: Held, now: number): void {
    const duration = held.expiresAt - now
    const queue = queues.get(duration) ?? new Map<string, Held>()
    queues.set(duration, queue)
    queue.set(id, held)
    leases.set(id, { held, queue })
  }

  function freesAt(key: string): number | undefined {
    let first: number | undefined
    for (const queue of queues.values()) {
      for (const { expiresAt, amounts } of queue.values()) {
        if (amounts === undefined || !amounts.has(key)) continue
        if (first === undefined || expiresAt < first) first = expiresAt
        break
      }
    }
    return first
  }

  return {
    async reserve(rows: readonly CounterRow[], lease: Lease) {
      const now = clock.now()
      sweep(now)
      for (const { key, amount, limit } of rows) {
        const sum = sums.get(key) ?? 0n
        if (limit === undefined || sum + amount <= limit) continue
        return { granted: false, key, available: limit > sum ? limit - sum : 0n, freesAt: freesAt(key) }
      }
      if (leases.size >= MOST_LEASES) throw full()
      const amounts = new Map<string, bigint>()
      for (const { key, amount } of rows) {
        amounts.set(key, amount)
        add(key, amount)
      }
      enqueue(lease.id, { expiresAt: lease.expiresAt, amounts }, now)
      return { granted: true, sums: rows.map(({ key }) => sums.get(key) ?? 0n) }
    },

    async settle(leaseId, settled) {
      sweep(clock.now())
      const found = leases.get(leaseId)
      if (found?.held.amounts === undefined) return { settled: false }
      for (const key of Object.keys(settled)) add(key, settled[key] as bigint)
      release(found.held)
      found.queue.delete(leaseId)
      leases.delete(leaseId)
      return { settled: true, changes: [] }
    },

    async renew(leaseId, { expiresAt, amounts = {} }) {
      const now = clock.now()
      sweep(now)
      const found = leases.get(leaseId)
      if (found?.held.amounts === undefined) return { renewed: false }
      for (const [key, amount] of Object.entries(amounts)) {
        add(key, amount - (found.held.amounts.get(key) ?? 0n))
        found.held.amounts.set(key, amount)
      }
      if (expiresAt !== undefined) {
        found.queue.delete(leaseId)
        found.held.expiresAt = expiresAt
        enqueue(leaseId, found.held, now)
      }
      return { renewed: true }
    },

    async read(keys) {
      sweep(clock.now())
      return keys.map((key) => sums.get(key) ?? 0n)
    },
  }
}

function full(): SwitchyardError {
  return new SwitchyardError(
    'OVERLOADED',
    `the local counters of rate limits hold ${MOST_LEASES} calls; bring the shared counters back`,
    { details: { guard: 'rate-limit', sent: false } },
  )
}
