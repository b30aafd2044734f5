import type { StoredVector } from './partitioned-vectors.ts'
import { lengthOf } from './quantise.ts'

/** Makes an error: `INVALID_REQUEST` for what can never work, `TOO_LARGE` for what could never fit. */
export type Refuse = (code: 'INVALID_REQUEST' | 'TOO_LARGE', message: string) => Error

/** Numbers that a vector may have, as many as any encoder gives and more. */
export const MAX_DIMENSIONS = 16_384
/** Bytes that a payload may have, as the port says. */
export const MAX_PAYLOAD_BYTES: number = 16 * 1024
/** Items that one search may give, as the port says. */
export const MAX_COUNT = 1_000

/** Checks of what callers give; each throws what `refuse` makes. */
export interface Checks {
  partition(name: string): void
  ids(ids: readonly string[]): void
  count(count: number): void
  /** `dimensions` is the length of those that are there already. */
  vector(vector: Float32Array, dimensions: number | undefined, what: string): void
  items(items: readonly StoredVector[], dimensions: number | undefined): void
}

export function checks(refuse: Refuse): Checks {
  const invalid = (message: string): Error => refuse('INVALID_REQUEST', message)

  function vector(given: Float32Array, dimensions: number | undefined, what: string): void {
    if (given.length > MAX_DIMENSIONS) {
      throw refuse('TOO_LARGE', `${what} has ${given.length} numbers; at most ${MAX_DIMENSIONS} are kept`)
    }
    if (dimensions !== undefined && given.length !== dimensions) {
      const mend = 'give each encoder partitions of its own'
      throw invalid(`${what} has ${given.length} numbers, those of its partition have ${dimensions}; ${mend}`)
    }
    const length = lengthOf(given)
    if (!Number.isFinite(length)) throw invalid(`${what} has numbers that are not finite`)
    if (length === 0) throw invalid(`${what} is all zeros, so it has no direction`)
  }

  function id(given: string): void {
    if (given === '') throw invalid('the id of a vector must not be empty')
  }

  return {
    vector,

    partition(name) {
      if (name === '') throw invalid('a partition must not be empty')
    },

    ids(ids) {
      for (const each of ids) id(each)
    },

    count(count) {
      if (!(Number.isInteger(count) && count >= 1 && count <= MAX_COUNT)) {
        throw invalid(`the count of a search is ${count}; give a whole number from 1 to ${MAX_COUNT}`)
      }
    },

    items(items, dimensions) {
      for (const item of items) {
        id(item.id)
        const what = `the vector of ${JSON.stringify(item.id.slice(0, 64))}`
        vector(item.vector, dimensions ?? items[0]?.vector.length, what)
        if (Number.isNaN(item.expiresAt)) throw invalid(`the expiresAt of ${what} must be epoch milliseconds, not NaN`)
        if ((item.payload?.byteLength ?? 0) <= MAX_PAYLOAD_BYTES) continue
        throw refuse(
          'TOO_LARGE',
          `the payload of ${what} has ${item.payload?.byteLength} bytes; at most ${MAX_PAYLOAD_BYTES} are kept`,
        )
      }
    },
  }
}
