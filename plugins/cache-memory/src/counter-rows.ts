import type { CounterChange, CounterRow } from '@switchyard/contract'
import { type Expiring, heapAdd, heapRemove } from './expiry-heap.ts'

/** The expiry of a row that has none. */
export const NEVER: number = Number.POSITIVE_INFINITY

/** One key in one window. A window that has passed is a row that nobody finds, so late settlements change nothing that is read. */
export interface Row extends Expiring {
  readonly kind: 'row'
  readonly key: string
  /** Settled and reserved. */
  sum: bigint
  settled: bigint
  /** Leases that may still change it. */
  holders: number
  /** Unsettled leases, a heap: the first is the next to expire. */
  readonly holds: Hold[]
}

/** What one lease has in one row. */
export interface Hold extends Expiring {
  readonly row: Row
  /** What it adds to the row's sum. */
  amount: bigint
  /** What stays charged if the lease expires unsettled. */
  expected: bigint
  /** That of the lease. */
  expiresAt: number
}

/** Rows by key, as leases hold and leave them. `at` is epoch ms: a row whose expiry is `at` or earlier has passed. */
export interface CounterRows {
  readonly byKey: ReadonlyMap<string, Row>
  /** Adds all amounts, starting rows where there are none; one hold a key, in the order of the keys' first rows. */
  hold(wanted: readonly CounterRow[], expiresAt: number): Hold[]
  /** Puts `amount` in place of what the hold has. */
  change(hold: Hold, amount: bigint): void
  /** Ends a hold of an unsettled lease: `amount` is settled instead. Undefined where the row has passed. */
  settle(hold: Hold, amount: bigint, at: number): CounterChange | undefined
  /** Puts `amount` in place of what a hold that ended left behind. Undefined where the row has passed. */
  correct(hold: Hold, amount: bigint, at: number): CounterChange | undefined
  /** Lets go of the row of a hold that ended and will not be corrected. */
  release(hold: Hold): void
  /** Forgets a row that has passed. */
  pass(row: Row): void
  clear(): void
}

/** Makes rows. `onStart` is told of each row that has an expiry. A row with none goes when it is at zero and nobody holds it. */
export function counterRows(onStart: (row: Row) => void): CounterRows {
  const rows = new Map<string, Row>()

  function start(key: string, expiresAt: number): Row {
    const row: Row = { kind: 'row', key, sum: 0n, settled: 0n, holders: 0, expiresAt, place: -1, holds: [] }
    rows.set(key, row)
    if (expiresAt !== NEVER) onStart(row)
    return row
  }

  function leave({ row }: Hold, delta: bigint, at: number): CounterChange | undefined {
    const before = row.settled
    row.settled += delta
    return row.expiresAt <= at ? undefined : { key: row.key, before, after: row.settled }
  }

  return {
    byKey: rows,

    hold(wanted, expiresAt) {
      const holds: Hold[] = []
      for (const { key, amount, expected = 0n, expiresAt: windowEnd = NEVER } of wanted) {
        let own = holdOf(holds, key)
        if (own === undefined) {
          const row = rows.get(key) ?? start(key, windowEnd)
          own = { row, amount: 0n, expected: 0n, expiresAt, place: -1 }
          row.holders += 1
          heapAdd(row.holds, own)
          holds.push(own)
        }
        own.amount += amount
        own.expected += expected
        own.row.sum += amount
      }
      return holds
    },

    change(hold, amount) {
      hold.row.sum += amount - hold.amount
      hold.amount = amount
    },

    settle(hold, amount, at) {
      heapRemove(hold.row.holds, hold)
      hold.row.sum += amount - hold.amount
      hold.amount = amount
      return leave(hold, amount, at)
    },

    correct(hold, amount, at) {
      const delta = amount - hold.amount
      hold.row.sum += delta
      hold.amount = amount
      return leave(hold, delta, at)
    },

    release({ row }) {
      row.holders -= 1
      if (row.holders === 0 && row.sum === 0n && row.expiresAt === NEVER) rows.delete(row.key)
    },

    pass(row) {
      rows.delete(row.key)
    },

    clear() {
      rows.clear()
    },
  }
}

/** The hold of a key. Leases have few rows, so that looking at each is the fastest. */
export function holdOf(holds: readonly Hold[], key: string): Hold | undefined {
  for (const hold of holds) if (hold.row.key === key) return hold
  return undefined
}

/** Moves a hold that is in its row's heap to another expiry. */
export function moveHold(hold: Hold, expiresAt: number): void {
  heapRemove(hold.row.holds, hold)
  hold.expiresAt = expiresAt
  heapAdd(hold.row.holds, hold)
}
