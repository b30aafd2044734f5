import type { Terms } from './pair-evidence.ts'
import type { Question } from './question.ts'
import type { Ranked } from './ranking.ts'

/** What is learnt of one look-up whose truth came to be known: no text, so that nodes may tell each other. */
export interface Label {
  readonly right: boolean
  /** Of a hit; else of a miss. */
  readonly audit: boolean
  /** 1 / the probability with which it was asked; at least 1. */
  readonly weight: number
  /** That the scorer gave; undefined before the first fit. */
  readonly probability: number | undefined
  /** In the order of `FEATURES`. */
  readonly features: Float64Array
  readonly asked: Terms
  readonly stored: Terms
}

interface Looked {
  readonly question: Question
  readonly candidate: Ranked
  readonly probability: number | undefined
  readonly features: Float64Array
  readonly serve: boolean
  readonly weight: number
}

/** The label of a verdict. */
export function labelOf({ question, candidate, probability, features, serve, weight }: Looked, right: boolean): Label {
  return { right, audit: serve, weight, probability, features, asked: question, stored: candidate.question }
}
