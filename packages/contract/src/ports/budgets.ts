import type { Call } from '../call.ts'
import { definePort, type Port } from '../port.ts'

/** How far a budget is used, as this node last saw it. */
export interface BudgetStanding {
  readonly name: string
  /** `org`, `team`, `key`, `user`, `model`, `provider`, `tag` or `session`. */
  readonly level: string
  /** Nano-USD; may be passed by a soft budget, or by true costs above the reserved ones. */
  readonly limit: bigint
  /** Nano-USD, settled and reserved. */
  readonly used: bigint
  /** Epoch ms at which the window ends; undefined for a budget without windows. */
  readonly resetsAt: number | undefined
  /** Passing it refuses calls. */
  readonly hard: boolean
}

/** What may still be spent. Reads are synchronous, so that routing may ask on every call. */
export interface Budgets {
  /** Budgets that the call counts against, the most used first; none where the call falls under no budget. */
  of(call: Call): readonly BudgetStanding[]
}

/** Whether so much of a hard budget that the call counts against is used, as a share in [0, 1]: what is left is for more important calls. */
export function isUsedUp(standing: Budgets | undefined, call: Call, share: number): boolean {
  if (standing === undefined) return false
  return standing.of(call).some(({ hard, used, limit }) => hard && Number(used) >= Number(limit) * share)
}

export const budgets: Port<Budgets> = definePort<Budgets>('budgets', 1)
