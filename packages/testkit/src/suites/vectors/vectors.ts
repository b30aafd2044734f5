import assert from 'node:assert/strict'
import type { VectorIndex, VectorMatch } from '@switchyard/contract'

/** Numbers of a vector where the index takes any. */
const DIMENSIONS = 24
/** What storing and computing in f32 may lose. */
const CLOSE = 1e-4

/** Numbers that this index takes. */
export function dimensionsOf({ capabilities }: VectorIndex): number {
  return capabilities.dimensions === 'any' ? DIMENSIONS : capabilities.dimensions
}

/** A vector that begins with these numbers and has zeros after them. */
export function vector(index: VectorIndex, ...first: readonly number[]): Float32Array {
  const numbers = new Float32Array(dimensionsOf(index))
  numbers.set(first)
  return numbers
}

/** A vector of some numbers, another for each seed. */
export function scattered(index: VectorIndex, seed: number): Float32Array {
  let state = (seed + 1) * 2_654_435_761
  return Float32Array.from({ length: dimensionsOf(index) }, () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_507) + 0x9e3779b9) >>> 0
    return state / 2 ** 31 - 1
  })
}

/** The cosine of two vectors. */
export function cosine(one: Float32Array, other: Float32Array): number {
  const product = (a: Float32Array, b: Float32Array): number =>
    a.reduce((sum, number, at) => sum + number * (b[at] as number), 0)
  return product(one, other) / Math.sqrt(product(one, one) * product(other, other))
}

/** UTF-8 of a text, as a payload. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** The ids of the nearest, nearest first. */
export async function nearestIds(index: VectorIndex, partition: string, to: Float32Array, count = 10): Promise<string[]> {
  return (await index.nearest(partition, { vector: to, count })).map(({ id }) => id)
}

/** Asserts that exactly these are in the partition, in any order. */
export async function holdsIds(index: VectorIndex, partition: string, ids: readonly string[], what: string): Promise<void> {
  const found = await nearestIds(index, partition, vector(index, 1), 1000)
  assert.deepEqual(found.toSorted(), [...ids].sort(), what)
}

/** The match of an id among the nearest. */
export async function matchOf(index: VectorIndex, partition: string, to: Float32Array, id: string): Promise<VectorMatch> {
  const found = await index.nearest(partition, { vector: to, count: 1000 })
  const match = found.find((each) => each.id === id)
  assert.ok(match !== undefined, `${JSON.stringify(id)} is not in ${JSON.stringify(partition)}`)
  return match
}

/** Asserts a cosine. */
export function isClose(similarity: number, wanted: number, what: string): void {
  assert.ok(Math.abs(similarity - wanted) <= CLOSE, `${what}: similarity ${similarity}, should be ${wanted}`)
  assert.ok(similarity >= -1 && similarity <= 1, `${what}: similarity ${similarity} is not in [-1, 1]`)
}
