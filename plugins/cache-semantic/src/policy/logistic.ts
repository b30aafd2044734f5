import { solvePositive } from './solve-positive.ts'

/** One judged pair. */
export interface Example {
  readonly features: Float64Array
  readonly right: boolean
  /** 1 / the probability with which it was looked at. */
  readonly weight: number
}

/** A fitted scorer. */
export interface Scorer {
  readonly means: Float64Array
  readonly scales: Float64Array
  /** The intercept last. */
  readonly weights: Float64Array
}

const CLIP = 4
const STEPS = 10
const SETTLED = 1e-4
const ROWS_A_SLICE = 500

/**
 * Ridge logistic regression by Newton's method over standardised features, clipped to +-4, from the weights of an earlier scorer. A
 * generator, so that the event loop is held for a slice at a time: each `next` takes five hundred rows of one step, a millisecond or two
 * for thirty features. Returns the scorer. At least one example.
 */
export function* fitInSlices(examples: readonly Example[], ridge: number, from?: Scorer): Generator<undefined, Scorer> {
  const size = (examples[0] as Example).features.length
  const width = size + 1
  const { means, scales } = standards(examples, size)
  const rows = new Float64Array(examples.length * width)
  for (let at = 0; at < examples.length; at += 1)
    standardise((examples[at] as Example).features, means, scales, rows, at * width)
  const weights = from?.weights.length === width ? Float64Array.from(from.weights) : new Float64Array(width)
  let total = 0
  for (const { weight } of examples) total += weight
  const norm = examples.length / total
  yield
  for (let step = 0; step < STEPS; step += 1) {
    const gradient = new Float64Array(width)
    const curvature = new Float64Array(width * width)
    for (let first = 0; first < examples.length; first += ROWS_A_SLICE) {
      const last = Math.min(first + ROWS_A_SLICE, examples.length)
      for (let at = first; at < last; at += 1) {
        const { right, weight } = examples[at] as Example
        gather(rows, at * width, weights, right ? 1 : 0, norm * weight, gradient, curvature)
      }
      yield
    }
    for (let i = 0; i < size; i += 1) {
      gradient[i] = (gradient[i] as number) + ridge * (weights[i] as number)
      curvature[i * width + i] = (curvature[i * width + i] as number) + ridge
    }
    const move = solvePositive(curvature, gradient)
    let largest = 0
    for (let i = 0; i < width; i += 1) {
      weights[i] = (weights[i] as number) - (move[i] as number)
      largest = Math.max(largest, Math.abs(move[i] as number))
    }
    if (largest < SETTLED) break
  }
  return { means, scales, weights }
}

/** Probability in (0, 1) by a fitted scorer. */
export function score({ means, scales, weights }: Scorer, features: Float64Array): number {
  const size = features.length
  let logit = weights[size] as number
  for (let i = 0; i < size; i += 1) {
    const value = ((features[i] as number) - (means[i] as number)) / (scales[i] as number)
    logit += Math.max(-CLIP, Math.min(CLIP, value)) * (weights[i] as number)
  }
  return probability(logit)
}

/** Adds one row to the gradient and the lower half of the curvature. */
function gather(
  rows: Float64Array,
  from: number,
  weights: Float64Array,
  truth: number,
  weight: number,
  gradient: Float64Array,
  curvature: Float64Array,
): void {
  const width = weights.length
  let logit = 0
  for (let i = 0; i < width; i += 1) logit += (rows[from + i] as number) * (weights[i] as number)
  const p = probability(logit)
  const error = weight * (p - truth)
  const bend = Math.max(1e-6, weight * p * (1 - p))
  for (let i = 0; i < width; i += 1) {
    const value = rows[from + i] as number
    gradient[i] = (gradient[i] as number) + error * value
    const bent = bend * value
    const line = i * width
    for (let j = 0; j <= i; j += 1) curvature[line + j] = (curvature[line + j] as number) + bent * (rows[from + j] as number)
  }
}

function standards(
  examples: readonly Example[],
  size: number,
): { readonly means: Float64Array; readonly scales: Float64Array } {
  const means = new Float64Array(size)
  const scales = new Float64Array(size)
  for (const { features } of examples)
    for (let i = 0; i < size; i += 1) means[i] = (means[i] as number) + (features[i] as number) / examples.length
  for (const { features } of examples)
    for (let i = 0; i < size; i += 1) scales[i] = (scales[i] as number) + ((features[i] as number) - (means[i] as number)) ** 2
  for (let i = 0; i < size; i += 1) scales[i] = Math.sqrt((scales[i] as number) / examples.length) || 1
  return { means, scales }
}

function standardise(
  features: Float64Array,
  means: Float64Array,
  scales: Float64Array,
  into: Float64Array,
  from: number,
): void {
  const size = features.length
  for (let i = 0; i < size; i += 1) {
    const value = ((features[i] as number) - (means[i] as number)) / (scales[i] as number)
    into[from + i] = Math.max(-CLIP, Math.min(CLIP, value))
  }
  into[from + size] = 1
}

function probability(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}
