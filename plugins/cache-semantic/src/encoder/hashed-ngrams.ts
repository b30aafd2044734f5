import { crc32 } from 'node:zlib'
import { wordsOf } from './words.ts'

/** Dimensions of the embedded encoder where nothing else is asked for. */
export const HASHED_DIMENSIONS = 1_024

/** Names the encoder and its size; a change of either is a new id, since vectors of two encoders are never compared. */
export const HASHED_ENCODER_ID: string = hashedEncoderId(HASHED_DIMENSIONS)

const GRAM_WEIGHT = 1
const WORD_WEIGHT = 2
const SIGN = 0x1_0000

/** A vector as whole numbers times one scale, without its zeros; some hundred members for a question. */
export interface SparseVector {
  /** Ascending. */
  readonly indexes: Uint16Array
  readonly counts: Int32Array
  /** Makes the counts a unit vector; 0 where there are none. */
  readonly scale: number
}

/** The id of the encoder with so many dimensions. */
export function hashedEncoderId(dimensions: number): string {
  return `hashed-ngrams-${dimensions}-v1`
}

/**
 * A unit vector of hashed character 3- and 4-grams (weight 1) and words (weight 2), with signs, after the hashing trick (Weinberger et
 * al. 2009). Needs no weights and nothing fitted; alike texts share most of their grams. Any script. A text without letters or digits
 * gives zeros.
 */
export function hashedNgrams(text: string): Float32Array {
  return hashedNgramsOf(text, HASHED_DIMENSIONS)
}

/** `hashedNgrams` with so many dimensions, a whole number from 1; the fewer, the more grams share one. */
export function hashedNgramsOf(text: string, dimensions: number): Float32Array {
  const sums = sumsOf(text, dimensions)
  let squares = 0
  for (const sum of sums) squares += sum * sum
  const scale = scaleOf(squares)
  const vector = new Float32Array(dimensions)
  for (let at = 0; at < dimensions; at += 1) vector[at] = (sums[at] as number) * scale
  return vector
}

/** `hashedNgrams` without its zeros. */
export function sparseNgrams(text: string): SparseVector {
  const sums = sumsOf(text, HASHED_DIMENSIONS)
  let size = 0
  let squares = 0
  for (const sum of sums) {
    if (sum !== 0) size += 1
    squares += sum * sum
  }
  const indexes = new Uint16Array(size)
  const counts = new Int32Array(size)
  let to = 0
  for (let at = 0; at < HASHED_DIMENSIONS; at += 1) {
    const sum = sums[at] as number
    if (sum === 0) continue
    indexes[to] = at
    counts[to] = sum
    to += 1
  }
  return { indexes, counts, scale: scaleOf(squares) }
}

function sumsOf(text: string, dimensions: number): Int32Array {
  const sums = new Int32Array(dimensions)
  const words = wordsOf(text)
  for (const word of words) add(sums, `w:${word}`, WORD_WEIGHT)
  const padded = ` ${words.join(' ')} `
  for (const size of [3, 4]) {
    for (let at = 0; at + size <= padded.length; at += 1) add(sums, padded.slice(at, at + size), GRAM_WEIGHT)
  }
  return sums
}

function scaleOf(squares: number): number {
  return squares === 0 ? 0 : 1 / Math.sqrt(squares)
}

function add(sums: Int32Array, feature: string, weight: number): void {
  const hash = crc32(feature)
  const at = hash % sums.length
  sums[at] = (sums[at] as number) + (hash & SIGN ? -weight : weight)
}
