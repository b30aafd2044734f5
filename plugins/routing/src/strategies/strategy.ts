import type { TargetHealth } from '@switchyard/contract'
import type { Target } from '../table.ts'

/** A target that may serve the call, with what is known of it now. */
export interface Candidate {
  readonly target: Target
  /** Undefined where the assembly has no health plugin. */
  readonly health: TargetHealth | undefined
  /** Expected cost of the call in pico-USD; undefined where the catalog has no price. */
  readonly expectedCost: number | undefined
}

export interface RankContext {
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** What the call is sticky by; undefined where it is not. */
  readonly stickyKey: string | undefined
}

/** Puts candidates in order, best first. Pure but for `random`; returns every candidate exactly once. */
export type Strategy = (candidates: readonly Candidate[], context: RankContext) => readonly Candidate[]

/** Ascending by a number, the given order among equals. */
export function ascending(candidates: readonly Candidate[], scoreOf: (candidate: Candidate) => number): readonly Candidate[] {
  return candidates
    .map((candidate, index) => ({ candidate, index, score: scoreOf(candidate) }))
    .sort((a, b) => (a.score === b.score ? a.index - b.index : a.score - b.score))
    .map(({ candidate }) => candidate)
}
