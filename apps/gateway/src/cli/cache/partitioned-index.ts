import { HASHED_DIMENSIONS, type SparseVector } from '@switchyard/cache-semantic'
import { type Found, type NearestIndex, sparseIndex } from '@switchyard/cache-semantic/evaluate'

/** A vector and the partition outside of which it has no neighbours. */
export interface Placed {
  readonly partition: string
  readonly vector: SparseVector
}

/** Beyond it a partition gets lists of its own, which take a third of a megabyte. */
const FEW = 64

/** Exact neighbours within partitions, however many there are. */
export function partitionedIndex(): NearestIndex<Placed> {
  const parts = new Map<string, Part>()
  const places: { readonly part: Part; readonly id: number }[] = []
  return {
    add({ partition, vector }) {
      const part = parts.get(partition) ?? partOf()
      parts.set(partition, part)
      places.push({ part, id: part.add(vector, places.length) })
      return places.length - 1
    },
    remove(id) {
      const { part, id: own } = places[id] as (typeof places)[number]
      part.remove(own)
    },
    nearest: ({ partition, vector }, count) => parts.get(partition)?.nearest(vector, count) ?? [],
  }
}

interface Part {
  /** Its own id of the vector; `outer` is everybody's. */
  add(vector: SparseVector, outer: number): number
  remove(id: number): void
  /** By everybody's ids. */
  nearest(vector: SparseVector, count: number): readonly Found[]
}

function partOf(): Part {
  const outer: number[] = []
  const vectors: SparseVector[] = []
  const gone = new Set<number>()
  let large: NearestIndex<SparseVector> | undefined
  return {
    add(vector, id) {
      outer.push(id)
      vectors.push(vector)
      if (large !== undefined) return large.add(vector)
      if (vectors.length <= FEW) return vectors.length - 1
      large = sparseIndex(HASHED_DIMENSIONS)
      for (const one of vectors) large.add(one)
      for (const one of gone) large.remove(one)
      return vectors.length - 1
    },
    remove(id) {
      gone.add(id)
      large?.remove(id)
    },
    nearest(vector, count) {
      const found = large?.nearest(vector, count) ?? nearestOf(vectors, gone, vector, count)
      return found.map(({ id, similarity }) => ({ id: outer[id] as number, similarity }))
    },
  }
}

function nearestOf(
  vectors: readonly SparseVector[],
  gone: ReadonlySet<number>,
  vector: SparseVector,
  count: number,
): readonly Found[] {
  const dense = new Int32Array(HASHED_DIMENSIONS)
  for (const [at, index] of vector.indexes.entries()) dense[index] = vector.counts[at] as number
  const found: Found[] = []
  for (const [id, { indexes, counts, scale }] of vectors.entries()) {
    if (gone.has(id)) continue
    let sum = 0
    for (let at = 0; at < indexes.length; at += 1) sum += (counts[at] as number) * (dense[indexes[at] as number] as number)
    found.push({ id, similarity: sum * scale * vector.scale })
  }
  return found.sort((one, other) => other.similarity - one.similarity).slice(0, count)
}
