/** Of int8. */
const LARGEST_8 = 127
/** Of int16. */
const LARGEST_16 = 32_767
const LARGEST_32 = 2 ** 31 - 1

/** The length of a vector; 0 where it has no direction, that is, where all are zeros. */
export function lengthOf(vector: Float32Array): number {
  let sum = 0
  for (let at = 0; at < vector.length; at += 1) sum += (vector[at] as number) ** 2
  return Math.sqrt(sum)
}

/** Writes the vector at unit length, zeros after it; one of all zeros as it is. */
export function writeUnit(vector: Float32Array, to: Float32Array): void {
  const length = lengthOf(vector) || 1
  for (let at = 0; at < vector.length; at += 1) to[at] = (vector[at] as number) / length
  to.fill(0, vector.length)
}

/** What rounding made of a vector: `vector` is about `step` times the integers, and `error` is the length of the difference. */
export interface Rounding {
  readonly step: number
  readonly error: number
}

/** Rounds a stored vector to int8. */
export function roundTo8(vector: Float32Array, to: Int8Array): Rounding {
  let largest = 0
  for (let at = 0; at < vector.length; at += 1) largest = Math.max(largest, Math.abs(vector[at] as number))
  return rounded(vector, to, Math.fround(largest / LARGEST_8))
}

/**
 * Rounds a query to int16, as finely as the sums of its products with int8 fit 32 bits: a query costs one row only, and what its
 * rounding adds to the error of every row is next to nothing.
 */
export function roundTo16(vector: Float32Array, to: Int16Array): Rounding {
  let largest = 0
  let sum = 0
  for (let at = 0; at < vector.length; at += 1) {
    largest = Math.max(largest, Math.abs(vector[at] as number))
    sum += Math.abs(vector[at] as number)
  }
  // Each integer may be half a one larger than its number, and the step may be a hair too small once it is f32.
  const room = 0.999 * (LARGEST_32 / LARGEST_8 - vector.length / 2)
  return rounded(vector, to, Math.fround(Math.max(largest / LARGEST_16, sum / room)))
}

function rounded(vector: Float32Array, to: Int8Array | Int16Array, step: number): Rounding {
  const most = to instanceof Int8Array ? LARGEST_8 : LARGEST_16
  if (step === 0) {
    to.fill(0)
    return { step, error: 0 }
  }
  let sum = 0
  for (let at = 0; at < vector.length; at += 1) {
    const number = vector[at] as number
    const integer = Math.max(-most, Math.min(most, Math.round(number / step)))
    to[at] = integer
    sum += (number - step * integer) ** 2
  }
  return { step, error: Math.sqrt(sum) }
}

/**
 * What f32 arithmetic can add to a cosine of `width` numbers, in the scan and in the exact product together: each of some `width` / 16
 * additions in a lane, and of a dozen steps around them, is off by at most 2^-24 of what it gives.
 */
export function arithmeticError(width: number): number {
  return (width / 16 + 16) * 2 ** -23
}
