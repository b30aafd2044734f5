import type { ArmTable } from './arms.ts'
import { ridgeWeights } from './ridge.ts'
import { indexOfTerms, type TermIndex, termSearch } from './term-index.ts'

/** What is known of every arm, by prompt: an index of prompts, what each arm made of them, and a linear model beside. */
export interface Posterior {
  readonly index: TermIndex
  readonly arms: number
  /** Row-major, `row * arms + arm`: score of 0 to 1. */
  readonly outcomes: Float32Array
  /** Term-major, `term * arms + arm`. */
  readonly weights: Float32Array
  readonly meanQuality: Float64Array
  /** Mean cost without the prompt's input, pico-USD. */
  readonly outputCost: Float64Array
  /** Mean cost of one input token, counting how often each model is called, pico-USD. */
  readonly inputPrice: Float64Array
}

/** Neighbours that are asked for. */
export const NEIGHBOURS = 50
const PRIOR = 10
/** A similarity of a third weighs as one neighbour of an unweighted count, so that the prior of 10 means what it says. */
const SIMILARITY_WEIGHT = 3

/** Fits on the given rows of a table; `terms` are those of every row of the table, by `termsOf`. */
export function fitPosterior(
  table: ArmTable,
  terms: readonly ReadonlyMap<number, number>[],
  rows: readonly number[],
): Posterior {
  const arms = table.arms.length
  const kept = rows.map((row) => terms[row] as ReadonlyMap<number, number>)
  const index = indexOfTerms(kept)
  const search = termSearch(index)
  const vectors = kept.map((one) => search.vector(one))
  const outcomes = new Float32Array(rows.length * arms)
  const weights = new Float32Array(index.terms.length * arms)
  const means = { meanQuality: new Float64Array(arms), outputCost: new Float64Array(arms), inputPrice: new Float64Array(arms) }
  const tokens = rows.reduce((sum, row) => sum + (table.inputTokens[row] as number), 0)
  for (let arm = 0; arm < arms; arm += 1) {
    const scores = new Float64Array(rows.length)
    let score = 0
    let cost = 0
    let input = 0
    rows.forEach((row, at) => {
      const cell = arm * table.rows + row
      scores[at] = table.quality[cell] as number
      outcomes[at * arms + arm] = table.quality[cell] as number
      score += table.quality[cell] as number
      cost += table.cost[cell] as number
      input += table.inputCost[cell] as number
    })
    means.meanQuality[arm] = score / rows.length
    means.outputCost[arm] = (cost - input) / rows.length
    means.inputPrice[arm] = input / Math.max(1, tokens)
    const line = ridgeWeights(vectors, scores, score / rows.length, index.terms.length)
    for (let term = 0; term < line.length; term += 1) weights[term * arms + arm] = line[term] as number
  }
  return { index, arms, outcomes, weights, ...means }
}

/** What is expected of each arm on one prompt. The arrays are the estimator's own: read them before the next call. */
export interface Estimate {
  readonly quality: Float64Array
  /** Pico-USD. */
  readonly cost: Float64Array
  /** Sum of the neighbours' similarities: how much the evidence has to do with this prompt. */
  readonly evidence: number
}

/** Estimates quality and cost of each arm for a prompt's terms and its input tokens. Serves one caller at a time. */
export type Estimator = (terms: ReadonlyMap<number, number>, inputTokens: number) => Estimate

/** Makes an estimator: the mean of a nearest-neighbour posterior (50, weighted by similarity, prior 10) and the linear model. */
export function estimator(posterior: Posterior): Estimator {
  const { arms, outcomes, weights, meanQuality, outputCost, inputPrice } = posterior
  const search = termSearch(posterior.index)
  const quality = new Float64Array(arms)
  const cost = new Float64Array(arms)
  return (terms, inputTokens) => {
    const vector = search.vector(terms)
    let evidence = 0
    let mass = PRIOR
    for (let arm = 0; arm < arms; arm += 1) quality[arm] = PRIOR * (meanQuality[arm] as number)
    for (const { row, similarity } of search.nearest(vector, NEIGHBOURS)) {
      const weight = SIMILARITY_WEIGHT * similarity
      evidence += similarity
      mass += weight
      const start = row * arms
      for (let arm = 0; arm < arms; arm += 1)
        quality[arm] = (quality[arm] as number) + weight * (outcomes[start + arm] as number)
    }
    for (let arm = 0; arm < arms; arm += 1) {
      quality[arm] = ((quality[arm] as number) / mass + (meanQuality[arm] as number)) / 2
      cost[arm] = (outputCost[arm] as number) + (inputPrice[arm] as number) * inputTokens
    }
    for (let at = 0; at < vector.terms.length; at += 1) {
      const start = (vector.terms[at] as number) * arms
      const half = (vector.weights[at] as number) / 2
      for (let arm = 0; arm < arms; arm += 1) quality[arm] = (quality[arm] as number) + half * (weights[start + arm] as number)
    }
    return { quality, cost, evidence }
  }
}
