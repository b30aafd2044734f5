import { SwitchyardError } from '@switchyard/contract'
import type { Occasion } from '../own-calls/own-calls.ts'
import { hashedEncoderId, hashedNgramsOf } from './hashed-ngrams.ts'

/** Makes the vector that a question is looked up by. */
export interface Encoder {
  /** Names the vectors, their length among it: those of two ids are never compared. */
  readonly id: string
  readonly dimensions: number
  /** Whether to ask it now; otherwise the level is off for the call. May begin to find out, by the occasion. */
  ready(occasion: Occasion): boolean
  /** A unit vector. Rejects where there is none, and never gives a doubtful one. */
  encode(text: string, occasion: Occasion): Promise<Float32Array>
  /** Told that a vector came in time, or why none did. */
  note(failure: unknown): void
}

/** The embedded one: in the calling thread, always ready. */
export function hashedEncoder(dimensions: number): Encoder {
  return {
    id: hashedEncoderId(dimensions),
    dimensions,
    ready: () => true,
    async encode(text) {
      const vector = hashedNgramsOf(text, dimensions)
      // Of unit length, unless there is nothing in the text or all of it is cancelled out.
      if (vector.every(isZero)) throw invalid('has no direction')
      return vector
    },
    note: () => {},
  }
}

const isZero = (value: number): boolean => value === 0

/** Members are equal but for this: a vector that says the same of every text. */
const FLAT = 1e-6

/**
 * What an upstream gave, as a unit vector. Throws `UPSTREAM_INVALID` for another length, for what is no finite number, for zeros and for
 * members that are all alike.
 */
export function checkedVector(given: unknown, dimensions: number): Float32Array {
  if (!Array.isArray(given) && !(given instanceof Float32Array)) throw invalid('is no list of numbers')
  if (given.length !== dimensions) throw invalid(`has ${given.length} members, not ${dimensions}`)
  let squares = 0
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const value of given as ArrayLike<unknown> & Iterable<unknown>) {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid('has members that are no finite numbers')
    squares += value * value
    if (value < least) least = value
    if (value > most) most = value
  }
  const length = Math.sqrt(squares)
  if (length === 0 || !Number.isFinite(length)) throw invalid('has no direction')
  if (dimensions > 1 && (most - least) / length < FLAT) throw invalid('has members that are all alike')
  return Float32Array.from(given as ArrayLike<number>, (value) => value / length)
}

function invalid(wrong: string): SwitchyardError {
  return new SwitchyardError('UPSTREAM_INVALID', `a vector ${wrong}`, { retryable: false })
}
