/** Ways to keep a budget. */
export type Scheme = 'check-then-add' | 'per-process' | 'lost-reservation' | 'released-hold' | 'worst' | 'p90'

/** What each does, in the order of the table; the last two are Switchyard's. */
export const SCHEMES: readonly { readonly name: Scheme; readonly does: string; readonly ours: boolean }[] = [
  { name: 'check-then-add', does: 'check, then add what it cost', ours: false },
  { name: 'per-process', does: 'a counter in each process', ours: false },
  { name: 'lost-reservation', does: 'add as reservation, lost on cancel', ours: false },
  { name: 'released-hold', does: 'hold the worst case, released at expiry', ours: false },
  { name: 'worst', does: "Switchyard, hold: 'worst'", ours: true },
  { name: 'p90', does: "Switchyard, hold: 'p90'", ours: true },
]

/** What a budget is tried with. */
export interface Scenario {
  readonly name: string
  readonly limitUsd: number
  /** Calls in flight over all processes. */
  readonly concurrent: number
  /** Parts of the limit, by true spend, at which a process is killed and started again. */
  readonly kills: readonly number[]
  /** The same for a restart of Redis, which loses what it held. Switchyard's schemes alone have one. */
  readonly redisRestart: number
}

/** The two of the table. `concurrent` is that of the second. */
export function scenariosOf(concurrent: number): readonly Scenario[] {
  return [
    { name: '$10, 64 in flight', limitUsd: 10, concurrent: 64, kills: [0.3, 0.75], redisRestart: 0.5 },
    { name: `$1, ${concurrent} in flight`, limitUsd: 1, concurrent, kills: [0.3], redisRestart: 0.5 },
  ]
}

/** What a process of the load is told at its start. */
export interface NodeSettings {
  readonly scheme: Scheme
  readonly index: number
  /** 0 for the first start of this process, one more at each restart. */
  readonly start: number
  readonly limitUsd: number
  readonly concurrent: number
  readonly upstreamUrl: string
  /** Undefined: counters of its own memory. */
  readonly redisUrl: string | undefined
  /** Folder of the ledger and the journals. */
  readonly folder: string
  readonly seed: number
}

/** What it tells the bench. */
export type NodeMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused' | 'away'; readonly at: number }
  | { readonly kind: 'failed'; readonly at: number; readonly why: string }
  /** Sums of the counters of budgets, nano-USD as text, by key. */
  | { readonly kind: 'audit'; readonly sums: Readonly<Record<string, string>> }

/** What the bench tells it; all but `go` let no new call begin, and wait for those under way. */
export type NodeOrder = 'go' | 'rest' | 'audit' | 'end'

/** Life of a hold: short, so that a run sees what becomes of those that expire. */
export const LEASE: { readonly leaseMs: number; readonly graceMs: number } = { leaseMs: 2_000, graceMs: 500 }

/** What goes wrong, as parts of the calls. */
export const FAULTS: { readonly cancels: number; readonly duplicates: number } = { cancels: 0.1, duplicates: 0.05 }
