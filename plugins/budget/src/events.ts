import type { BudgetAlert } from './alerts/sinks.ts'

/** A budget whose spend has reached a part of its limit. */
export interface BudgetCrossed {
  /** Name of the plugin instance. */
  readonly plugin: string
  readonly budget: string
  readonly level: string
  readonly tenant: string
  /** Team, key, model... that it was crossed for; the hash of a long one. */
  readonly value: string
  readonly windowId: string
  /** Part of the limit, such as 0.8. */
  readonly threshold: number
  /** Nano-USD. */
  readonly limit: bigint
  /** Nano-USD settled, after the crossing. */
  readonly spent: bigint
  /** Epoch ms at which the window ends; undefined for one that never does. */
  readonly resetsAt: number | undefined
}

/** A counter that does not say what the ledger says. Amounts in nano-USD. */
export interface BudgetDrift {
  /** Name of the plugin instance. */
  readonly plugin: string
  readonly budget: string
  readonly level: string
  readonly tenant: string
  /** Team, key, model...; the hash of a long one. */
  readonly value: string
  readonly windowId: string
  /** By the ledger. */
  readonly ledger: bigint
  /** By the counter. */
  readonly settled: bigint
  /** What was added to the counter; 0n where it has too much. */
  readonly added: bigint
}

declare module '@switchyard/contract' {
  interface KernelEvents {
    /** Once a budget, window and threshold over all nodes: emitted by the node that wrote the alert down. */
    'budget:crossed': BudgetCrossed
    /** The counters cannot be asked: calls go on by `open` budgets and slices, or are refused. Once, until they answer again. */
    'budget:store-away': { readonly plugin: string; readonly error: unknown }
    /** An alert is delivered: a threshold or an anomaly, at one node of all, and at least once by its id. */
    'budget:alert': BudgetAlert
    /** A counter and the ledger differ, two looks running: what the counter lacked was added to it. */
    'budget:drift': BudgetDrift
    /** A call was refused. */
    'budget:refused': { readonly plugin: string; readonly budget: string; readonly level: string; readonly tenant: string }
  }
}
