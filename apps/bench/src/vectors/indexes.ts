import { partitionedVectors } from '@switchyard/vector-index'
import type { Vectors } from './clusters.ts'

/** An index under test, filled. Places of stored vectors, nearest first. */
export interface Filled {
  readonly name: string
  readonly putMicros: number
  readonly bytes: number | undefined
  nearest(query: Float32Array, count: number): Promise<readonly number[]>
  /** Milliseconds for which searches held the event loop at a time; undefined where one search is one time. */
  readonly holds?: readonly number[]
}

/** The index of the caches, as they use it: one partition, checks, expiries and pauses included. */
export function ours(stored: Vectors): Filled {
  const holds: number[] = []
  let since = 0
  const store = partitionedVectors({
    maxBytes: 2 ** 32,
    clock: Date,
    refuse: (_, message) => new Error(message),
    async pause() {
      holds.push(performance.now() - since)
      await new Promise((resolve) => setImmediate(resolve))
      since = performance.now()
    },
  })
  const putMicros = timed(stored, (place) => store.upsert('p', [{ id: String(place), vector: stored.at(place) }]))
  return {
    name: 'switchyard',
    putMicros,
    bytes: store.bytesOf('p'),
    holds,
    async nearest(vector, count) {
      since = performance.now()
      const found = await store.nearest('p', { vector, count })
      holds.push(performance.now() - since)
      return found.map(({ id }) => Number(id))
    },
  }
}

/** Looking at every vector in JavaScript: what is right, and what it costs. In f64. */
export function everyOne(stored: Vectors): Filled {
  const lengths = Float64Array.from({ length: stored.count }, (_, place) =>
    Math.sqrt(product(stored.at(place), stored.at(place))),
  )
  return {
    name: 'JavaScript loop',
    putMicros: 0,
    bytes: stored.count * stored.dimensions * 4,
    async nearest(query, count) {
      const best: { readonly place: number; readonly score: number }[] = []
      for (let place = 0; place < stored.count; place += 1) {
        const score = product(stored.at(place), query) / (lengths[place] as number)
        if (best.length === count && score <= (best[count - 1]?.score ?? 0)) continue
        let at = best.length
        while (at > 0 && (best[at - 1]?.score ?? 0) < score) at -= 1
        best.splice(at, 0, { place, score })
        if (best.length > count) best.pop()
      }
      return best.map(({ place }) => place)
    },
  }
}

/** Vectors that usearch is given at a time, for all processors to put: one by one takes minutes. */
const BATCH = 1_000

/** usearch, an approximate index in C++, with its defaults in f32; undefined where it is not installed. */
export async function usearch(stored: Vectors): Promise<Filled | undefined> {
  const module = await import('usearch').catch(() => undefined)
  if (module === undefined) return undefined
  const { Index, MetricKind, ScalarKind } = module
  const index = new Index(stored.dimensions, MetricKind.Cos, ScalarKind.F32)
  const began = performance.now()
  for (let from = 0; from < stored.count; from += BATCH) {
    const places = Array.from({ length: Math.min(BATCH, stored.count - from) }, (_, at) => from + at)
    index.add(
      BigUint64Array.from(places, BigInt),
      places.map((place) => stored.at(place)),
      0,
    )
  }
  const putMicros = ((performance.now() - began) * 1000) / stored.count
  return {
    name: 'usearch f32',
    putMicros,
    bytes: undefined,
    async nearest(query, count) {
      const { keys } = index.search(query, count, 1)
      return Array.from(keys as Iterable<bigint>, Number)
    },
  }
}

function timed({ count }: Vectors, put: (place: number) => void): number {
  const began = performance.now()
  for (let place = 0; place < count; place += 1) put(place)
  return ((performance.now() - began) * 1000) / count
}

function product(one: Float32Array, other: Float32Array): number {
  let sum = 0
  for (let at = 0; at < one.length; at += 1) sum += (one[at] as number) * (other[at] as number)
  return sum
}
