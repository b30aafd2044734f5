import { termsOf } from './terms.ts'

/** A neighbour: a row's number and its cosine similarity, 0 to 1. */
export interface Neighbour {
  readonly row: number
  readonly similarity: number
}

/** An exact index of texts by TF-IDF over hashed terms: posting lists in typed arrays. */
export interface TermIndex {
  readonly rows: number
  /** Hash numbers of the terms kept, ascending. */
  readonly terms: Uint32Array
  readonly idf: Float32Array
  /** Where each term's postings begin; one longer than `terms`. */
  readonly starts: Uint32Array
  readonly postingRows: Uint16Array | Uint32Array
  readonly postingWeights: Float32Array
}

const MAX_SHARE = 0.2

/** Indexes texts, in order. Terms that stand in over a fifth of them are left out, as are those in one alone. */
export function termIndex(texts: readonly string[]): TermIndex {
  return indexOfTerms(texts.map(termsOf))
}

/** The same from terms already read. */
export function indexOfTerms(counts: readonly ReadonlyMap<number, number>[]): TermIndex {
  const rows = counts.length
  const documents = new Map<number, number>()
  for (const terms of counts) for (const term of terms.keys()) documents.set(term, (documents.get(term) ?? 0) + 1)
  const most = Math.max(2, rows * MAX_SHARE)
  const terms = Uint32Array.from([...documents].filter(([, count]) => count >= 2 && count <= most).map(([term]) => term)).sort()
  const place = new Map([...terms].map((term, at) => [term, at]))
  const idf = Float32Array.from(terms, (term) => Math.log((rows + 1) / (documents.get(term) ?? 0)))
  const starts = new Uint32Array(terms.length + 1)
  terms.forEach((term, at) => {
    starts[at + 1] = (starts[at] as number) + (documents.get(term) as number)
  })
  const total = starts[terms.length] as number
  const postingRows = rows > 65_535 ? new Uint32Array(total) : new Uint16Array(total)
  const postingWeights = new Float32Array(total)
  const next = starts.slice()
  counts.forEach((row, number) => {
    const vector = weigh(row, place, idf)
    for (let at = 0; at < vector.terms.length; at += 1) {
      const slot = next[vector.terms[at] as number] as number
      next[vector.terms[at] as number] = slot + 1
      postingRows[slot] = number
      postingWeights[slot] = vector.weights[at] as number
    }
  })
  return { rows, terms, idf, starts, postingRows, postingWeights }
}

/** A text's terms by their place in an index, with weights of length 1 together. */
export interface TermVector {
  readonly terms: readonly number[]
  readonly weights: readonly number[]
}

function weigh(counts: ReadonlyMap<number, number>, place: ReadonlyMap<number, number>, idf: Float32Array): TermVector {
  const terms: number[] = []
  const weights: number[] = []
  let square = 0
  for (const [term, count] of counts) {
    const at = place.get(term)
    if (at === undefined) continue
    const weight = (1 + Math.log(count)) * (idf[at] as number)
    terms.push(at)
    weights.push(weight)
    square += weight * weight
  }
  const length = Math.sqrt(square) || 1
  for (let at = 0; at < weights.length; at += 1) weights[at] = (weights[at] as number) / length
  return { terms, weights }
}

/** Finds nearest rows in an index. Holds one scratch array, so a searcher serves one caller at a time. */
export interface TermSearch {
  /** The vector of a text in this index. */
  vector(counts: ReadonlyMap<number, number>): TermVector
  /** The `limit` rows most similar that share a term, nearest first; ties by row. `skip` leaves rows out. */
  nearest(vector: TermVector, limit: number, skip?: (row: number) => boolean): readonly Neighbour[]
}

/** Makes a searcher over an index. */
export function termSearch(index: TermIndex): TermSearch {
  const place = new Map([...index.terms].map((term, at) => [term, at]))
  const scores = new Float32Array(index.rows)
  const touched = new Uint32Array(index.rows)
  return {
    vector: (counts) => weigh(counts, place, index.idf),
    nearest({ terms, weights }, limit, skip) {
      let count = 0
      for (let at = 0; at < terms.length; at += 1) {
        const term = terms[at] as number
        const weight = weights[at] as number
        const end = index.starts[term + 1] as number
        for (let slot = index.starts[term] as number; slot < end; slot += 1) {
          const row = index.postingRows[slot] as number
          if (scores[row] === 0) touched[count++] = row
          scores[row] = (scores[row] as number) + weight * (index.postingWeights[slot] as number)
        }
      }
      return top(scores, touched, count, limit, skip)
    },
  }
}

function top(
  scores: Float32Array,
  touched: Uint32Array,
  count: number,
  limit: number,
  skip: ((row: number) => boolean) | undefined,
): Neighbour[] {
  const heapRows: number[] = []
  const heap: number[] = []
  for (let at = 0; at < count; at += 1) {
    const row = touched[at] as number
    const score = scores[row] as number
    scores[row] = 0
    if (heap.length === limit && score <= (heap[0] as number)) continue
    if (skip?.(row)) continue
    if (heap.length < limit) {
      heap.push(score)
      heapRows.push(row)
      up(heap, heapRows)
    } else {
      heap[0] = score
      heapRows[0] = row
      down(heap, heapRows)
    }
  }
  return heap
    .map((similarity, at) => ({ row: heapRows[at] as number, similarity }))
    .sort((a, b) => b.similarity - a.similarity || a.row - b.row)
}

function up(heap: number[], rows: number[]): void {
  let at = heap.length - 1
  while (at > 0) {
    const above = (at - 1) >> 1
    if ((heap[above] as number) <= (heap[at] as number)) return
    swap(heap, rows, at, above)
    at = above
  }
}

function down(heap: number[], rows: number[]): void {
  let at = 0
  for (;;) {
    const left = 2 * at + 1
    if (left >= heap.length) return
    const least = left + 1 < heap.length && (heap[left + 1] as number) < (heap[left] as number) ? left + 1 : left
    if ((heap[at] as number) <= (heap[least] as number)) return
    swap(heap, rows, at, least)
    at = least
  }
}

function swap(heap: number[], rows: number[], a: number, b: number): void {
  const score = heap[a] as number
  const row = rows[a] as number
  heap[a] = heap[b] as number
  rows[a] = rows[b] as number
  heap[b] = score
  rows[b] = row
}
