import type { Alternative, Attributes, Call } from '@switchyard/contract'
import type { Ranking } from './rank.ts'
import type { Candidate, Ranked } from './strategies/strategy.ts'
import type { Route } from './table.ts'

/** A call as it goes to the first of an order, with the others as its alternatives. `attributes` are those that all of them share. */
export function routedTo(
  call: Call<'model.invoke'>,
  route: Route,
  order: readonly Candidate[],
  attributes: Attributes = call.attributes,
): Call<'model.invoke'> {
  const [first, ...rest] = order as readonly [Candidate, ...Candidate[]]
  const best = alternativeOf(call, route, first, attributes)
  return rest.length === 0
    ? { ...call, ...best }
    : { ...call, ...best, alternatives: rest.map((candidate) => alternativeOf(call, route, candidate, attributes)) }
}

/** What of a call changes where one candidate serves it. */
export function alternativeOf(
  { request }: Call<'model.invoke'>,
  route: Route,
  { target }: Candidate,
  shared: Attributes,
): Alternative<'model.invoke'> {
  const attributes: Attributes =
    route.name === target.model
      ? { ...shared, deployment: target.deployment }
      : { ...shared, deployment: target.deployment, route: route.name }
  return {
    target: target.instance,
    request: request.model === target.model ? request : { ...request, model: target.model },
    attributes,
  }
}

/** A ranking for the decision trace. */
export function rankingFacts(
  route: Route,
  { leftOut, panic }: Pick<Ranking, 'leftOut' | 'panic'>,
  order: readonly Ranked[],
): Readonly<Record<string, unknown>> {
  return {
    route: route.name,
    strategy: route.strategy,
    order: order.map(({ target }) => target.deployment),
    ...(order.some(({ expectedCost }) => expectedCost !== undefined) && {
      expectedPicoUsd: order.map(({ expectedCost }) => expectedCost ?? null),
    }),
    ...(order.some(hasReason) && { reasons: order.map(({ because }) => because ?? null) }),
    ...(leftOut.length > 0 && {
      leftOut: leftOut.map(({ target, why, because: reason }) => ({ deployment: target.deployment, why, because: reason })),
    }),
    ...(panic && { panic }),
  }
}

function hasReason({ because }: Ranked): boolean {
  return because !== undefined
}
