import assert from 'node:assert/strict'
import type { VectorIndex } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { bytes, cosine, holdsIds, isClose, matchOf, nearestIds, scattered, vector } from './vectors.ts'

const MANY = 400

export const nearestCases: readonly ConformanceCase<VectorIndex>[] = [
  {
    id: 'vectors.capabilities.well-formed',
    promise:
      'capabilities say how many numbers a vector has, or any, whether state is shared, and whether the nearest may be missed',
    async check({ instance }) {
      const { dimensions, shared, approximate } = instance.capabilities
      assert.ok(dimensions === 'any' || (Number.isInteger(dimensions) && dimensions >= 1), 'capabilities.dimensions')
      assert.equal(typeof shared, 'boolean', 'capabilities.shared')
      assert.equal(typeof approximate, 'boolean', 'capabilities.approximate')
    },
  },
  {
    id: 'vectors.nearest.unknown-partition-none',
    promise: 'a partition that nothing was put into gives none',
    async check({ instance }) {
      assert.deepEqual(await instance.nearest('unknown', { vector: vector(instance, 1), count: 5 }), [])
    },
  },
  {
    id: 'vectors.nearest.tells-cosine',
    promise:
      'the similarity is the cosine, from 1 of the same direction through 0 to -1 of the opposite, of vectors of any length',
    async check({ instance }) {
      const wanted: readonly (readonly [string, readonly number[], number])[] = [
        ['same', [40, 0], 1],
        ['slanted', [0.003, 0.004], 0.6],
        ['across', [0, 1e-6], 0],
        ['against', [-3, -4], -0.6],
        ['opposite', [-1e6, 0], -1],
      ]
      await instance.upsert(
        'p',
        wanted.map(([id, first]) => ({ id, vector: vector(instance, ...first) })),
      )
      for (const [id, , similarity] of wanted) {
        isClose((await matchOf(instance, 'p', vector(instance, 7), id)).similarity, similarity, id)
      }
    },
  },
  {
    id: 'vectors.nearest.nearest-first',
    promise: 'the nearest come first, whatever the order they were put in',
    async check({ instance }) {
      const angles = [0.9, 0.1, 1.4, 0.5, 0.3, 1.1, 0.7]
      const items = angles.map((angle) => ({ id: String(angle), vector: vector(instance, Math.cos(angle), Math.sin(angle)) }))
      await instance.upsert('p', items)
      const wanted = angles.toSorted((a, b) => a - b).map(String)
      assert.deepEqual(await nearestIds(instance, 'p', vector(instance, 1)), wanted)
    },
  },
  {
    id: 'vectors.nearest.at-most-count',
    promise: 'gives as many as were asked for, fewer only where there are no more, also of a thousand',
    async check({ instance }) {
      const items = Array.from({ length: 20 }, (_, at) => ({ id: `i${at}`, vector: scattered(instance, at) }))
      await instance.upsert('p', items)
      for (const count of [1, 7, 19, 20, 21, 1000]) {
        const found = await nearestIds(instance, 'p', scattered(instance, 3), count)
        assert.equal(new Set(found).size, Math.min(count, 20), `of 20, ${count} were asked for`)
        assert.equal(found.length, Math.min(count, 20), `of 20, ${count} were asked for`)
        assert.equal(found[0], 'i3', 'the nearest')
      }
    },
  },
  {
    id: 'vectors.nearest.misses-none',
    promise:
      'of many, exactly the nearest are found, unless the index says that it is approximate; then the same direction at least',
    declared: ({ capabilities }) => !capabilities.approximate,
    async check({ instance }) {
      const vectors = Array.from({ length: MANY }, (_, at) => scattered(instance, at))
      await instance.upsert(
        'p',
        vectors.map((each, at) => ({ id: `i${at}`, vector: each })),
      )
      for (let round = 0; round < 5; round += 1) {
        const query = scattered(instance, MANY + round)
        const wanted = vectors.map((each) => cosine(query, each)).sort((a, b) => b - a)
        const found = await instance.nearest('p', { vector: query, count: 8 })
        for (const [at, { similarity }] of found.entries())
          isClose(similarity, wanted[at] as number, `rank ${at + 1} of ${MANY}`)
      }
    },
    async undeclared({ instance }) {
      const items = Array.from({ length: MANY }, (_, at) => ({ id: `i${at}`, vector: scattered(instance, at) }))
      await instance.upsert('p', items)
      assert.equal((await nearestIds(instance, 'p', scattered(instance, 5), 8))[0], 'i5', 'what lies in the very direction')
    },
  },
  {
    id: 'vectors.nearest.own-partition-only',
    promise: 'no search sees another partition: names are compared exactly, and are no patterns',
    async check({ instance }) {
      const names = ['p', 'P', 'p ', 'p:a', 'p*', '*', '{p}', '__proto__', 'caf\u00e9', 'cafe\u0301', 'p\n', 'x'.repeat(300)]
      for (const [at, name] of names.entries()) await instance.upsert(name, [{ id: `i${at}`, vector: vector(instance, 1) }])
      for (const [at, name] of names.entries()) await holdsIds(instance, name, [`i${at}`], `partition ${JSON.stringify(name)}`)
    },
  },
  {
    id: 'vectors.nearest.gives-payload',
    promise: 'a payload comes back byte for byte, also an empty one and one of 16 KiB; none where none was given',
    async check({ instance }) {
      const every = Uint8Array.from({ length: 256 }, (_, at) => at)
      const large = Uint8Array.from({ length: 16 * 1024 }, (_, at) => (at * 31) % 256)
      await instance.upsert('p', [
        { id: 'every', vector: vector(instance, 1), payload: every },
        { id: 'part', vector: vector(instance, 1), payload: every.subarray(10, 20) },
        { id: 'large', vector: vector(instance, 1), payload: large },
        { id: 'empty', vector: vector(instance, 1), payload: new Uint8Array(0) },
        { id: 'none', vector: vector(instance, 1) },
      ])
      const payloadOf = async (id: string): Promise<readonly number[] | undefined> => {
        const { payload } = await matchOf(instance, 'p', vector(instance, 1), id)
        assert.ok(payload === undefined || payload instanceof Uint8Array, `${id}: no Uint8Array`)
        return payload && [...payload]
      }
      assert.deepEqual(await payloadOf('every'), [...every], 'every byte')
      assert.deepEqual(await payloadOf('part'), [...every.subarray(10, 20)], 'a part of a larger buffer')
      assert.deepEqual(await payloadOf('large'), [...large], '16 KiB')
      assert.deepEqual(await payloadOf('empty'), [], 'an empty one')
      assert.equal(await payloadOf('none'), undefined, 'none')
    },
  },
  {
    id: 'vectors.nearest.copies-output',
    promise: 'changing the payload that nearest gave changes nothing stored',
    async check({ instance }) {
      await instance.upsert('p', [{ id: 'a', vector: vector(instance, 1), payload: bytes('before') }])
      ;(await matchOf(instance, 'p', vector(instance, 1), 'a')).payload?.fill(0)
      const { payload } = await matchOf(instance, 'p', vector(instance, 1), 'a')
      assert.equal(new TextDecoder().decode(payload), 'before')
    },
  },
  {
    id: 'vectors.nearest.leaves-query',
    promise: 'a search changes neither its query nor what is stored: asked again, it finds the same',
    async check({ instance }) {
      await instance.upsert('p', [
        { id: 'a', vector: vector(instance, 1, 2) },
        { id: 'b', vector: vector(instance, 2, 1) },
      ])
      const query = vector(instance, 30, 50)
      const first = await instance.nearest('p', { vector: query, count: 2 })
      assert.deepEqual([...query], [...vector(instance, 30, 50)], 'the query')
      assert.deepEqual(await instance.nearest('p', { vector: query, count: 2 }), first, 'asked again')
    },
  },
  {
    id: 'vectors.nearest.invalid-refused',
    promise:
      'nearest of an empty partition, by a vector of another length, of zeros or of no numbers, or of no count rejects INVALID_REQUEST',
    async check({ instance }) {
      const good = vector(instance, 1)
      await instance.upsert('p', [{ id: 'a', vector: good }])
      const invalid = (what: string, partition: string, by: Float32Array, count: number): Promise<unknown> =>
        rejectsWith(() => instance.nearest(partition, { vector: by, count }), 'INVALID_REQUEST', `nearest ${what}`)
      await invalid('of an empty partition', '', good, 1)
      await invalid('by a longer vector', 'p', Float32Array.of(...good, 1), 1)
      await invalid('by a shorter vector', 'p', good.subarray(1), 1)
      await invalid('by zeros', 'p', vector(instance), 1)
      await invalid('by what is no number', 'p', vector(instance, Number.NaN), 1)
      await invalid('by what is infinite', 'p', vector(instance, Number.POSITIVE_INFINITY), 1)
      for (const count of [0, -1, 1.5, 1001, Number.NaN]) await invalid(`of ${count}`, 'p', good, count)
    },
  },
  {
    id: 'vectors.nearest.aborted-signal',
    promise: 'nearest under a signal that has aborted rejects ABORTED',
    async check({ instance }) {
      const query = { vector: vector(instance, 1), count: 1 }
      await rejectsWith(() => instance.nearest('p', query, { signal: AbortSignal.abort() }), 'ABORTED', 'nearest')
    },
  },
]
