import type { Call, Explained, ModelRequest, Policy } from '@switchyard/contract'
import { type Knowledge, RequestFacts } from './facts.ts'
import type { GuidedCalls } from './guided/guided.ts'
import { type Ranking, rank } from './rank.ts'
import { rankingFacts, routedTo } from './routed.ts'
import { priority } from './strategies/priority.ts'
import { deploymentName, type Route } from './table.ts'

export interface RoutingContext {
  readonly name: string
  /** Instance that public names are addressed to. */
  readonly instance: string
  readonly routes: ReadonlyMap<string, Route>
  readonly knowledge: Knowledge
  /** Tokens of a request's prompt, estimated. */
  readonly estimate: (request: ModelRequest) => number
  /** Carries out routes that do more than rank. */
  readonly guided: GuidedCalls
}

/** Routes kept for models that are asked for by their own names. */
const MAX_DIRECT = 4_096

/**
 * Replaces a call's target by the best of its route and hands the others on as alternatives. A model that is asked for by its own name
 * is a route of one. Decides without waiting for anything; rejects as `rank` throws.
 */
export function routingPolicy(context: RoutingContext): Policy<'model.invoke'> {
  const { name, instance, routes, knowledge, estimate, guided } = context
  const direct = new Map<string, Route>()

  function directRoute(target: string, model: string): Route {
    const deployment = deploymentName(target, model)
    const known = direct.get(deployment)
    if (known !== undefined) return known
    const only = { instance: target, model, deployment, weight: 1, canaryPercent: undefined, when: undefined }
    const route: Route = {
      name: model,
      strategy: 'priority',
      stickyBy: undefined,
      targets: [only],
      rank: (_call, candidates, drawn) => priority(candidates, drawn),
      costs: 'none',
      scores: undefined,
      guided: undefined,
    }
    if (direct.size === MAX_DIRECT) direct.clear()
    direct.set(deployment, route)
    return route
  }

  function routeOf({ request, target }: Call<'model.invoke'>): Route {
    return (target === instance ? routes.get(request.model) : undefined) ?? directRoute(target, request.model)
  }

  function rankingOf(route: Route, call: Call<'model.invoke'>): Ranking {
    return rank(route, call, new RequestFacts(call, estimate), knowledge)
  }

  return {
    name,
    stage: 'route',
    operations: ['model.invoke'],
    around(call, next) {
      let routed: Call<'model.invoke'>
      try {
        const route = routeOf(call)
        if (route.guided !== undefined) return guided.carryOut(route, route.guided, call, next)
        const ranking = rankingOf(route, call)
        if (route.targets.length > 1) call.trace.decide(name, 'ranked', rankingFacts(route, ranking, ranking.order))
        routed = routedTo(call, route, ranking.order)
      } catch (error) {
        return Promise.reject(error)
      }
      return next(routed)
    },
    async explain(call): Promise<Explained<'model.invoke'>> {
      const route = routeOf(call)
      if (route.guided !== undefined) return guided.explain(route, route.guided, call)
      const ranking = rankingOf(route, call)
      return {
        decisions: [{ decision: 'ranked', because: rankingFacts(route, ranking, ranking.order) }],
        call: routedTo(call, route, ranking.order),
      }
    },
  }
}
