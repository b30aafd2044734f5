import { type Scores, scoreOf } from './scores.ts'
import { ascendingByName, type Ranked, type Ranker } from './strategy.ts'

/** Most score for the expected cost first, by the scores of the call's kind; those without a score or a price come last. */
export function qualityPerPrice(scores: Scores): Ranker {
  const { asOf, source } = scores
  return (_call, candidates, { taskClass }) => {
    const said = candidates.map((candidate): Ranked & { readonly value: number } => {
      const score = scoreOf(scores, taskClass, candidate.target.model)
      const cost = candidate.expectedCost
      const because = score === undefined ? 'no score' : `score ${score} for ${taskClass} (${source}, ${asOf})`
      return { ...candidate, because, value: score === undefined || cost === undefined ? 0 : score / Math.max(1, cost) }
    })
    return ascendingByName(said, ({ value }) => -value)
  }
}
