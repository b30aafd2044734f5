const LEAST = 1e-9

/**
 * Solves A x = b for a symmetric positive matrix, row by row in one array of which only the lower half is read, by Cholesky's method.
 * Overwrites A. A pivot that rounding made less than nothing counts as almost none.
 */
export function solvePositive(matrix: Float64Array, right: Float64Array): Float64Array {
  const size = right.length
  const at = (row: number, column: number): number => matrix[row * size + column] as number
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = at(i, j)
      for (let k = 0; k < j; k += 1) sum -= at(i, k) * at(j, k)
      matrix[i * size + j] = i === j ? Math.sqrt(Math.max(sum, LEAST)) : sum / at(j, j)
    }
  }
  const found = new Float64Array(size)
  for (let i = 0; i < size; i += 1) {
    let sum = right[i] as number
    for (let k = 0; k < i; k += 1) sum -= at(i, k) * (found[k] as number)
    found[i] = sum / at(i, i)
  }
  for (let i = size - 1; i >= 0; i -= 1) {
    let sum = found[i] as number
    for (let k = i + 1; k < size; k += 1) sum -= at(k, i) * (found[k] as number)
    found[i] = sum / at(i, i)
  }
  return found
}
