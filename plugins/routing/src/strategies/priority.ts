import { unitHash } from '../hash.ts'
import type { Candidate, RankContext, Strategy } from './strategy.ts'

/**
 * As listed, with regard to health: a target that is coming back keeps its place for the share of calls that its health's weight says
 * and is last for the others; a degraded one comes after those that are well. A sticky call draws by its key, and stays with a degraded
 * target. Where an ejected target is among the candidates, health is a bad guide and the list stands.
 */
export const priority: Strategy = (candidates, context) => {
  if (candidates.every(isWell) || candidates.some(({ health }) => health?.state === 'ejected')) return candidates
  const kept: Candidate[] = []
  const degraded: Candidate[] = []
  const waiting: Candidate[] = []
  for (const candidate of candidates) {
    if (candidate.health?.state === 'degraded' && context.stickyKey === undefined) degraded.push(candidate)
    else if (hasItsTurn(candidate, context)) kept.push(candidate)
    else waiting.push(candidate)
  }
  return [...kept, ...degraded, ...waiting]
}

function isWell({ health }: Candidate): boolean {
  return health === undefined || (health.state === 'healthy' && health.weight >= 1)
}

/** One draw a call and target, so that two that come back together take their shares apart. */
function hasItsTurn(candidate: Candidate, { random, stickyKey }: RankContext): boolean {
  if (isWell(candidate) || candidate.health?.state === 'degraded') return true
  const drawn = stickyKey === undefined ? random() : unitHash(`${stickyKey}\n${candidate.target.deployment}\nturn`)
  return drawn < (candidate.health?.weight ?? 1)
}
