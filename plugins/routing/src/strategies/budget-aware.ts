import type { BudgetStanding } from '@switchyard/contract'
import { ascendingByName, type Ranked, type Ranker } from './strategy.ts'

/** How far money decides: 0 = not; 1 = it weighs; 2 = alone. */
export type Thrift = 0 | 1 | 2

/** Shares of a budget at which money begins to weigh and to decide alone, and how far below them it ceases again. */
export interface ThriftOptions {
  readonly preferAt: number
  readonly cheapestAt: number
  /** Share of the budget. */
  readonly hysteresis: number
}

const PER_UNIT = 1_000_000n
const MAX_KEPT = 4_096

/** The most used budget's share, 0 where there is none; a budget of nothing is used up. */
export function usedShare(standings: readonly BudgetStanding[]): number {
  let most = 0
  for (const { used, limit } of standings) {
    const share = limit <= 0n ? 1 : Number((used * PER_UNIT) / limit) / Number(PER_UNIT)
    if (share > most) most = share
  }
  return most
}

/** The step that follows: up at once where a threshold is reached, down only where it is passed by the hysteresis. */
export function nextThrift(now: Thrift, used: number, { preferAt, cheapestAt, hysteresis }: ThriftOptions): Thrift {
  const up: Thrift = used >= cheapestAt ? 2 : used >= preferAt ? 1 : 0
  if (up >= now) return up
  const down: Thrift = used >= cheapestAt - hysteresis ? 2 : used >= preferAt - hysteresis ? 1 : 0
  return down < now ? down : now
}

/**
 * Another strategy while there is money. From `preferAt` of the most used budget on, the other's place times the expected cost decides;
 * from `cheapestAt` on, the cost alone. Each caller keeps the step that it is at until its budget has moved by the hysteresis.
 */
export function budgetAware(over: Ranker, options: ThriftOptions): Ranker {
  const steps = new Map<string, Thrift>()
  return (call, candidates, knowledge) => {
    const order = over(call, candidates, knowledge)
    const { tenant, keyId } = call.principal
    const caller = `${tenant}\n${keyId}`
    const used = usedShare(knowledge.budgets())
    const before = steps.get(caller) ?? 0
    const thrift = nextThrift(before, used, options)
    if (thrift !== before) {
      steps.delete(caller)
      if (steps.size === MAX_KEPT) steps.delete(steps.keys().next().value as string)
      if (thrift !== 0) steps.set(caller, thrift)
    }
    if (thrift === 0) return order
    const percent = Math.floor(used * 100)
    const because = `${percent} % of a budget is used: ${thrift === 2 ? 'the cheapest' : 'the cheaper'}`
    const places = new Map(order.map(({ target }, place) => [target.deployment, place + 1]))
    const cost = ({ expectedCost }: Ranked): number => expectedCost ?? Number.POSITIVE_INFINITY
    const score =
      thrift === 2 ? cost : (one: Ranked): number => Math.max(1, cost(one)) * (places.get(one.target.deployment) as number)
    return ascendingByName(
      order.map((one): Ranked => ({ ...one, because })),
      score,
    )
  }
}
