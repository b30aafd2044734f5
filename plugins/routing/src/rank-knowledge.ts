import type { BudgetStanding, Call, StrategyKnowledge } from '@switchyard/contract'
import type { Knowledge, RequestFacts } from './facts.ts'

/** What a strategy may look at, each worked out when it looks. A class, since every call makes one. */
export class RankKnowledge implements StrategyKnowledge {
  readonly random: () => number
  readonly stickyKey: string | undefined
  private readonly call: Call<'model.invoke'>
  private readonly facts: RequestFacts
  private readonly knowledge: Knowledge

  constructor(call: Call<'model.invoke'>, facts: RequestFacts, knowledge: Knowledge, stickyKey: string | undefined) {
    this.random = knowledge.random
    this.stickyKey = stickyKey
    this.call = call
    this.facts = facts
    this.knowledge = knowledge
  }

  get taskClass(): string {
    return this.facts.taskClass
  }

  budgets(): readonly BudgetStanding[] {
    return this.knowledge.budgetsOf(this.call)
  }
}
