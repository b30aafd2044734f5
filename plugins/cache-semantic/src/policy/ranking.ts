import type { Question } from './question.ts'
import type { TermWeights } from './term-weights.ts'

/** Questions whose answers were verified as interchangeable. The caller's own object; it is compared by identity. */
export interface AnswerGroup {
  /** The question that the stored answer was given to. */
  readonly founder: Question
  /** Audits and judgements that passed and failed, both from 1. */
  good: number
  bad: number
}

/** A stored question near the one that is asked. */
export interface Neighbour<G extends AnswerGroup = AnswerGroup> {
  /** The stored entry's id. */
  readonly id: number | string
  readonly question: Question
  readonly group: G
  /** Cosine by the encoder, in [-1, 1]. */
  readonly similarity: number
}

/** A neighbour with what both views say of it. */
export interface Ranked<G extends AnswerGroup = AnswerGroup> extends Neighbour<G> {
  /** Cosine of the terms, weighted by how telling they are, in [0, 1]. */
  readonly termSimilarity: number
  /** Both views, in [-1, 1]: what the neighbours are ranked by. */
  readonly blended: number
}

/** Share of the encoder in the ranking; the terms have the rest. */
const ENCODER_SHARE = 0.5

/** Ranks neighbours by both views, nearest first; those that neither view finds alike are left out. */
export function rank<G extends AnswerGroup>(
  question: Question,
  neighbours: readonly Neighbour<G>[],
  weights: TermWeights,
): readonly Ranked<G>[] {
  const { terms } = question
  const squares = Float64Array.from(terms, (term) => weights.of(term) ** 2)
  let asked = 0
  for (const square of squares) asked += square
  const ranked: Ranked<G>[] = []
  for (const { id, question: stored, group, similarity } of neighbours) {
    let shared = 0
    let held = 0
    let at = 0
    for (const term of stored.terms) {
      while (at < terms.length && (terms[at] as number) < term) at += 1
      if (terms[at] !== term) {
        held += weights.of(term) ** 2
        continue
      }
      shared += squares[at] as number
      held += squares[at] as number
    }
    const termSimilarity = shared === 0 ? 0 : shared / Math.sqrt(asked * held)
    const blended = ENCODER_SHARE * similarity + (1 - ENCODER_SHARE) * termSimilarity
    if (blended > 0) ranked.push({ id, question: stored, group, similarity, termSimilarity, blended })
  }
  return ranked.sort((one, other) => other.blended - one.blended)
}
