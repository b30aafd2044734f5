import assert from 'node:assert/strict'
import type { VectorIndex } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase, Opened } from '../../conformance/suite.ts'
import { holdsIds, nearestIds, scattered, vector } from './vectors.ts'

const ABORTED = { signal: AbortSignal.abort() }
/** Short, because a subject with a clock of its own has to wait for it; long enough to search before its end. */
const TTL_MS = 300

async function passExpiry(opened: Opened<VectorIndex>, expiresAt: number): Promise<void> {
  await opened.advance(Math.max(0, expiresAt - opened.now()))
}

export const leavingCases: readonly ConformanceCase<VectorIndex>[] = [
  {
    id: 'vectors.nearest.found-until-expiry',
    promise: 'an item is found up to the last millisecond before it expires',
    async check(opened) {
      const { instance } = opened
      const expiresAt = opened.now() + TTL_MS
      await instance.upsert('p', [{ id: 'a', vector: vector(instance, 1), expiresAt }])
      for (const step of [TTL_MS / 2, TTL_MS / 2 - 1]) {
        await opened.advance(step)
        const found = await nearestIds(instance, 'p', vector(instance, 1))
        // On a clock that goes by itself, the reply tells only while it is surely early.
        if (opened.now() < expiresAt) assert.deepEqual(found, ['a'], `gone ${expiresAt - opened.now()} ms early`)
      }
    },
  },
  {
    id: 'vectors.nearest.gone-at-expiry',
    promise: 'an item is not found from the millisecond it expires, and the next nearest takes its place',
    async check(opened) {
      const { instance } = opened
      const expiresAt = opened.now() + TTL_MS
      await instance.upsert('p', [
        ...Array.from({ length: 60 }, (_, at) => ({ id: `goes${at}`, vector: vector(instance, 1), expiresAt })),
        { id: 'stays', vector: vector(instance, 1, 1) },
      ])
      await passExpiry(opened, expiresAt)
      assert.deepEqual(await nearestIds(instance, 'p', vector(instance, 1), 3), ['stays'])
    },
  },
  {
    id: 'vectors.upsert.replaces-expiry',
    promise: 'a second upsert replaces the expiry too: it may end it, put it off or bring it forward',
    async check(opened) {
      const { instance } = opened
      const expiresAt = opened.now() + TTL_MS
      const item = (id: string): { readonly id: string; readonly vector: Float32Array } => ({ id, vector: vector(instance, 1) })
      await instance.upsert('p', [{ ...item('never'), expiresAt }, { ...item('later'), expiresAt }, item('sooner')])
      await instance.upsert('p', [
        item('never'),
        { ...item('later'), expiresAt: expiresAt + 60_000 },
        { ...item('sooner'), expiresAt },
      ])
      await passExpiry(opened, expiresAt)
      await holdsIds(instance, 'p', ['never', 'later'], 'once the first expiry has passed')
    },
  },
  {
    id: 'vectors.upsert.already-expired-absent',
    promise: 'an item that has already expired is taken and not found: neither it nor what it replaced',
    async check(opened) {
      const { instance } = opened
      await instance.upsert('p', [{ id: 'replaced', vector: vector(instance, 1) }])
      const expiresAt = opened.now()
      await instance.upsert('p', [
        { id: 'replaced', vector: vector(instance, 1), expiresAt },
        { id: 'fresh', vector: vector(instance, 1), expiresAt },
      ])
      await holdsIds(instance, 'p', [], 'already expired')
    },
  },
  {
    id: 'vectors.upsert.revives-id',
    promise: 'an id that expired or was deleted can be put again',
    async check(opened) {
      const { instance } = opened
      const expiresAt = opened.now() + TTL_MS
      await instance.upsert('p', [
        { id: 'expired', vector: vector(instance, 1), expiresAt },
        { id: 'deleted', vector: vector(instance, 1) },
      ])
      await instance.delete('p', ['deleted'])
      await passExpiry(opened, expiresAt)
      await instance.upsert('p', [
        { id: 'expired', vector: vector(instance, 1) },
        { id: 'deleted', vector: vector(instance, 1) },
      ])
      await holdsIds(instance, 'p', ['expired', 'deleted'], 'put again')
    },
  },
  {
    id: 'vectors.delete.removes-only-these',
    promise: 'deleted items are not found once delete resolves; all others are, each by its own vector',
    async check({ instance }) {
      const ids = Array.from({ length: 50 }, (_, at) => `i${at}`)
      await instance.upsert(
        'p',
        ids.map((id, at) => ({ id, vector: scattered(instance, at) })),
      )
      const gone = ids.filter((_, at) => at % 3 === 0)
      await instance.delete('p', gone)
      const left = ids.filter((id) => !gone.includes(id))
      await holdsIds(instance, 'p', left, 'every third was deleted')
      for (const id of left) {
        const [first] = await nearestIds(instance, 'p', scattered(instance, ids.indexOf(id)), 1)
        assert.equal(first, id, 'the nearest of its own vector')
      }
    },
  },
  {
    id: 'vectors.delete.unknown-passed-over',
    promise: 'unknown ids, and any in an unknown partition, are passed over; known ones among them go',
    async check({ instance }) {
      await instance.upsert('p', [
        { id: 'a', vector: vector(instance, 1) },
        { id: 'b', vector: vector(instance, 1) },
      ])
      await instance.delete('p', ['unknown', 'a', 'a'])
      await instance.delete('unknown', ['b'])
      await instance.delete('p', [])
      await holdsIds(instance, 'p', ['b'], 'after unknown ids')
    },
  },
  {
    id: 'vectors.delete.own-partition-only',
    promise: 'delete leaves items of the same id in other partitions',
    async check({ instance }) {
      for (const partition of ['p', 'q']) await instance.upsert(partition, [{ id: 'a', vector: vector(instance, 1) }])
      await instance.delete('p', ['a'])
      await holdsIds(instance, 'p', [], 'where it was deleted')
      await holdsIds(instance, 'q', ['a'], 'where it was not')
    },
  },
  {
    id: 'vectors.delete.invalid-refused',
    promise: 'delete of an empty partition or id rejects INVALID_REQUEST',
    async check({ instance }) {
      await rejectsWith(() => instance.delete('', ['a']), 'INVALID_REQUEST', 'delete of an empty partition')
      await rejectsWith(() => instance.delete('p', ['']), 'INVALID_REQUEST', 'delete of an empty id')
    },
  },
  {
    id: 'vectors.delete.aborted-signal',
    promise: 'delete under a signal that has aborted rejects ABORTED and deletes nothing',
    async check({ instance }) {
      await instance.upsert('p', [{ id: 'a', vector: vector(instance, 1) }])
      await rejectsWith(() => instance.delete('p', ['a'], ABORTED), 'ABORTED', 'delete')
      await holdsIds(instance, 'p', ['a'], 'after an aborted delete')
    },
  },
]
