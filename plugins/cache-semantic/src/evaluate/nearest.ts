import { NOWHERE, type Placed, vectorIndex } from '@switchyard/vector-index'
import type { SparseVector } from '../encoder/hashed-ngrams.ts'

/** An entry and its cosine. */
export interface Found {
  readonly id: number
  readonly similarity: number
}

/** Exact nearest neighbours among unit vectors; ids count up from 0. */
export interface NearestIndex<V> {
  add(vector: V): number
  remove(id: number): void
  /** The `count` nearest, nearest first. */
  nearest(vector: V, count: number): readonly Found[]
}

const GROWTH = 2
const FIRST = 1_024
const GONE = -2

/**
 * For sparse vectors, by the lists of entries that hold each dimension. Nearly all counts are 1 or -1, and those have lists of ids alone,
 * which halves what is read.
 */
export function sparseIndex(dimensions: number): NearestIndex<SparseVector> {
  const plus = Array.from({ length: dimensions }, idList)
  const minus = Array.from({ length: dimensions }, idList)
  const others = Array.from({ length: dimensions }, (): { readonly ids: IdList; readonly counts: number[] } => ({
    ids: idList(),
    counts: [],
  }))
  const gone = new Set<number>()
  let scales = new Float32Array(FIRST)
  let sums = new Int32Array(FIRST)
  let cosines = new Float32Array(FIRST)
  let size = 0
  return {
    add({ indexes, counts, scale }) {
      for (let at = 0; at < indexes.length; at += 1) {
        const dimension = indexes[at] as number
        const count = counts[at] as number
        if (count === 1) append(plus[dimension] as IdList, size)
        else if (count === -1) append(minus[dimension] as IdList, size)
        else {
          append((others[dimension] as (typeof others)[number]).ids, size)
          ;(others[dimension] as (typeof others)[number]).counts.push(count)
        }
      }
      if (size === scales.length) {
        scales = grown(scales, Float32Array)
        sums = new Int32Array(size * GROWTH)
        cosines = new Float32Array(size * GROWTH)
      }
      scales[size] = scale
      size += 1
      return size - 1
    },
    remove: (id) => void gone.add(id),
    nearest({ indexes, counts, scale }, most) {
      sums.fill(0, 0, size)
      for (let at = 0; at < indexes.length; at += 1) {
        const dimension = indexes[at] as number
        const count = counts[at] as number
        addTo(sums, plus[dimension] as IdList, count)
        addTo(sums, minus[dimension] as IdList, -count)
        const { ids, counts: theirs } = others[dimension] as (typeof others)[number]
        for (let to = 0; to < ids.length; to += 1) {
          const id = ids.ids[to] as number
          sums[id] = (sums[id] as number) + count * (theirs[to] as number)
        }
      }
      for (let id = 0; id < size; id += 1) cosines[id] = (sums[id] as number) * (scales[id] as number) * scale
      for (const id of gone) cosines[id] = GONE
      return largest(cosines, size, most)
    },
  }
}

/** For dense vectors. One of all zeros is at 0 to any other. */
export function denseIndex(dimensions: number): NearestIndex<Float32Array> {
  const index = vectorIndex<Entry>({ dimensions })
  const entries: Entry[] = []
  return {
    add(vector) {
      const entry: Entry = { id: entries.length, slot: NOWHERE }
      entries.push(entry)
      index.put(entry, vector)
      return entry.id
    },
    remove(id) {
      const entry = entries[id]
      if (entry !== undefined) index.remove(entry)
    },
    nearest: (vector, count) => index.nearest(vector, count).map(({ item: { id }, similarity }) => ({ id, similarity })),
  }
}

interface Entry extends Placed {
  readonly id: number
}

interface IdList {
  ids: Uint32Array
  length: number
}

function idList(): IdList {
  return { ids: new Uint32Array(4), length: 0 }
}

function append(list: IdList, id: number): void {
  if (list.length === list.ids.length) list.ids = grown(list.ids, Uint32Array)
  list.ids[list.length] = id
  list.length += 1
}

function addTo(sums: Int32Array, { ids, length }: IdList, count: number): void {
  for (let at = 0; at < length; at += 1) {
    const id = ids[at] as number
    sums[id] = (sums[id] as number) + count
  }
}

/** The largest sums, by insertion; an entry that is gone never is one. */
function largest(sums: Float32Array, size: number, count: number): readonly Found[] {
  const ids = new Int32Array(count)
  const best = new Float32Array(count)
  let held = 0
  let least = GONE
  for (let id = 0; id < size; id += 1) {
    const sum = sums[id] as number
    if (sum <= least) continue
    let at = held < count ? held++ : count - 1
    while (at > 0 && (best[at - 1] as number) < sum) {
      best[at] = best[at - 1] as number
      ids[at] = ids[at - 1] as number
      at -= 1
    }
    best[at] = sum
    ids[at] = id
    if (held === count) least = best[count - 1] as number
  }
  return Array.from({ length: held }, (_, at) => ({ id: ids[at] as number, similarity: best[at] as number }))
}

function grown<T extends Uint32Array | Float32Array>(
  array: { readonly length: number } & ArrayLike<number>,
  Kind: new (length: number) => T,
): T {
  const larger = new Kind(array.length * GROWTH)
  larger.set(array)
  return larger
}
