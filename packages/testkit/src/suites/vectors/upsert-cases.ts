import assert from 'node:assert/strict'
import type { VectorIndex, VectorItem } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { bytes, holdsIds, isClose, matchOf, nearestIds, scattered, vector } from './vectors.ts'

const ABORTED = { signal: AbortSignal.abort() }
const TRICKY_IDS: readonly string[] = [
  'a',
  'A',
  'a ',
  'a:b',
  'a*',
  '__proto__',
  'a,b',
  'a\nb',
  'caf\u00e9',
  'cafe\u0301',
  '\u{1f6e4}\ufe0f',
  '1',
  '01',
]

export const upsertCases: readonly ConformanceCase<VectorIndex>[] = [
  {
    id: 'vectors.upsert.found-once-resolved',
    promise: 'an item is found by searches of this node once upsert resolves, each of many in one call too',
    async check({ instance }) {
      for (let at = 0; at < 5; at += 1) {
        await instance.upsert('p', [{ id: `one${at}`, vector: scattered(instance, at) }])
        assert.equal((await nearestIds(instance, 'p', scattered(instance, at), 1))[0], `one${at}`)
      }
      const ids = Array.from({ length: 300 }, (_, at) => `many${at}`)
      await instance.upsert(
        'q',
        ids.map((id, at) => ({ id, vector: scattered(instance, at) })),
      )
      await holdsIds(instance, 'q', ids, '300 in one call')
    },
  },
  {
    id: 'vectors.upsert.nothing-to-add',
    promise: 'upsert of no items resolves and changes nothing',
    async check({ instance }) {
      await instance.upsert('p', [{ id: 'a', vector: vector(instance, 1) }])
      await instance.upsert('p', [])
      await instance.upsert('new', [])
      await holdsIds(instance, 'p', ['a'], 'after an upsert of no items')
      await holdsIds(instance, 'new', [], 'a partition of no items')
    },
  },
  {
    id: 'vectors.upsert.replaces-whole',
    promise: 'an item of the same id is replaced whole: vector and payload are of the last, and it is there once',
    async check({ instance }) {
      await instance.upsert('p', [{ id: 'a', vector: vector(instance, 1), payload: bytes('1') }])
      await instance.upsert('p', [{ id: 'b', vector: vector(instance, 1), payload: bytes('1') }])
      await instance.upsert('p', [
        { id: 'a', vector: vector(instance, 0, 1), payload: bytes('2') },
        { id: 'b', vector: vector(instance, 0, 1) },
      ])
      await holdsIds(instance, 'p', ['a', 'b'], 'after each was replaced')
      const [a, b] = [
        await matchOf(instance, 'p', vector(instance, 0, 1), 'a'),
        await matchOf(instance, 'p', vector(instance, 0, 1), 'b'),
      ]
      isClose(a.similarity, 1, 'a, by its new vector')
      isClose(b.similarity, 1, 'b, by its new vector')
      assert.equal(new TextDecoder().decode(a.payload), '2', 'the new payload')
      assert.equal(b.payload, undefined, 'a payload where the last item had none')
    },
  },
  {
    id: 'vectors.upsert.last-of-one-id',
    promise: 'of items of one id in one call, the last stands',
    async check({ instance }) {
      await instance.upsert('p', [
        { id: 'a', vector: vector(instance, 1), payload: bytes('first') },
        { id: 'a', vector: vector(instance, 0, 1), payload: bytes('last') },
      ])
      const { similarity, payload } = await matchOf(instance, 'p', vector(instance, 0, 1), 'a')
      isClose(similarity, 1, 'by the last vector')
      assert.equal(new TextDecoder().decode(payload), 'last')
      await holdsIds(instance, 'p', ['a'], 'one id')
    },
  },
  {
    id: 'vectors.upsert.ids-distinct',
    promise: 'ids are compared exactly, and are of their partition alone',
    async check({ instance }) {
      for (const id of TRICKY_IDS) await instance.upsert('p', [{ id, vector: vector(instance, 1), payload: bytes(id) }])
      await instance.upsert('q', [{ id: 'a', vector: vector(instance, 0, 1), payload: bytes('of q') }])
      for (const id of TRICKY_IDS) {
        const { payload, similarity } = await matchOf(instance, 'p', vector(instance, 1), id)
        assert.equal(new TextDecoder().decode(payload), id, `the payload of ${JSON.stringify(id)}`)
        isClose(similarity, 1, JSON.stringify(id))
      }
      await holdsIds(instance, 'p', TRICKY_IDS, 'all of them')
    },
  },
  {
    id: 'vectors.upsert.copies-input',
    promise: 'changing vector, payload and list after upsert resolved changes nothing stored',
    async check({ instance }) {
      const item = { id: 'a', vector: vector(instance, 1), payload: Buffer.from('before') }
      const items: VectorItem[] = [item]
      await instance.upsert('p', items)
      item.vector.fill(-1)
      item.payload.fill(0)
      items[0] = { id: 'b', vector: vector(instance, 1) }
      const { similarity, payload } = await matchOf(instance, 'p', vector(instance, 1), 'a')
      isClose(similarity, 1, 'after the vector was changed')
      assert.equal(new TextDecoder().decode(payload), 'before')
      await holdsIds(instance, 'p', ['a'], 'after the list was changed')
    },
  },
  {
    id: 'vectors.upsert.leaves-input',
    promise: 'upsert changes nothing of what it was given: the vector is not scaled in its place',
    async check({ instance }) {
      const given = vector(instance, 3, 4)
      await instance.upsert('p', [{ id: 'a', vector: given }])
      assert.deepEqual([...given], [...vector(instance, 3, 4)])
    },
  },
  {
    id: 'vectors.upsert.invalid-refused',
    promise:
      'upsert of an empty partition or id, or of a vector of another length, of zeros or of no numbers, rejects INVALID_REQUEST and changes nothing of what was there',
    async check({ instance }) {
      const good = vector(instance, 1)
      await instance.upsert('p', [{ id: 'a', vector: good }])
      const invalid = (what: string, partition: string, id: string, of: Float32Array): Promise<unknown> =>
        rejectsWith(() => instance.upsert(partition, [{ id, vector: of }]), 'INVALID_REQUEST', `upsert of ${what}`)
      await invalid('an empty partition', '', 'a', good)
      await invalid('an empty id', 'p', '', good)
      await invalid('a longer vector', 'p', 'a', Float32Array.of(...good, 1))
      await invalid('a shorter vector', 'p', 'a', good.subarray(1))
      await invalid('zeros', 'p', 'a', vector(instance))
      await invalid('what is no number', 'p', 'a', vector(instance, Number.NaN))
      await invalid('what is infinite', 'p', 'a', vector(instance, Number.NEGATIVE_INFINITY))
      await holdsIds(instance, 'p', ['a'], 'after what was refused')
      isClose((await matchOf(instance, 'p', good, 'a')).similarity, 1, 'after what was refused')
    },
  },
  {
    id: 'vectors.upsert.large-payload-refused',
    promise: 'a payload of more than 16 KiB rejects TOO_LARGE, and leaves what was there',
    async check({ instance }) {
      await instance.upsert('p', [{ id: 'a', vector: vector(instance, 1), payload: bytes('small') }])
      const item = { id: 'a', vector: vector(instance, 0, 1), payload: new Uint8Array(16 * 1024 + 1) }
      await rejectsWith(() => instance.upsert('p', [item]), 'TOO_LARGE', 'upsert')
      const { payload } = await matchOf(instance, 'p', vector(instance, 1), 'a')
      assert.equal(new TextDecoder().decode(payload), 'small')
    },
  },
  {
    id: 'vectors.upsert.parallel',
    promise: 'upserts and searches at once do not disturb each other',
    async check({ instance }) {
      const ids = Array.from({ length: 60 }, (_, at) => `i${at}`)
      await Promise.all(
        ids.flatMap((id, at) => [
          instance.upsert('p', [{ id, vector: scattered(instance, at) }]),
          instance.nearest('p', { vector: scattered(instance, at), count: 5 }),
        ]),
      )
      await holdsIds(instance, 'p', ids, 'put in parallel')
      for (const at of [0, 30, 59]) assert.equal((await nearestIds(instance, 'p', scattered(instance, at), 1))[0], `i${at}`)
    },
  },
  {
    id: 'vectors.upsert.aborted-signal',
    promise: 'upsert under a signal that has aborted rejects ABORTED and adds nothing',
    async check({ instance }) {
      await rejectsWith(() => instance.upsert('p', [{ id: 'a', vector: vector(instance, 1) }], ABORTED), 'ABORTED', 'upsert')
      await holdsIds(instance, 'p', [], 'after an aborted upsert')
    },
  },
]
