import { Untold, ValueWriter } from './write-values.ts'

/** Parameters of a statement at most, in bytes. */
const MOST_BYTES = 65_536

/**
 * Parameters as a field of a key: 1, 1n, '1' and true differ, as do null and undefined, 0 and -0, a text and its bytes. Why not, where
 * one has no exact form or they are too many.
 */
export function paramsField(params: readonly unknown[]): Uint8Array | 'content' | 'too-large' {
  const to = new ValueWriter(MOST_BYTES)
  try {
    to.value(Array.from(params))
  } catch (error) {
    if (error instanceof Untold) return error.why
    throw error
  }
  return to.done()
}
