import { definePort, type Port } from '../port.ts'
import type { CallOptions } from '../runtime.ts'

export interface CounterRow {
  /**
   * A `{tag}` within keys and lease ids names the shard, as Redis Cluster has it: a store of several shards keeps what bears one tag
   * together and rejects `INVALID_REQUEST` for a reserve across tags.
   */
  readonly key: string
  /** >= 0; a negative one is `INVALID_REQUEST`. A key that stands in several rows counts all their amounts. */
  readonly amount: bigint
  /** The sum of the row may reach it, not pass it. Absent: the row counts and never refuses. */
  readonly limit?: bigint
  /** What stays charged if the lease expires unsettled; >= 0. Default 0: the row gives its amount back. */
  readonly expected?: bigint
  /**
   * Epoch ms from which the row counts from zero again; absent = never. A lease of a window that has passed changes nothing in the
   * next one, whether it is settled or expires.
   */
  readonly expiresAt?: number
}

export interface Lease {
  /**
   * Chosen by the caller, unique. Reserving again under one id is `CONFLICT` until the lease's expiry, also after it was settled;
   * a refused reserve takes no id.
   */
  readonly id: string
  /** Epoch ms from which an unsettled lease gives its amounts back, less what its rows expect. */
  readonly expiresAt: number
  /**
   * Epoch ms, >= `expiresAt`: until then a settle after the expiry puts the true amounts in place of the expected ones. Default:
   * `expiresAt`, which is never.
   */
  readonly settleUntil?: number
  /** Handed back by `expired`; at most 4,096 characters, no secret. */
  readonly note?: string
}

export type Reservation =
  | {
      readonly granted: true
      /** Settled and reserved sum of each row after the reserve, in the order given. */
      readonly sums: readonly bigint[]
    }
  | {
      readonly granted: false
      /** The first row, in the order given, that refused. */
      readonly key: string
      /** What that row had left, >= 0. */
      readonly available: bigint
      /** Epoch ms at which the next unsettled lease of that row expires; undefined where none does or the store does not know. */
      readonly freesAt?: number | undefined
    }

/** How the settled amounts of a row changed; what leases hold is not in them. */
export interface CounterChange {
  readonly key: string
  readonly before: bigint
  readonly after: bigint
}

export type Settlement =
  | { readonly settled: false }
  | {
      readonly settled: true
      /** One a key of the lease, in the order reserved; rows whose window has passed are left out. */
      readonly changes: readonly CounterChange[]
    }

/** A lease that expired unsettled and left an expected amount behind. */
export interface ExpiredLease {
  readonly id: string
  /** Epoch ms. */
  readonly expiredAt: number
  readonly note: string | undefined
  readonly changes: readonly CounterChange[]
}

/** What of a lease is to change. */
export interface LeaseRenewal {
  /** Epoch ms, later than now. */
  readonly expiresAt?: number
  readonly settleUntil?: number
  /** Amounts to hold instead, by key; they may pass a limit. A key left out keeps its own. */
  readonly amounts?: Readonly<Record<string, bigint>>
}

/**
 * Integer counters with limits: the ground of budgets and rate limits. All rows change, or none. A lease that is never settled counts
 * until its expiry, which makes a sliding window; one that is renewed while it is in use counts what is under way.
 */
export interface Counters {
  readonly capabilities: { readonly shared: boolean }
  /** Adds every amount if no row would pass its limit; otherwise changes nothing and says which row refused. */
  reserve(rows: readonly CounterRow[], lease: Lease, options?: CallOptions): Promise<Reservation>
  /**
   * Replaces the lease's amounts by the true ones, once: a key left out counts 0. A key the lease did not hold, or a negative amount,
   * is `INVALID_REQUEST`, and the lease stays to be settled. True amounts may pass a limit. A second settle, or one after the
   * lease's expiry and `settleUntil`, changes nothing and says so.
   */
  settle(leaseId: string, amounts: Readonly<Record<string, bigint>>, options?: CallOptions): Promise<Settlement>
  /**
   * Changes a lease that is neither settled nor expired; of any other nothing, and says so. A key the lease does not hold, a
   * negative amount or an expiry that has passed is `INVALID_REQUEST` and changes nothing.
   */
  renew(leaseId: string, renewal: LeaseRenewal, options?: CallOptions): Promise<{ readonly renewed: boolean }>
  /**
   * Leases that expired unsettled with an expected amount, oldest first, at most 1,000 a call: each until it is acknowledged, settled
   * or past its `settleUntil` and a day more. Every node of a fleet sees the same.
   */
  expired(options?: CallOptions): Promise<readonly ExpiredLease[]>
  /** Takes leases off the list of `expired`; what they charged stays. Unknown ids are passed over. */
  acknowledge(leaseIds: readonly string[], options?: CallOptions): Promise<void>
  /** Settled and reserved sums, in the order of `keys`; 0 for an unknown key. */
  read(keys: readonly string[], options?: CallOptions): Promise<readonly bigint[]>
}

export const counters: Port<Counters> = definePort<Counters>('counters', 1)
