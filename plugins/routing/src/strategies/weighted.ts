import { unitHash } from '../hash.ts'
import { ascending, type Candidate, type Strategy } from './strategy.ts'

/**
 * A weighted random order without replacement: the first is drawn by weight, the second by weight among the rest, and so on. Sticky
 * calls draw from a hash of their key instead, so that a target that leaves moves only its own calls (weighted rendezvous hashing,
 * Schindelhauer and Schomaker 2005). Weight 0 comes last.
 */
export const weighted: Strategy = (candidates, { random, stickyKey }) =>
  ascending(candidates, (candidate) => {
    const weight = weightOf(candidate)
    if (weight === 0) return Number.POSITIVE_INFINITY
    const drawn = stickyKey === undefined ? random() : unitHash(`${stickyKey}\n${candidate.target.deployment}`)
    return -Math.log(1 - drawn) / weight
  })

function weightOf({ target, health }: Candidate): number {
  return target.weight * (health?.weight ?? 1)
}
