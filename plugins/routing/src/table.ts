import { type ModelProvider, SwitchyardError } from '@switchyard/contract'
import type { Guided } from './guided/guided.ts'
import type { Condition, RouteOptions, RoutingOptions, StrategyName } from './options.ts'
import type { Scores } from './strategies/scores.ts'
import type { Ranker } from './strategies/strategy.ts'

/** One model at one provider instance, as a route lists it. */
export interface Target {
  /** Plugin instance. */
  readonly instance: string
  /** `provider/model`. */
  readonly model: string
  readonly deployment: string
  readonly weight: number
  /** Percent of calls for which it comes first; undefined for a usual target. */
  readonly canaryPercent: number | undefined
  readonly when: Condition | undefined
  /** How the weights are kept there, as configured. */
  readonly quantisation?: string | undefined
}

/** Which costs a strategy wants of its candidates: none; by list prices and a fixed reply; by what was seen, caches included. */
export type CostBasis = 'none' | 'list' | 'expected'

/** How a route ranks. */
export interface Ranking {
  readonly rank: Ranker
  readonly costs: CostBasis
}

/** What one public name stands for, bound to the assembly's providers. */
export interface Route extends Ranking {
  readonly name: string
  readonly strategy: StrategyName
  readonly targets: readonly Target[]
  readonly stickyBy: string | undefined
  /** With a floor that holds for every strategy. */
  readonly scores: Scores | undefined
  /** What goes beyond a ranking: sessions, arms, controls. Undefined for most routes, which then pay nothing for it. */
  readonly guided: Guided | undefined
}

/** Makes the moving parts of a route: its strategy, and what goes beyond. */
export type RouteParts = (name: string, options: RouteOptions, targets: readonly Target[]) => Ranking & Pick<Route, 'guided'>

/** What guards, health and prices count a model at an instance by. */
export function deploymentName(instance: string, model: string): string {
  return `${instance}/${model}`
}

/**
 * Binds the routes to provider instances.
 * @throws SwitchyardError `CONFIG_INVALID` naming every target that no instance serves, and the names of those that there are.
 */
export function bindRoutes(
  options: RoutingOptions,
  providers: ReadonlyMap<string, ModelProvider>,
  partsOf: RouteParts,
): ReadonlyMap<string, Route> {
  const problems: string[] = []
  const bound = Object.entries(options.routes).map(([name, route]): readonly [string, RouteOptions, readonly Target[]] => [
    name,
    route,
    targetsOf(name, route),
  ])
  if (problems.length > 0) throw new SwitchyardError('CONFIG_INVALID', `routing: ${problems.join('; ')}`)
  return new Map(
    bound.map(([name, route, targets]): [string, Route] => {
      const { strategy, stickyBy, scores } = route
      return [name, { name, strategy, stickyBy, targets, scores, ...partsOf(name, route, targets) }]
    }),
  )

  function targetsOf(name: string, route: RouteOptions): readonly Target[] {
    return route.targets.flatMap(({ model, via, weight, canaryPercent, when, quantisation }) => {
      const instance = via ?? instanceFor(model, providers)
      if (instance === undefined || !providers.has(instance)) {
        const known = [...providers.keys()].join(', ') || 'none'
        problems.push(
          via === undefined
            ? `no provider of the assembly serves ${model}, a target of "${name}" (providers: ${known})`
            : `${model}, a target of "${name}", is to go via "${via}", which is no model provider (there are: ${known})`,
        )
        return []
      }
      return [{ instance, model, deployment: deploymentName(instance, model), weight, canaryPercent, when, quantisation }]
    })
  }
}

/** The instance that declares a model: by its exact id, else by `provider/*`, else one that takes any. Assembly order decides. */
function instanceFor(model: string, providers: ReadonlyMap<string, ModelProvider>): string | undefined {
  const pattern = `${model.slice(0, model.indexOf('/'))}/*`
  const named = [...providers].find(
    ([, { capabilities }]) => capabilities.models !== 'any' && capabilities.models.includes(model),
  )
  const byPattern = [...providers].find(
    ([, { capabilities }]) => capabilities.models !== 'any' && capabilities.models.includes(pattern),
  )
  const any = [...providers].find(([, { capabilities }]) => capabilities.models === 'any')
  return (named ?? byPattern ?? any)?.[0]
}
