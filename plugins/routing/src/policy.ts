import type { Alternative, Attributes, Call, Explained, ModelRequest, Policy } from '@switchyard/contract'
import { type Knowledge, RequestFacts } from './facts.ts'
import { type Ranking, rank } from './rank.ts'
import type { Candidate } from './strategies/strategy.ts'
import { deploymentName, type Route } from './table.ts'

export interface RoutingContext {
  readonly name: string
  /** Instance that public names are addressed to. */
  readonly instance: string
  readonly routes: ReadonlyMap<string, Route>
  readonly knowledge: Knowledge
  /** Tokens of a request's prompt, estimated. */
  readonly estimate: (request: ModelRequest) => number
}

/** Routes kept for models that are asked for by their own names. */
const MAX_DIRECT = 4_096

/**
 * Replaces a call's target by the best of its route and hands the others on as alternatives. A model that is asked for by its own name
 * is a route of one. Decides without waiting for anything; rejects as `rank` throws.
 */
export function routingPolicy(context: RoutingContext): Policy<'model.invoke'> {
  const { name, instance, routes, knowledge, estimate } = context
  const direct = new Map<string, Route>()

  function directRoute(target: string, model: string): Route {
    const deployment = deploymentName(target, model)
    const known = direct.get(deployment)
    if (known !== undefined) return known
    const only = { instance: target, model, deployment, weight: 1, canaryPercent: undefined, when: undefined }
    const route: Route = { name: model, strategy: 'priority', stickyBy: undefined, targets: [only] }
    if (direct.size === MAX_DIRECT) direct.clear()
    direct.set(deployment, route)
    return route
  }

  function decide(call: Call<'model.invoke'>): { readonly route: Route; readonly ranking: Ranking } {
    const { request, target } = call
    const route = (target === instance ? routes.get(request.model) : undefined) ?? directRoute(target, request.model)
    return { route, ranking: rank(route, call, new RequestFacts(call, estimate), knowledge) }
  }

  return {
    name,
    stage: 'route',
    operations: ['model.invoke'],
    around(call, next) {
      let routed: Call<'model.invoke'>
      try {
        const { route, ranking } = decide(call)
        if (route.targets.length > 1) call.trace.decide(name, 'ranked', because(route, ranking))
        routed = apply(call, route, ranking)
      } catch (error) {
        return Promise.reject(error)
      }
      return next(routed)
    },
    async explain(call): Promise<Explained<'model.invoke'>> {
      const { route, ranking } = decide(call)
      return {
        decisions: [{ decision: 'ranked', because: because(route, ranking) }],
        call: apply(call, route, ranking),
      }
    },
  }
}

function apply(call: Call<'model.invoke'>, route: Route, { order }: Ranking): Call<'model.invoke'> {
  const [first, ...rest] = order as readonly [Candidate, ...Candidate[]]
  const best = alternative(call, route, first)
  return rest.length === 0
    ? { ...call, ...best }
    : { ...call, ...best, alternatives: rest.map((candidate) => alternative(call, route, candidate)) }
}

function alternative(call: Call<'model.invoke'>, route: Route, { target }: Candidate): Alternative<'model.invoke'> {
  const { request } = call
  const attributes: Attributes =
    route.name === target.model
      ? { ...call.attributes, deployment: target.deployment }
      : { ...call.attributes, deployment: target.deployment, route: route.name }
  return {
    target: target.instance,
    request: request.model === target.model ? request : { ...request, model: target.model },
    attributes,
  }
}

function because(route: Route, { order, leftOut, panic }: Ranking): Readonly<Record<string, unknown>> {
  return {
    route: route.name,
    strategy: route.strategy,
    order: order.map(({ target }) => target.deployment),
    ...(order.some(({ expectedCost }) => expectedCost !== undefined) && {
      expectedPicoUsd: order.map(({ expectedCost }) => expectedCost ?? null),
    }),
    ...(leftOut.length > 0 && {
      leftOut: leftOut.map(({ target, why, because: reason }) => ({ deployment: target.deployment, why, because: reason })),
    }),
    ...(panic && { panic }),
  }
}
