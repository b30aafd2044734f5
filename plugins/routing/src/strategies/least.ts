import { ascending, type Candidate, type Strategy } from './strategy.ts'

/** Fewest attempts under way first, each counted by the target's weight. */
export const leastBusy: Strategy = (candidates) =>
  ascending(candidates, ({ target, health }) => ((health?.inFlight ?? 0) + 1) / share(target.weight, health?.weight))

/**
 * Least expected time to the first content first: the moving average times the attempts under way, as peak-EWMA balancers have it. A
 * target without samples counts as the fastest, so that it gets some.
 */
export const lowestLatency: Strategy = (candidates) =>
  ascending(
    candidates,
    ({ health }) => ((health?.firstTokenMs ?? 0) * ((health?.inFlight ?? 0) + 1)) / share(1, health?.weight),
  )

/** Least expected cost first; targets without a price come last. */
export const lowestPrice: Strategy = (candidates) =>
  ascending(candidates, ({ expectedCost }: Candidate) => expectedCost ?? Number.POSITIVE_INFINITY)

function share(weight: number, healthWeight: number | undefined): number {
  return Math.max(1e-9, weight * (healthWeight ?? 1))
}
