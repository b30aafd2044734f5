import type { Call } from '../call.ts'
import { definePort, type Port } from '../port.ts'
import type { BudgetStanding } from './budgets.ts'
import type { TargetHealth } from './health.ts'

/** One model at one provider instance, as a route lists it. */
export interface StrategyTarget {
  /** Plugin instance. */
  readonly instance: string
  /** `provider/model`. */
  readonly model: string
  /** As `deploymentOf` gives it; unique among the candidates of a call. */
  readonly deployment: string
  /** Share of traffic, >= 0. */
  readonly weight: number
}

/** A target that may serve the call, with what is known of it now. What may not serve is never among them. */
export interface StrategyCandidate {
  readonly target: StrategyTarget
  /** Undefined where the assembly has no health plugin. */
  readonly health: TargetHealth | undefined
  /** Expected cost of the call in pico-USD; undefined where there is no price, which is never 0, or where `costs` is not declared. */
  readonly expectedCost: number | undefined
}

/** A candidate in its place. The candidate itself is one; a copy of it may say why it stands there. */
export interface RankedTarget {
  readonly target: StrategyTarget
  /** Pico-USD, for the decision trace; a strategy may know better than the candidate did. */
  readonly expectedCost?: number | undefined
  /** For people. */
  readonly because?: string | undefined
}

/** What a ranking may look at beside the call. */
export interface StrategyKnowledge {
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** What the call is sticky by; undefined where it is not. */
  readonly stickyKey: string | undefined
  /** Kind of question, by the shape of the request: `tools`, `schema`, `label`, `number`, `chat`. */
  readonly taskClass: string
  /** Budgets that the call counts against, the most used first. */
  budgets(): readonly BudgetStanding[]
}

/** A way to put the targets of a route in order. A route names it by the instance that provides it. */
export interface Strategy {
  readonly capabilities: {
    /** It needs `expectedCost`, which takes an estimate of the prompt's tokens. */
    readonly costs: boolean
  }
  /**
   * Every candidate exactly once, best first; equals in the order of their names. Pure but for `random`, synchronous, never throws, and
   * alters nothing that it is given. A candidate that is left out of the answer is tried last.
   */
  rank(
    call: Call<'model.invoke'>,
    candidates: readonly StrategyCandidate[],
    knowledge: StrategyKnowledge,
  ): readonly RankedTarget[]
}

export const strategy: Port<Strategy> = definePort<Strategy>('strategy', 1)
