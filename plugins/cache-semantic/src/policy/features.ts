import { jaccard } from './hashed-sets.ts'
import type { PairEvidence } from './pair-evidence.ts'
import type { Question } from './question.ts'
import type { Ranked } from './ranking.ts'
import type { TermWeights } from './term-weights.ts'
import { namesDiffer, opposed } from './vetoes.ts'
import type { Standing } from './votes.ts'

/** Names of the features, in their order. */
export const FEATURES: readonly string[] = [
  'similarity',
  'similarity squared',
  'margin',
  'share',
  'weighted share',
  'odds of the group',
  'labels of the group',
  'word overlap',
  'weighted word overlap',
  'least weighted containment',
  'most telling unmatched word',
  'numbers differ',
  'negation differs',
  'same asker',
  'opposites',
  'names differ',
  'length ratio',
  'trigram overlap',
  'bigram overlap',
  'same beginning',
  'encoder similarity',
  'term similarity',
  'evidence of the stems',
  'wide share',
  'support',
]

/** What features are worked out of. */
export interface FeatureSources {
  readonly weights: TermWeights
  readonly pairs: PairEvidence
}

/** What the scorer is told of a question and the candidate that may answer it, in the order of `FEATURES`. */
export function featuresOf(
  asked: Question,
  candidate: Ranked,
  standing: Standing,
  { weights, pairs }: FeatureSources,
): Float64Array {
  const stored = candidate.question
  const overlap = wordOverlap(asked, stored, weights)
  const { good, bad } = standing.group
  return Float64Array.of(
    candidate.blended,
    candidate.blended * candidate.blended,
    candidate.blended - standing.runnerUp,
    standing.share,
    standing.weightedShare,
    Math.log(good / bad),
    Math.log(good + bad),
    jaccard(asked.hashes, stored.hashes),
    overlap.weighted,
    overlap.leastContained,
    overlap.mostTelling / 10,
    asked.facts.numbers === stored.facts.numbers ? 0 : 1,
    asked.negated === stored.negated ? 0 : 1,
    asked.asks === stored.asks ? 1 : 0,
    opposed(asked, stored) ? 1 : 0,
    namesDiffer(asked, stored) ? 1 : 0,
    ratioOf(Math.min(asked.words.length, stored.words.length), Math.max(asked.words.length, stored.words.length)),
    jaccard(asked.trigrams, stored.trigrams),
    jaccard(asked.bigrams, stored.bigrams),
    asked.words[0] === stored.words[0] && asked.words[1] === stored.words[1] ? 1 : 0,
    candidate.similarity,
    candidate.termSimilarity,
    pairs.of(asked, stored),
    standing.wideShare,
    standing.support,
  )
}

interface WordOverlap {
  readonly weighted: number
  readonly leastContained: number
  readonly mostTelling: number
}

function wordOverlap({ stems: one }: Question, { stems: other }: Question, weights: TermWeights): WordOverlap {
  let shared = 0
  let onlyOne = 0
  let onlyOther = 0
  let mostTelling = 0
  let at = 0
  let to = 0
  while (at < one.length || to < other.length) {
    const mine = at < one.length ? (one[at] as number) : Number.POSITIVE_INFINITY
    const its = to < other.length ? (other[to] as number) : Number.POSITIVE_INFINITY
    const weight = weights.of(Math.min(mine, its))
    if (mine === its) shared += weight
    else {
      if (mine < its) onlyOne += weight
      else onlyOther += weight
      if (weight > mostTelling) mostTelling = weight
    }
    if (mine <= its) at += 1
    if (its <= mine) to += 1
  }
  return {
    weighted: ratioOf(shared, shared + onlyOne + onlyOther),
    leastContained: Math.min(ratioOf(shared, shared + onlyOne), ratioOf(shared, shared + onlyOther)),
    mostTelling,
  }
}

function ratioOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
