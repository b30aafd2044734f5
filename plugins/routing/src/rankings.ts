import { type Strategy as StrategyPort, SwitchyardError } from '@switchyard/contract'
import type { Knowledge } from './facts.ts'
import { type RouteOptions, STRATEGY_NAMES, type StrategyName } from './options.ts'
import { budgetAware } from './strategies/budget-aware.ts'
import { cheapest } from './strategies/cheapest.ts'
import { leastBusy, lowestLatency, lowestPrice } from './strategies/least.ts'
import { priority } from './strategies/priority.ts'
import { provider } from './strategies/provider.ts'
import { qualityPerPrice } from './strategies/quality-per-price.ts'
import type { Scores } from './strategies/scores.ts'
import { type Ranker, rankerOf, type Strategy } from './strategies/strategy.ts'
import { weighted } from './strategies/weighted.ts'
import type { CostBasis, Ranking } from './table.ts'

const SIMPLE: Readonly<Record<string, { readonly strategy: Strategy; readonly costs: CostBasis; readonly health: boolean }>> = {
  priority: { strategy: priority, costs: 'none', health: false },
  weighted: { strategy: weighted, costs: 'none', health: false },
  'least-busy': { strategy: leastBusy, costs: 'none', health: true },
  latency: { strategy: lowestLatency, costs: 'none', health: true },
  price: { strategy: lowestPrice, costs: 'list', health: false },
  // Among candidates that no arm was chosen of, the list decides.
  learned: { strategy: (candidates) => candidates, costs: 'none', health: false },
}

/**
 * Makes the ranking of a route by the strategy that it names, also of one that another plugin brings.
 * Throws `CONFIG_INVALID` for a name that nobody has, and for what a strategy needs and the assembly lacks.
 */
export function rankings(
  strategies: ReadonlyMap<string, StrategyPort>,
  knowledge: Knowledge,
  hasCatalog: boolean,
  hasHealth: boolean,
): (route: string, options: RouteOptions) => Ranking {
  function named(route: string, name: StrategyName, options: RouteOptions): Ranking {
    const ranking = made(route, name, options)
    if (ranking.costs !== 'none' && !hasCatalog) throw lacking(name, route, 'a plugin that provides the port catalog@1')
    return ranking
  }

  function made(route: string, name: StrategyName, options: RouteOptions): Ranking {
    const simple = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined
    if (simple !== undefined) {
      if (simple.health && !hasHealth) throw lacking(name, route, '@switchyard/health')
      const { strategy, costs } = simple
      return { rank: (_call, candidates, drawn) => strategy(candidates, drawn), costs }
    }
    switch (name) {
      case 'cheapest':
        return { rank: cheapest, costs: 'expected' }
      case 'quality-per-price':
        return { rank: qualityPerPrice(options.scores as Scores), costs: 'expected' }
      case 'provider': {
        const base: Ranker = provider(({ target }) => knowledge.entryOf(target)?.baseModel, options)
        return { rank: base, costs: 'expected' }
      }
      case 'budget-aware': {
        const { over = 'priority', preferAt = 0.8, cheapestAt = 0.95, hysteresis = 0.05 } = options.budget ?? {}
        const inner = named(route, over, options)
        return { rank: budgetAware(inner.rank, { preferAt, cheapestAt, hysteresis }), costs: 'expected' }
      }
      default:
        return brought(route, name)
    }
  }

  function brought(route: string, name: string): Ranking {
    const port = strategies.get(name)
    if (port !== undefined) return { rank: rankerOf(port), costs: port.capabilities.costs ? 'expected' : 'none' }
    const own = STRATEGY_NAMES.join(', ')
    const others = strategies.size === 0 ? '' : `; others bring ${[...strategies.keys()].join(', ')}`
    throw new SwitchyardError(
      'CONFIG_INVALID',
      `routing: "${route}" names the strategy "${name}", which is none of ${own}${others}`,
    )
  }

  return (route, options) => named(route, options.strategy, options)
}

function lacking(strategy: string, route: string, what: string): SwitchyardError {
  return new SwitchyardError('CONFIG_INVALID', `routing: the strategy ${strategy} of "${route}" needs ${what} in the assembly`)
}
