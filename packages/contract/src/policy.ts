import type { Call, Decision, Operation, Reply } from './call.ts'

/** Order of the pipeline, outermost first. Within a stage, plugin order decides. */
export const STAGES: readonly ['observe', 'admit', 'cache', 'route', 'resilience', 'transport'] = Object.freeze([
  'observe',
  'admit',
  'cache',
  'route',
  'resilience',
  'transport',
] as const)

export type Stage = (typeof STAGES)[number]

/** The rest of the pipeline. May be called zero, one or many times, also concurrently. */
export type Next<O extends Operation = Operation> = (call: Call<O>) => Promise<Reply<O>>

/** Guards, changes, repeats or answers calls. Stateless per call: what it learns goes to `call.trace`. */
export interface Policy<O extends Operation = Operation> {
  readonly name: string
  readonly stage: Stage
  readonly operations: readonly O[] | '*'
  /** Changes a call by handing a copy to `next`. Rejects with SwitchyardError. */
  around(call: Call<O>, next: Next<O>): Promise<Reply<O>>
  /**
   * Dry run: what would be decided and why, with no side effect and no upstream. `call` replaces the call for the policies
   * inside, as `next` would have been given it.
   */
  explain?(call: Call<O>): Promise<Explained<O>>
}

export interface Explained<O extends Operation = Operation> {
  readonly decisions: readonly Omit<Decision, 'by'>[]
  readonly call?: Call<O>
}
