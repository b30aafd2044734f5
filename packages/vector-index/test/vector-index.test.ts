import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NOWHERE, rowStore, type VectorIndex, vectorIndex } from '../src/index.ts'
import { cosine, cosines, gaussian, near, seeded } from './support/naive.ts'

/** What f32 may lose. */
const CLOSE = 2e-6

interface Item {
  slot: number
  vector: Float32Array
}

function filled(vectors: readonly Float32Array[]): VectorIndex<Item> {
  const index = vectorIndex<Item>({ dimensions: vectors[0]?.length ?? 1 })
  for (const vector of vectors) index.put({ slot: NOWHERE, vector }, vector)
  return index
}

/** Asserts that what is found are the nearest of these: that each cosine is its item's, and that they are the largest. */
function expectNearest(index: VectorIndex<Item>, query: Float32Array, count: number, vectors: readonly Float32Array[]): void {
  const found = index.nearest(query, count)
  const wanted = cosines(query, vectors).slice(0, count)
  expect(found.length).toBe(wanted.length)
  expect(new Set(found.map(({ item }) => item)).size).toBe(found.length)
  for (const [at, { item, similarity }] of found.entries()) {
    expect(Math.abs(similarity - cosine(query, item.vector))).toBeLessThan(CLOSE)
    expect(Math.abs(similarity - (wanted[at] as number))).toBeLessThan(CLOSE)
    expect(similarity).toBeLessThanOrEqual(found[at - 1]?.similarity ?? 1)
    expect(similarity).toBeGreaterThanOrEqual(-1)
  }
}

describe('vectorIndex', () => {
  test.each([1, 2, 15, 16, 17, 100, 384, 1536])('finds the nearest of vectors of %i numbers', (dimensions) => {
    const random = seeded(dimensions)
    const vectors = Array.from({ length: 300 }, () => gaussian(dimensions, random))
    const index = filled(vectors)
    for (const count of [1, 8, 299, 300, 1000]) expectNearest(index, gaussian(dimensions, random), count, vectors)
    for (const vector of vectors.slice(0, 5)) expectNearest(index, vector, 3, vectors)
  })

  test.each([1e-1, 1e-2, 1e-3, 1e-4])('tells apart what lies %d from each other, which rounding to int8 cannot', (distance) => {
    const random = seeded(7)
    const centre = gaussian(384, random)
    const vectors = Array.from({ length: 2000 }, () => near(centre, distance, random))
    const index = filled(vectors)
    for (let round = 0; round < 10; round += 1) expectNearest(index, near(centre, distance, random), 8, vectors)
  })

  test('tells them apart also once most were moved to the slots of others', () => {
    const random = seeded(17)
    const centre = gaussian(384, random)
    const vectors = Array.from({ length: 1500 }, () => near(centre, 0.02, random))
    const index = filled(vectors)
    for (const item of index.items.filter(({ slot }) => slot < 700)) index.remove(item)
    const left = index.items.map(({ vector }) => vector)
    for (let round = 0; round < 10; round += 1) expectNearest(index, near(centre, 0.02, random), 8, left)
  })

  test.each([
    ['rising', 1],
    ['falling', -1],
  ])('finds the nearest in %s order of likeness', (_, order) => {
    const random = seeded(11)
    const query = gaussian(64, random)
    const vectors = Array.from({ length: 6000 }, (_unused, at) => near(query, 1 + at / 1000, random))
    vectors.sort((a, b) => order * (cosine(query, a) - cosine(query, b)))
    expectNearest(filled(vectors), query, 20, vectors)
  })

  test('takes vectors as they come: one large number among small ones, tiny ones, huge ones, all alike', () => {
    const random = seeded(13)
    const spiked = Array.from({ length: 200 }, (_, at) => {
      const vector = gaussian(48, random)
      vector[at % 48] = 1000
      return vector
    })
    const tiny = Array.from({ length: 50 }, () => gaussian(48, random).map((number) => number * 1e-30))
    const huge = Array.from({ length: 50 }, () => gaussian(48, random).map((number) => number * 1e30))
    const alike = Array.from({ length: 50 }, () => new Float32Array(48).fill(3))
    const vectors = [...spiked, ...tiny, ...huge, ...alike]
    const index = filled(vectors)
    for (const query of [...vectors.slice(0, 20), tiny[0], huge[0], alike[0], gaussian(48, random)]) {
      expectNearest(index, query as Float32Array, 60, vectors)
    }
  })

  test('finds opposites, and passes over what is not accepted', () => {
    const vectors = [Float32Array.of(1, 0), Float32Array.of(-1, 0), Float32Array.of(0, 5)]
    const index = filled(vectors)
    const query = Float32Array.of(2, 0)
    expect(index.nearest(query, 3).map(({ similarity }) => similarity)).toEqual([1, 0, -1])
    const accepted = index.nearest(query, 3, ({ vector }) => vector !== vectors[0])
    expect(accepted.map(({ similarity }) => similarity)).toEqual([0, -1])
  })

  test.each([1000, 4096, 16_384])('adds up %i numbers that are all as large as can be', (dimensions) => {
    const random = seeded(19)
    const ones = new Float32Array(dimensions).fill(1)
    const vectors = [...Array.from({ length: 20 }, () => gaussian(dimensions, random)), ones, ones.map((number) => -number)]
    const index = filled(vectors)
    expectNearest(index, ones, 3, vectors)
    expectNearest(
      index,
      ones.map((number) => -number),
      3,
      vectors,
    )
  })

  test('takes a vector without direction to be across all others', () => {
    const index = filled([new Float32Array(20), Float32Array.from({ length: 20 }, () => -1), new Float32Array(20).fill(1)])
    const found = index.nearest(new Float32Array(20).fill(2), 3).map(({ similarity }) => Math.round(1e6 * similarity))
    expect(found).toEqual([1e6, 0, -1e6])
    expect(index.nearest(new Float32Array(20), 3).map(({ similarity }) => similarity)).toEqual([0, 0, 0])
  })

  test('any puts, replacements and removals give what looking at every one gives', () => {
    const step = fc.record({
      kind: fc.constantFrom('put', 'put', 'put', 'remove', 'clear'),
      which: fc.nat(60),
      seed: fc.nat(1e6),
    })
    const steps = fc.array(step, { minLength: 20, maxLength: 150 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12 }), (all, dimensions, count) => {
        const rows = rowStore(dimensions)
        const make = (): VectorIndex<Item> => vectorIndex({ dimensions, rows })
        let index = make()
        // On the same rows, so that what one gives back another takes.
        const neighbour = make()
        const items = new Map<number, Item>()
        for (const { kind, which, seed } of all) {
          const vector = gaussian(dimensions, seeded(seed))
          if (kind === 'put') {
            const item = items.get(which) ?? { slot: NOWHERE, vector }
            item.vector = vector
            items.set(which, item)
            index.put(item, vector)
          } else if (kind === 'remove') {
            const item = items.get(which)
            if (item !== undefined) index.remove(item)
            items.delete(which)
          } else if (seed % 10 === 0) {
            index.clear()
            items.clear()
            index = make()
          } else neighbour.put({ slot: NOWHERE, vector }, vector)
          expect(index.size).toBe(items.size)
        }
        const vectors = Array.from(items.values(), ({ vector }) => vector)
        expectNearest(index, gaussian(dimensions, seeded(1)), count, vectors)
        const held = rows.usage().chunks
        expect(held).toBe(Math.ceil(index.size / 16) + Math.ceil(neighbour.size / 16))
        index.clear()
        neighbour.clear()
        expect([rows.usage().chunks, index.bytes]).toEqual([0, 0])
      }),
      { numRuns: 200 },
    )
  })

  test('removing twice, or what was never there, changes nothing', () => {
    const index = filled([Float32Array.of(1), Float32Array.of(-1)])
    const [first] = index.items
    index.remove(first as Item)
    index.remove(first as Item)
    index.remove({ slot: NOWHERE, vector: Float32Array.of(1) })
    expect(index.size).toBe(1)
    expect(index.nearest(Float32Array.of(1), 2).map(({ similarity }) => similarity)).toEqual([-1])
  })

  test('grows over many chunks, and keeps what was there', () => {
    const random = seeded(3)
    const vectors = Array.from({ length: 9000 }, () => gaussian(32, random))
    const index = filled(vectors)
    expect(index.bytes).toBe(Math.ceil(9000 / 16) * 16 * (32 * 5 + 8))
    for (let round = 0; round < 5; round += 1) expectNearest(index, gaussian(32, random), 10, vectors)
  })
})

describe('a search in slices', () => {
  test('misses nothing that was there before and stays, whatever comes and goes meanwhile', () => {
    const change = fc.record({ kind: fc.constantFrom('put', 'replace', 'remove'), which: fc.nat(1000), seed: fc.nat(1e6) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), fc.integer({ min: 1, max: 60 }), fc.nat(1e6), (changes, slice, seed) => {
        const random = seeded(seed)
        const stable = Array.from({ length: 150 }, () => gaussian(8, random))
        const passing = Array.from({ length: 20 }, () => gaussian(8, random))
        const vectors = [...stable, ...passing].sort(() => random() - 0.5)
        const index = filled(vectors)
        const moving = index.items.filter(({ vector }) => passing.includes(vector))
        const query = gaussian(8, random)
        const count = 60
        const search = index.search(query, count)
        let at = 0
        while (search.look(slice)) {
          const { kind, which, seed: of } = changes[at] ?? {}
          at += 1
          const vector = gaussian(8, seeded(of ?? 0))
          const item = moving[(which ?? 0) % moving.length] as Item
          if (kind === 'put' || (kind === 'replace' && item.slot === NOWHERE)) {
            const added = { slot: NOWHERE, vector }
            moving.push(added)
            index.put(added, vector)
          } else if (kind === 'replace') {
            item.vector = vector
            index.put(item, vector)
          } else if (kind === 'remove') index.remove(item)
        }
        const found = search.found()
        expect(new Set(found.map(({ item }) => item)).size).toBe(found.length)
        for (const { item, similarity } of found) {
          expect(item.slot).not.toBe(NOWHERE)
          expect(Math.abs(similarity - cosine(query, item.vector))).toBeLessThan(CLOSE)
        }
        // Those that came or went may have taken a place each.
        const sure = cosines(query, stable).slice(0, count - moving.length)
        const similarities = found.map(({ similarity }) => similarity)
        for (const wanted of sure) expect(similarities.some((similarity) => Math.abs(similarity - wanted) < CLOSE)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('two at once do not disturb each other', () => {
    const random = seeded(5)
    const vectors = Array.from({ length: 200 }, () => gaussian(20, random))
    const index = filled(vectors)
    const queries = [gaussian(20, random), gaussian(20, random)]
    const searches = queries.map((query) => index.search(query, 5))
    while (searches.map((search) => search.look(16)).some(Boolean));
    for (const [at, search] of searches.entries()) {
      const wanted = cosines(queries[at] as Float32Array, vectors).slice(0, 5)
      for (const [rank, { similarity }] of search.found().entries()) expect(similarity).toBeCloseTo(wanted[rank] as number, 5)
    }
  })

  test('finds nothing in what was cleared meanwhile', () => {
    const random = seeded(5)
    const index = filled(Array.from({ length: 200 }, () => gaussian(20, random)))
    const search = index.search(gaussian(20, random), 5)
    search.look(16)
    index.clear()
    expect(search.look(16)).toBe(false)
    expect(search.found()).toEqual([])
  })
})
