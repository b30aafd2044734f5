import { HASHED_DIMENSIONS, HASHED_ENCODER_ID, type SparseVector, sparseNgrams } from '../encoder/hashed-ngrams.ts'
import { type Question, questionOf } from '../policy/question.ts'
import { type NearestIndex, sparseIndex } from './nearest.ts'

/** A request of a data set: equal labels may share an answer. */
export interface Labelled {
  readonly text: string
  readonly label: string
}

/** A request made ready to be replayed any number of times. */
export interface Prepared<V> {
  readonly question: Question
  readonly vector: V
  readonly label: string
}

/** An encoder as the harness takes it: vectors of one kind, and the exact search among them. */
export interface HarnessEncoder<V> {
  readonly id: string
  encode(texts: readonly string[]): Promise<readonly V[]>
  index(): NearestIndex<V>
}

/** The embedded encoder. */
export const HASHED_ENCODER: HarnessEncoder<SparseVector> = {
  id: HASHED_ENCODER_ID,
  encode: async (texts) => texts.map(sparseNgrams),
  index: () => sparseIndex(HASHED_DIMENSIONS),
}

/** Makes a data set ready. */
export async function prepare<V>(
  rows: readonly Labelled[],
  encoder: HarnessEncoder<V>,
  language?: string,
): Promise<readonly Prepared<V>[]> {
  const vectors = await encoder.encode(rows.map(({ text }) => text))
  return rows.map(({ text, label }, at) => ({ question: questionOf(text, language), vector: vectors[at] as V, label }))
}
