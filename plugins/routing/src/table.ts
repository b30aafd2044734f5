import { type ModelProvider, SwitchyardError } from '@switchyard/contract'
import type { Condition, RouteOptions, RoutingOptions, StrategyName } from './options.ts'

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
}

/** What one public name stands for, bound to the assembly's providers. */
export interface Route {
  readonly name: string
  readonly strategy: StrategyName
  readonly targets: readonly Target[]
  readonly stickyBy: string | undefined
}

/** What guards, health and prices count a model at an instance by. */
export function deploymentName(instance: string, model: string): string {
  return `${instance}/${model}`
}

/**
 * Binds the routes to provider instances.
 * @throws SwitchyardError `CONFIG_INVALID` naming every target that no instance serves, and the names of those that there are.
 */
export function bindRoutes(options: RoutingOptions, providers: ReadonlyMap<string, ModelProvider>): ReadonlyMap<string, Route> {
  const problems: string[] = []
  const routes = new Map<string, Route>()
  for (const [name, route] of Object.entries(options.routes)) {
    routes.set(name, { name, strategy: route.strategy, stickyBy: route.stickyBy, targets: targetsOf(name, route) })
  }
  if (problems.length > 0) throw new SwitchyardError('CONFIG_INVALID', `routing: ${problems.join('; ')}`)
  return routes

  function targetsOf(name: string, route: RouteOptions): readonly Target[] {
    return route.targets.flatMap(({ model, via, weight, canaryPercent, when }) => {
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
      return [{ instance, model, deployment: deploymentName(instance, model), weight, canaryPercent, when }]
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
