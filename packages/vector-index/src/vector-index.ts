import { type Best, bestOf } from './best.ts'
import { type Candidates, CHUNK_ROWS, MAX_SCAN_ROWS, prepareQuery, type RowStore, rowStore } from './row-store.ts'

/** The slot of an item that is in no index. */
export const NOWHERE = -1

/** What a vector stands for. The index keeps `slot`, which starts as NOWHERE and nobody else sets. */
export interface Placed {
  slot: number
}

/** An item and its cosine with what was asked for, in [-1, 1]. */
export interface Neighbour<T> {
  readonly item: T
  readonly similarity: number
}

/** A search that may be carried on later, with changes of the index in between. */
export interface Search<T> {
  /** Looks at up to so many rows more; false once none is left. */
  look(rows: number): boolean
  /** The nearest of those that were looked at and are still there, nearest first. */
  found(): readonly Neighbour<T>[]
}

/** Vectors of one length, searched exactly. */
export interface VectorIndex<T extends Placed> {
  readonly dimensions: number
  readonly size: number
  /** Bytes of the rows, free ones of the last chunk included. */
  readonly bytes: number
  /** The items, by slot. */
  readonly items: readonly T[]
  /** Adds an item, or replaces the vector of one that is there. */
  put(item: T, vector: Float32Array): void
  /** Removes an item; the last one takes its slot. Nothing where it is in none. */
  remove(item: T): void
  /** The `count` nearest of those that `accept` takes, nearest first. */
  nearest(query: Float32Array, count: number, accept?: (item: T) => boolean): readonly Neighbour<T>[]
  /** The same, in slices. Of what is put meanwhile, it may see or miss each; what was there before and stays is seen. */
  search(query: Float32Array, count: number, accept?: (item: T) => boolean): Search<T>
  /** Gives all rows back. The index must not be used after it. */
  clear(): void
}

export interface VectorIndexOptions {
  /** Numbers of each vector, from 1; padded to a multiple of 16. */
  readonly dimensions: number
  /** Rows shared with other indexes of the same length. Default: rows of its own. */
  readonly rows?: RowStore
}

/** Chunks of the first scan; each next one is twice as large, since a better bar lets fewer rows through. */
const FIRST_CHUNKS = 2
const MAX_CHUNKS = MAX_SCAN_ROWS / CHUNK_ROWS

/**
 * Makes an empty index. Each vector is kept twice, as f32 and rounded to int8, with the length of what the rounding cut off. The scan
 * reads the int8 rows alone; since a cosine cannot have moved by more than that length, whichever row may be among the best is found,
 * and its cosine is computed again from f32. So none is missed. What callers give is not checked: lengths agree and numbers are
 * finite. A vector of all zeros has a cosine of 0 with any other.
 */
export function vectorIndex<T extends Placed>({ dimensions, rows = rowStore(dimensions) }: VectorIndexOptions): VectorIndex<T> {
  const items: T[] = []
  let chunks = new Uint32Array(4)
  let chunkCount = 0
  let changes = 0

  const chunkOf = (slot: number): number => chunks[Math.floor(slot / CHUNK_ROWS)] as number

  function append(item: T): void {
    const slot = items.length
    if (slot === chunkCount * CHUNK_ROWS) {
      const chunk = rows.take()
      if (chunkCount === chunks.length) {
        const more = new Uint32Array(chunkCount * 2)
        more.set(chunks)
        chunks = more
      }
      chunks[chunkCount] = chunk
      chunkCount += 1
    }
    item.slot = slot
    items.push(item)
  }

  /** Offers those that may be among the best, the most promising first, so that of many few need an exact cosine. */
  function sift(candidates: Candidates, firstSlot: number, offer: (slot: number) => void, best: Best<T>, count: number): void {
    const take = (at: number): void => {
      if (candidates.most(at) + candidates.spare <= best.least) return
      offer(firstSlot + candidates.row(at))
    }
    if (candidates.count > 2 * count) {
      const promising = bestOf<number>(count)
      for (let at = 0; at < candidates.count; at += 1) promising.offer(candidates.most(at), at)
      for (const { value: at } of promising.sorted()) {
        take(at)
        candidates.strike(at)
      }
    }
    for (let at = 0; at < candidates.count; at += 1) take(at)
  }

  function search(query: Float32Array, count: number, accept: (item: T) => boolean = () => true): Search<T> {
    const prepared = prepareQuery(query)
    const best = bestOf<T>(count)
    const began = changes
    let below = Number.POSITIVE_INFINITY
    let size = FIRST_CHUNKS

    function offer(slot: number): void {
      const item = items[slot] as T
      if (!accept(item)) return
      const cosine = rows.cosine(chunkOf(slot), slot % CHUNK_ROWS)
      // One that was moved since it was looked at may come again.
      if (changes !== began && cosine > best.least && best.has(item)) return
      best.offer(cosine, item)
    }

    return {
      look(most) {
        rows.ask(prepared)
        // From the end, since a removal moves the last row: to where it is seen again, or among those that were seen.
        below = Math.min(below, chunkCount)
        let left = Math.max(1, Math.floor(most / CHUNK_ROWS))
        while (below > 0 && left > 0) {
          const from = Math.max(0, below - Math.min(size, left))
          sift(rows.scan(chunks.subarray(from, below), best.least), from * CHUNK_ROWS, offer, best, count)
          left -= below - from
          below = from
          size = Math.min(size * 2, MAX_CHUNKS)
        }
        return below > 0
      },

      found() {
        if (changes === began) return best.sorted().map(({ score, value }) => neighbour(value, score))
        rows.ask(prepared)
        return best
          .sorted()
          .filter(({ value: { slot } }) => slot !== NOWHERE)
          .map(({ value }) => neighbour(value, rows.cosine(chunkOf(value.slot), value.slot % CHUNK_ROWS)))
          .sort((a, b) => b.similarity - a.similarity)
      },
    }
  }

  return {
    dimensions,
    items,

    get size() {
      return items.length
    },

    get bytes() {
      return chunkCount * rows.chunkBytes
    },

    put(item, vector) {
      changes += 1
      if (item.slot === NOWHERE) append(item)
      rows.write(chunkOf(item.slot), item.slot % CHUNK_ROWS, vector)
    },

    remove(item) {
      const { slot } = item
      if (slot === NOWHERE) return
      changes += 1
      item.slot = NOWHERE
      const last = items.pop() as T
      const from = items.length
      if (last === item) rows.free(chunkOf(slot), slot % CHUNK_ROWS)
      else {
        rows.move(chunkOf(from), from % CHUNK_ROWS, chunkOf(slot), slot % CHUNK_ROWS)
        items[slot] = last
        last.slot = slot
      }
      if (from % CHUNK_ROWS !== 0) return
      chunkCount -= 1
      rows.give(chunks[chunkCount] as number)
    },

    nearest(query, count, accept) {
      const whole = search(query, count, accept)
      whole.look(Number.POSITIVE_INFINITY)
      return whole.found()
    },

    search,

    clear() {
      changes += 1
      for (const item of items) item.slot = NOWHERE
      items.length = 0
      while (chunkCount > 0) {
        chunkCount -= 1
        rows.give(chunks[chunkCount] as number)
      }
    },
  }
}

/** Rounding of f32 may put a cosine a hair beyond 1. */
function neighbour<T>(item: T, cosine: number): Neighbour<T> {
  return { item, similarity: Math.max(-1, Math.min(1, cosine)) }
}
