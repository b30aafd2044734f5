import type { RankedTarget, StrategyCandidate, Strategy as StrategyPort, TargetHealth } from '@switchyard/contract'
import type { Target } from '../table.ts'

/** A target that may serve the call, with what is known of it now. */
export interface Candidate extends StrategyCandidate {
  readonly target: Target
  /** Undefined where the assembly has no health plugin. */
  readonly health: TargetHealth | undefined
  /** Expected cost of the call in pico-USD; undefined where the catalog has no price. */
  readonly expectedCost: number | undefined
}

/** A candidate in its place, and why it stands there, where the strategy says so. */
export interface Ranked extends Candidate {
  readonly because?: string | undefined
}

export interface RankContext {
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** What the call is sticky by; undefined where it is not. */
  readonly stickyKey: string | undefined
}

/** Puts candidates in order, best first. Pure but for `random`; returns every candidate exactly once. */
export type Strategy = (candidates: readonly Candidate[], context: RankContext) => readonly Ranked[]

/** How a route ranks: a strategy of this plugin, or one that another brings. */
export type Ranker = (
  call: Parameters<StrategyPort['rank']>[0],
  candidates: readonly Candidate[],
  knowledge: Parameters<StrategyPort['rank']>[2],
) => readonly Ranked[]

/** Ascending by a number, the given order among equals. */
export function ascending<C extends Candidate>(candidates: readonly C[], scoreOf: (candidate: C) => number): readonly C[] {
  return candidates
    .map((candidate, index) => ({ candidate, index, score: scoreOf(candidate) }))
    .sort((a, b) => (a.score === b.score ? a.index - b.index : a.score - b.score))
    .map(({ candidate }) => candidate)
}

/** Ascending by a number, the order of names among equals. */
export function ascendingByName<C extends Candidate>(
  candidates: readonly C[],
  scoreOf: (candidate: C) => number,
): readonly C[] {
  const named = candidates.toSorted((a, b) => (a.target.deployment < b.target.deployment ? -1 : 1))
  return ascending(named, scoreOf)
}

/** Makes a ranker of what another plugin brings: whatever it leaves out comes last, and what is no candidate is dropped. */
export function rankerOf(port: StrategyPort): Ranker {
  return (call, candidates, knowledge) => {
    const left = new Map(candidates.map((candidate) => [candidate.target.deployment, candidate]))
    const order: Ranked[] = []
    for (const { target, because, expectedCost } of port.rank(call, candidates, knowledge) as readonly RankedTarget[]) {
      const candidate = left.get(target.deployment)
      if (candidate === undefined) continue
      left.delete(target.deployment)
      order.push({ ...candidate, expectedCost: expectedCost ?? candidate.expectedCost, because })
    }
    for (const candidate of left.values()) order.push({ ...candidate, because: 'left out by the strategy' })
    return order
  }
}
