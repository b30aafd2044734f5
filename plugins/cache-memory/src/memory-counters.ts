import type { CallOptions, Clock, CounterChange, CounterRow, Counters, ExpiredLease, Reservation } from '@switchyard/contract'
import { amountsOf, checkRenewal, checkReserve, overloaded, taken } from './counter-checks.ts'
import { counterRows, type Hold, moveHold, type Row } from './counter-rows.ts'
import { throwIfAborted } from './errors.ts'
import { type Expiring, expiryHeap } from './expiry-heap.ts'

const DAY_MS = 86_400_000
const MAX_LISTED = 1000
const NONE: readonly Hold[] = Object.freeze([])

interface HeldLease extends Expiring {
  readonly kind: 'lease'
  readonly id: string
  /** `settled` keeps the id taken; `expired` is listed, or may be settled late, or both. */
  state: 'open' | 'settled' | 'expired'
  holds: readonly Hold[]
  /** Epoch ms of what happens to it next. */
  expiresAt: number
  /** Epoch ms; anything up to its expiry is never. */
  settleUntil: number
  note: string | undefined
}

export interface MemoryCountersOptions {
  readonly maxCounters: number
  readonly maxLeases: number
  readonly clock: Pick<Clock, 'now'>
}

/** Counters in this process, and what they hold. */
export interface MemoryCounters extends Counters {
  /** Rows and leases held now, expired ones that were not yet swept included. */
  usage(): { readonly rows: number; readonly leases: number; readonly expiring: number }
  /** Drops every row and lease. */
  clear(): void
}

/**
 * Makes empty counters. Every call is atomic, since it runs without a break. Expired rows and leases go at the next call of any
 * kind, in the order of their expiries, and a row with no expiry goes when it is back at zero; there are no timers. A row keeps
 * the expiry it was started with. The id of a lease that is listed or may be settled late stays taken. Beyond `maxCounters` rows
 * or `maxLeases` leases, `reserve` rejects `OVERLOADED`.
 */
export function memoryCounters({ maxCounters, maxLeases, clock }: MemoryCountersOptions): MemoryCounters {
  const expiring = expiryHeap<Row | HeldLease>()
  const rows = counterRows((row) => expiring.add(row))
  const leases = new Map<string, HeldLease>()
  /** In the order of their expiries, since they expire in it. */
  const listed = new Map<string, ExpiredLease>()

  function begin(options: CallOptions | undefined): number {
    throwIfAborted(options)
    const now = clock.now()
    for (let due = expiring.takeDue(now); due !== undefined; due = expiring.takeDue(now)) {
      if (due.kind === 'row') rows.pass(due)
      else if (due.state === 'open') expire(due)
      else drop(due)
    }
    return now
  }

  function expire(lease: HeldLease): void {
    const { id, holds, expiresAt, note } = lease
    const settleUntil = Math.max(lease.settleUntil, expiresAt)
    const changes: CounterChange[] = []
    let charged = false
    for (const hold of holds) {
      charged ||= hold.expected > 0n
      const change = rows.settle(hold, hold.expected, expiresAt)
      if (change !== undefined) changes.push(change)
    }
    if (!charged && settleUntil === expiresAt) {
      drop(lease)
      return
    }
    if (charged) listed.set(id, { id, expiredAt: expiresAt, note, changes })
    lease.state = 'expired'
    lease.settleUntil = settleUntil
    lease.expiresAt = charged ? settleUntil + DAY_MS : settleUntil
    expiring.add(lease)
  }

  /** Forgets a lease that is in the heap no more. */
  function drop(lease: HeldLease): void {
    leases.delete(lease.id)
    listed.delete(lease.id)
    for (const hold of lease.holds) rows.release(hold)
  }

  /** The first row that refuses, or how many rows would be started. */
  function weigh(wanted: readonly CounterRow[]): Reservation | number {
    let started = 0
    for (let at = 0; at < wanted.length; at += 1) {
      const { key, amount, limit } = wanted[at] as CounterRow
      const row = rows.byKey.get(key)
      let sum = row?.sum ?? 0n
      let first = true
      for (let before = 0; before < at; before += 1) {
        const other = wanted[before] as CounterRow
        if (other.key !== key) continue
        sum += other.amount
        first = false
      }
      if (limit !== undefined && sum + amount > limit) {
        const available = limit > sum ? limit - sum : 0n
        return { granted: false, key, available, freesAt: row?.holds[0]?.expiresAt }
      }
      if (row === undefined && first) started += 1
    }
    return started
  }

  return {
    capabilities: Object.freeze({ shared: false }),

    async reserve(wanted, lease, options) {
      const now = begin(options)
      checkReserve(wanted, lease)
      if (leases.has(lease.id)) throw taken(lease.id)
      const weighed = weigh(wanted)
      if (typeof weighed !== 'number') return weighed
      if (rows.byKey.size + weighed > maxCounters) throw overloaded('maxCounters', maxCounters)
      if (leases.size >= maxLeases) throw overloaded('maxLeases', maxLeases)
      // Not before now, so that leases expire in the order in which the list tells of them.
      const expiresAt = Math.max(lease.expiresAt, now)
      const holds = rows.hold(wanted, expiresAt)
      const { id, settleUntil = 0, note } = lease
      const held: HeldLease = { kind: 'lease', id, state: 'open', holds, expiresAt, settleUntil, note, place: -1 }
      leases.set(id, held)
      expiring.add(held)
      const sums: bigint[] = []
      if (holds.length === wanted.length) for (const { row } of holds) sums.push(row.sum)
      else for (const { key } of wanted) sums.push(rows.byKey.get(key)?.sum ?? 0n)
      return { granted: true, sums }
    },

    async settle(leaseId, amounts, options) {
      const now = begin(options)
      const lease = leases.get(leaseId)
      if (lease === undefined || lease.state === 'settled') return { settled: false }
      const late = lease.state === 'expired'
      if (late && lease.settleUntil <= now) return { settled: false }
      const { holds } = lease
      const exact = amountsOf(leaseId, holds, amounts)
      const changes: CounterChange[] = []
      for (let at = 0; at < holds.length; at += 1) {
        const hold = holds[at] as Hold
        const amount = exact[at] ?? 0n
        const change = late ? rows.correct(hold, amount, now) : rows.settle(hold, amount, now)
        if (change !== undefined) changes.push(change)
      }
      if (late) {
        expiring.remove(lease)
        drop(lease)
      } else {
        for (const hold of holds) rows.release(hold)
        lease.state = 'settled'
        lease.holds = NONE
        lease.note = undefined
      }
      return { settled: true, changes }
    },

    async renew(leaseId, renewal, options) {
      const now = begin(options)
      const lease = leases.get(leaseId)
      if (lease?.state !== 'open') return { renewed: false }
      checkRenewal(leaseId, renewal, lease.expiresAt, now)
      const { expiresAt, settleUntil, amounts } = renewal
      if (amounts !== undefined) {
        for (const [at, amount] of amountsOf(leaseId, lease.holds, amounts).entries()) {
          if (amount !== undefined) rows.change(lease.holds[at] as Hold, amount)
        }
      }
      if (settleUntil !== undefined) lease.settleUntil = settleUntil
      if (expiresAt !== undefined) {
        expiring.remove(lease)
        lease.expiresAt = expiresAt
        expiring.add(lease)
        for (const hold of lease.holds) moveHold(hold, expiresAt)
      }
      return { renewed: true }
    },

    async expired(options) {
      begin(options)
      const oldest: ExpiredLease[] = []
      for (const one of listed.values()) {
        if (oldest.length === MAX_LISTED) break
        oldest.push({ ...one, changes: one.changes.map((change) => ({ ...change })) })
      }
      return oldest
    },

    async acknowledge(leaseIds, options) {
      const now = begin(options)
      for (const id of leaseIds) {
        const lease = leases.get(id)
        if (lease === undefined || !listed.delete(id)) continue
        expiring.remove(lease)
        lease.expiresAt = lease.settleUntil
        if (lease.settleUntil <= now) drop(lease)
        else expiring.add(lease)
      }
    },

    async read(keys, options) {
      begin(options)
      return keys.map((key) => rows.byKey.get(key)?.sum ?? 0n)
    },

    usage: () => ({ rows: rows.byKey.size, leases: leases.size, expiring: expiring.size }),

    clear() {
      rows.clear()
      leases.clear()
      listed.clear()
      expiring.clear()
    },
  }
}
