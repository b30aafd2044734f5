import { type CallOptions, type Clock, type CounterRow, type Counters, type Lease, SwitchyardError } from '@switchyard/contract'
import { invalid, throwIfAborted } from './errors.ts'
import { type Expiring, expiryHeap } from './expiry-heap.ts'

const NEVER = Number.POSITIVE_INFINITY

/** One key in one window. A window that has passed is a row that nobody finds, so late settlements change nothing that is read. */
interface Row extends Expiring {
  readonly kind: 'row'
  readonly key: string
  sum: bigint
  /** Unsettled leases that hold it. */
  holders: number
}

interface Held {
  readonly row: Row
  amount: bigint
}

/** Kept until it expires, settled or not, so that its id stays taken. */
interface HeldLease extends Expiring {
  readonly kind: 'lease'
  readonly id: string
  /** Undefined once settled. */
  held: ReadonlyMap<string, Held> | undefined
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
 * kind, and a row with no expiry goes when it is back at zero; there are no timers. A row keeps the expiry it was started with.
 * Beyond `maxCounters` rows or `maxLeases` leases, `reserve` rejects `OVERLOADED`.
 */
export function memoryCounters({ maxCounters, maxLeases, clock }: MemoryCountersOptions): MemoryCounters {
  const rows = new Map<string, Row>()
  const leases = new Map<string, HeldLease>()
  const expiring = expiryHeap<Row | HeldLease>()

  function begin(options: CallOptions | undefined): void {
    throwIfAborted(options)
    const now = clock.now()
    for (let due = expiring.takeDue(now); due !== undefined; due = expiring.takeDue(now)) {
      if (due.kind === 'row') rows.delete(due.key)
      else {
        release(due, undefined)
        leases.delete(due.id)
      }
    }
  }

  /** Ends a lease's hold on its rows, leaving the true amounts behind where they are given. */
  function release(lease: HeldLease, amounts: ReadonlyMap<string, bigint> | undefined): void {
    for (const [key, { row, amount }] of lease.held ?? []) {
      row.sum += (amounts?.get(key) ?? 0n) - amount
      row.holders -= 1
      if (row.sum === 0n && row.holders === 0 && row.expiresAt === NEVER) rows.delete(key)
    }
    lease.held = undefined
  }

  function hold(wanted: readonly CounterRow[]): Map<string, Held> {
    const held = new Map<string, Held>()
    for (const { key, amount, expiresAt = NEVER } of wanted) {
      let own = held.get(key)
      if (own === undefined) {
        own = { row: rows.get(key) ?? start(key, expiresAt), amount: 0n }
        own.row.holders += 1
        held.set(key, own)
      }
      own.amount += amount
      own.row.sum += amount
    }
    return held
  }

  function start(key: string, expiresAt: number): Row {
    const row: Row = { kind: 'row', key, sum: 0n, holders: 0, expiresAt, place: -1 }
    rows.set(key, row)
    if (expiresAt !== NEVER) expiring.add(row)
    return row
  }

  return {
    capabilities: Object.freeze({ shared: false }),

    async reserve(wanted, lease, options) {
      begin(options)
      checkReserve(wanted, lease)
      if (leases.has(lease.id)) throw new SwitchyardError('CONFLICT', `lease ${JSON.stringify(lease.id)} was already reserved`)
      const sums = new Map<string, bigint>()
      let started = 0
      for (const { key, amount, limit } of wanted) {
        const row = rows.get(key)
        const sum = sums.get(key) ?? row?.sum ?? 0n
        if (sum + amount > limit) return { granted: false, key, available: limit > sum ? limit - sum : 0n }
        if (row === undefined && !sums.has(key)) started += 1
        sums.set(key, sum + amount)
      }
      if (rows.size + started > maxCounters) throw overloaded('maxCounters', maxCounters)
      if (leases.size >= maxLeases) throw overloaded('maxLeases', maxLeases)
      const taken: HeldLease = { kind: 'lease', id: lease.id, held: hold(wanted), expiresAt: lease.expiresAt, place: -1 }
      leases.set(lease.id, taken)
      expiring.add(taken)
      return { granted: true }
    },

    async settle(leaseId, amounts, options) {
      begin(options)
      const lease = leases.get(leaseId)
      if (lease?.held === undefined) return { settled: false }
      const settled = new Map(Object.entries(amounts))
      for (const [key, amount] of settled) {
        if (!lease.held.has(key)) throw invalid(`lease ${JSON.stringify(leaseId)} holds no counter ${JSON.stringify(key)}`)
        if (amount < 0n) throw invalid(`the amount of ${JSON.stringify(key)} is ${amount}; amounts are from 0`)
      }
      release(lease, settled)
      return { settled: true }
    },

    async read(keys, options) {
      begin(options)
      return keys.map((key) => rows.get(key)?.sum ?? 0n)
    },

    usage: () => ({ rows: rows.size, leases: leases.size, expiring: expiring.size }),

    clear() {
      rows.clear()
      leases.clear()
      expiring.clear()
    },
  }
}

function checkReserve(wanted: readonly CounterRow[], lease: Lease): void {
  if (lease.id === '') throw invalid('a lease id must not be empty')
  if (!Number.isFinite(lease.expiresAt)) throw invalid(`lease ${JSON.stringify(lease.id)} needs a finite expiresAt in epoch ms`)
  for (const { key, amount, expiresAt } of wanted) {
    if (key === '') throw invalid('a counter key must not be empty')
    if (amount < 0n) throw invalid(`the amount of ${JSON.stringify(key)} is ${amount}; amounts are from 0`)
    if (Number.isNaN(expiresAt)) throw invalid(`the expiresAt of ${JSON.stringify(key)} must be epoch milliseconds, not NaN`)
  }
}

function overloaded(option: 'maxCounters' | 'maxLeases', limit: number): SwitchyardError {
  const mend = 'raise it, let leases expire sooner, or move to a shared store'
  return new SwitchyardError('OVERLOADED', `the counters in memory are full: ${option} is ${limit}; ${mend}`, {
    details: { option, limit },
  })
}
