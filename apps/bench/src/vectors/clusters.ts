import { seeded } from '../simulate/seeded.ts'

/** Vectors, one after another. */
export interface Vectors {
  readonly count: number
  readonly dimensions: number
  at(place: number): Float32Array
}

/** What is searched, and what is looked for. */
export interface Clustered {
  readonly stored: Vectors
  readonly queries: Vectors
}

/** Stored vectors of a cluster, on average. */
const PER_CLUSTER = 50
/** Standard deviation of what sets a vector apart from the centre of its cluster, whose numbers deviate by 1. */
const SPREAD = 0.6

/**
 * Synthetic vectors in clusters, as sentences on one subject lie: two of one cluster have a cosine of some 0.74, of two clusters of some
 * 0. Seeded. Queries are of the same clusters, and none of them is stored.
 */
export function clustered(stored: number, queries: number, dimensions: number, seed: number): Clustered {
  const random = seeded(seed)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const centres = Float32Array.from({ length: Math.max(1, Math.round(stored / PER_CLUSTER)) * dimensions }, normal)
  const drawn = (count: number): Vectors => {
    const numbers = new Float32Array(count * dimensions)
    for (let row = 0; row < count; row += 1) {
      const centre = Math.floor((random() * centres.length) / dimensions) * dimensions
      for (let at = 0; at < dimensions; at += 1) {
        numbers[row * dimensions + at] = (centres[centre + at] as number) + SPREAD * normal()
      }
    }
    return { count, dimensions, at: (place) => numbers.subarray(place * dimensions, (place + 1) * dimensions) }
  }
  return { stored: drawn(stored), queries: drawn(queries) }
}
