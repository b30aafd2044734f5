import assert from 'node:assert/strict'
import type { Cache } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { bytes, holds } from './bytes.ts'

const ABORTED = { signal: AbortSignal.abort() }

export const callCases: readonly ConformanceCase<Cache>[] = [
  {
    id: 'cache.get.aborted-signal',
    promise: 'get under a signal that has aborted rejects ABORTED',
    async check({ instance }) {
      await rejectsWith(() => instance.get('k', ABORTED), 'ABORTED', 'get')
    },
  },
  {
    id: 'cache.set.aborted-signal',
    promise: 'set under a signal that has aborted rejects ABORTED and stores nothing',
    async check({ instance }) {
      await instance.set('k', { value: bytes('before') })
      await rejectsWith(() => instance.set('k', { value: bytes('after') }, ABORTED), 'ABORTED', 'set')
      await holds(instance, 'k', 'before', 'after an aborted set')
    },
  },
  {
    id: 'cache.delete.aborted-signal',
    promise: 'delete under a signal that has aborted rejects ABORTED and deletes nothing',
    async check({ instance }) {
      await instance.set('k', { value: bytes('v') })
      await rejectsWith(() => instance.delete('k', ABORTED), 'ABORTED', 'delete')
      await holds(instance, 'k', 'v', 'after an aborted delete')
    },
  },
  {
    id: 'cache.deleteByTag.aborted-signal',
    promise: 'deleteByTag under a signal that has aborted rejects ABORTED and deletes nothing',
    declared: ({ capabilities }) => capabilities.tags,
    async check({ instance }) {
      await instance.set('k', { value: bytes('v'), tags: ['t'] })
      await rejectsWith(() => instance.deleteByTag('t', ABORTED), 'ABORTED', 'deleteByTag')
      await holds(instance, 'k', 'v', 'after an aborted deleteByTag')
    },
    async undeclared({ instance }) {
      await rejectsWith(() => instance.deleteByTag('t', ABORTED), ['ABORTED', 'UNSUPPORTED'], 'deleteByTag')
    },
  },
  {
    id: 'cache.set.parallel-keys',
    promise: 'sets and gets of many keys at once do not disturb each other',
    async check({ instance }) {
      const keys = Array.from({ length: 200 }, (_, at) => `k${at}`)
      await Promise.all(keys.map((key) => instance.set(key, { value: bytes(key) })))
      await Promise.all(keys.map((key) => holds(instance, key, key, 'set in parallel')))
    },
  },
  {
    id: 'cache.set.parallel-one-key',
    promise: 'of sets of one key at once, one wins whole: value and expiry are of the same set',
    async check(opened) {
      const { instance } = opened
      const base = opened.now() + 60_000
      const values = Array.from({ length: 50 }, (_, at) => ({ value: bytes(`v${at}`), expiresAt: base + at }))
      await Promise.all(values.map((entry) => instance.set('k', entry)))
      const entry = await instance.get('k')
      assert.ok(entry?.expiresAt !== undefined, 'none of them is there')
      const at = entry.expiresAt - base
      assert.equal(new TextDecoder().decode(entry.value), `v${at}`, 'the value of one set with the expiry of another')
    },
  },
  {
    id: 'cache.delete.parallel-true-once',
    promise: 'of deletes of one key at once, exactly one says true',
    async check({ instance }) {
      await instance.set('k', { value: bytes('v') })
      const said = await Promise.all(Array.from({ length: 20 }, () => instance.delete('k')))
      assert.equal(said.filter(Boolean).length, 1, 'deletes that said true')
    },
  },
]
