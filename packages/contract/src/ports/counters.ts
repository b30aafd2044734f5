import { definePort, type Port } from '../port.ts'
import type { CallOptions } from '../runtime.ts'

export interface CounterRow {
  readonly key: string
  /** >= 0; a negative one is `INVALID_REQUEST`. A key that stands in several rows counts all their amounts. */
  readonly amount: bigint
  /** The sum of the row may reach it, not pass it. */
  readonly limit: bigint
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
  /** Epoch ms from which an unsettled lease gives its amounts back. */
  readonly expiresAt: number
}

export type Reservation =
  | { readonly granted: true }
  /** `key` is the first row, in the order given, that refused; `available` is what it had left, >= 0. */
  | { readonly granted: false; readonly key: string; readonly available: bigint }

/** Integer counters with limits: the ground of budgets and rate limits. All rows change, or none. */
export interface Counters {
  readonly capabilities: { readonly shared: boolean }
  /** Adds every amount if no row would pass its limit; otherwise changes nothing and says which row refused. */
  reserve(rows: readonly CounterRow[], lease: Lease, options?: CallOptions): Promise<Reservation>
  /**
   * Replaces the lease's amounts by the true ones, once: a key left out counts 0. A key the lease did not hold, or a negative amount,
   * is `INVALID_REQUEST`, and the lease stays to be settled. True amounts may pass a limit. A second settle, or one after the
   * lease's expiry, changes nothing and says so.
   */
  settle(
    leaseId: string,
    amounts: Readonly<Record<string, bigint>>,
    options?: CallOptions,
  ): Promise<{ readonly settled: boolean }>
  /** Settled and reserved sums, in the order of `keys`; 0 for an unknown key. */
  read(keys: readonly string[], options?: CallOptions): Promise<readonly bigint[]>
}

export const counters: Port<Counters> = definePort<Counters>('counters', 1)
