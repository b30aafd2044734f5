import type { Strategy } from '@switchyard/contract'
import { conformance, type Subject, strategySuite } from '@switchyard/testkit'
import { describe, test } from 'vitest'
import { budgetAware } from '../src/strategies/budget-aware.ts'
import { cheapest } from '../src/strategies/cheapest.ts'
import { leastBusy, lowestLatency, lowestPrice } from '../src/strategies/least.ts'
import { priority } from '../src/strategies/priority.ts'
import { provider } from '../src/strategies/provider.ts'
import { qualityPerPrice } from '../src/strategies/quality-per-price.ts'
import type { Ranker, Strategy as Simple } from '../src/strategies/strategy.ts'
import { weighted } from '../src/strategies/weighted.ts'

const simple =
  (strategy: Simple): Ranker =>
  (_call, candidates, knowledge) =>
    strategy(candidates, knowledge)
const scores = { asOf: '2026-10-01', source: 'own', byClass: { '*': { 'p/a': 0.9, 'p/b': 0.6 } }, belowFloorTenants: [] }
const thrift = { preferAt: 0.8, cheapestAt: 0.95, hysteresis: 0.05 }

const rankers: readonly (readonly [string, Ranker, boolean])[] = [
  ['priority', simple(priority), false],
  ['weighted', simple(weighted), false],
  ['least-busy', simple(leastBusy), false],
  ['latency', simple(lowestLatency), false],
  ['price', simple(lowestPrice), true],
  ['cheapest', cheapest, true],
  ['quality-per-price', qualityPerPrice(scores), true],
  ['provider', provider(() => 'one', {}), true],
  ['budget-aware', budgetAware(cheapest, thrift), true],
]

/** A strategy of this plugin, as one that another plugin would bring. */
function subjectOf(name: string, ranker: Ranker, costs: boolean): Subject<Strategy> {
  const instance: Strategy = { capabilities: { costs }, rank: (...asked) => ranker(...(asked as Parameters<Ranker>)) }
  return {
    name,
    async open() {
      return { instance, now: () => 0, advance: async () => {}, fixture: undefined, close: async () => {} }
    },
  }
}

for (const [name, ranker, costs] of rankers)
  describe(`the strategy suite on ${name}`, () => conformance(strategySuite, subjectOf(name, ranker, costs), test))
