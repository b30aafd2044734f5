import type { Evidence } from './cut.ts'
import { FEATURES } from './features.ts'
import type { Example, Scorer } from './logistic.ts'
import type { SavedPairEvidence } from './pair-evidence.ts'
import type { SavedTermWeights } from './term-weights.ts'

/** Version of the saved form; another is not read. */
export const STATE_VERSION = 1

/** A policy's state as plain JSON. */
export interface SavedPolicy {
  readonly version: number
  /** When the last label came in, by the policy's clock. */
  readonly lastLabelAt: number
  readonly labels: number
  readonly audits: number
  readonly requests: number
  readonly lookups: number
  readonly scorer:
    | { readonly means: readonly number[]; readonly scales: readonly number[]; readonly weights: readonly number[] }
    | undefined
  /** Score, right (1 or 0), weight; oldest first. */
  readonly evidence: readonly (readonly [number, number, number])[]
  /** Right (1 or 0), weight, features; oldest first. */
  readonly examples: readonly (readonly number[])[]
  readonly terms: SavedTermWeights
  readonly pairs: SavedPairEvidence
}

/** Whether it was learnt of these features. */
export function isOfFeatures({ scorer, examples }: SavedPolicy): boolean {
  const size = FEATURES.length
  if (examples.some((row) => row.length !== size + 2)) return false
  if (scorer === undefined) return true
  return scorer.means.length === size && scorer.scales.length === size && scorer.weights.length === size + 1
}

/** A scorer as plain JSON. */
export function savedScorer(scorer: Scorer | undefined): SavedPolicy['scorer'] {
  if (scorer === undefined) return undefined
  const { means, scales, weights } = scorer
  return { means: [...means], scales: [...scales], weights: [...weights] }
}

/** The scorer of a saved policy. */
export function scorerOf({ scorer }: SavedPolicy): Scorer | undefined {
  if (scorer === undefined) return undefined
  const { means, scales, weights } = scorer
  return { means: Float64Array.from(means), scales: Float64Array.from(scales), weights: Float64Array.from(weights) }
}

/** Evidence as plain JSON, oldest first. */
export function savedEvidence(evidence: readonly Evidence[]): SavedPolicy['evidence'] {
  return evidence.map(({ score, right, weight }) => [round(score), Number(right), round(weight)])
}

/** The evidence of a saved policy. */
export function evidenceOf({ evidence }: SavedPolicy): readonly Evidence[] {
  return evidence.map(([score, right, weight]) => ({ score, right: right === 1, weight }))
}

/** Examples as plain JSON, oldest first. */
export function savedExamples(examples: readonly Example[]): SavedPolicy['examples'] {
  return examples.map(({ features, right, weight }) => [Number(right), round(weight), ...[...features].map(round)])
}

/** The examples of a saved policy. */
export function examplesOf({ examples }: SavedPolicy): readonly Example[] {
  return examples.map(([right, weight, ...features]) => ({
    features: Float64Array.from(features),
    right: right === 1,
    weight: weight as number,
  }))
}

const ROWS_A_SLICE = 2_000

/** The JSON of a list whose rows are made ready by `saved`, some of them a slice. */
export function* textInSlices<T>(
  list: readonly T[],
  saved: (rows: readonly T[]) => readonly unknown[],
): Generator<undefined, string> {
  const texts: string[] = []
  for (let first = 0; first < list.length; first += ROWS_A_SLICE) {
    texts.push(JSON.stringify(saved(list.slice(first, first + ROWS_A_SLICE))).slice(1, -1))
    yield
  }
  return `[${texts.join(',')}]`
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
