import type { Question } from './question.ts'

/**
 * What is learnt of single stems: how much it speaks for a shared answer that both questions hold one, and against it that only one
 * does. An online logistic model over those stems, steps by AdaGrad (Duchi et al. 2011), learnt from the same labels as the scorer.
 */
export interface PairEvidence {
  /** The logit that a pair shares its answer, by its stems alone. */
  of(one: Terms, other: Terms): number
  /** Takes in a label; `weight` is 1 / the probability with which it was asked. */
  learn(one: Terms, other: Terms, right: boolean, weight: number): void
  save(): SavedPairEvidence
}

/** Terms are all that is looked at of a question. */
export type Terms = Pick<Question, 'terms'>

/** Features with their weight and the sum of their squared gradients. */
export type SavedPairEvidence = readonly (readonly [number, number, number])[]

interface Learnt {
  weight: number
  squares: number
}

const RATE = 0.5
const FIRST_SQUARES = 0.1
const MOST_WEIGHT = 5

/** Keeps at most `maxFeatures` (a term may be two); once full, the quarter that had the least to say is forgotten. */
export function pairEvidence(maxFeatures: number, saved: SavedPairEvidence = []): PairEvidence {
  const learnt = new Map<number, Learnt>(saved.map(([feature, weight, squares]) => [feature, { weight, squares }]))
  const logitOf = (features: readonly number[]): number => {
    let sum = 0
    for (const feature of features) sum += learnt.get(feature)?.weight ?? 0
    return features.length === 0 ? 0 : sum / Math.sqrt(features.length)
  }
  const forget = (): void => {
    const bound = [...learnt.values()].map(({ squares }) => squares).toSorted((a, b) => a - b)[
      Math.floor(maxFeatures / 4)
    ] as number
    for (const [feature, { squares }] of learnt) if (squares <= bound) learnt.delete(feature)
  }
  return {
    of: (one, other) => logitOf(featuresOf(one.terms, other.terms)),
    learn(one, other, right, weight) {
      const features = featuresOf(one.terms, other.terms)
      if (features.length === 0) return
      const probability = 1 / (1 + Math.exp(-logitOf(features)))
      const gradient = (((right ? 1 : 0) - probability) * Math.min(weight, MOST_WEIGHT)) / Math.sqrt(features.length)
      for (const feature of features) {
        let known = learnt.get(feature)
        if (known === undefined) {
          known = { weight: 0, squares: FIRST_SQUARES }
          learnt.set(feature, known)
        }
        known.squares += gradient * gradient
        known.weight += (RATE * gradient) / Math.sqrt(known.squares)
      }
      if (learnt.size > maxFeatures) forget()
    },
    save: () => [...learnt].map(([feature, { weight, squares }]) => [feature, round(weight), round(squares)]),
  }
}

/** A term that both hold is an even number, one that only one does an odd one. */
function featuresOf(one: Int32Array, other: Int32Array): readonly number[] {
  const features: number[] = []
  let at = 0
  let to = 0
  while (at < one.length || to < other.length) {
    const mine = at < one.length ? (one[at] as number) : Number.POSITIVE_INFINITY
    const its = to < other.length ? (other[to] as number) : Number.POSITIVE_INFINITY
    features.push(mine === its ? 2 * mine : 2 * Math.min(mine, its) + 1)
    if (mine <= its) at += 1
    if (its <= mine) to += 1
  }
  return features
}

function round(value: number): number {
  return Math.round(value * 1e5) / 1e5
}
