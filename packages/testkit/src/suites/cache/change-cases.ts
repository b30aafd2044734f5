import assert from 'node:assert/strict'
import type { Cache, CacheChange } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { bytes } from './bytes.ts'
import { currentChanges, noting, quiet } from './moments.ts'

const ABORTED = { signal: AbortSignal.abort() }
const TRICKY_NAMES: readonly string[] = [
  't',
  'T',
  't ',
  '__proto__',
  'a:b',
  'a,b',
  'caf\u00e9',
  'cafe\u0301',
  '\u{1f6e4}\ufe0f',
]

function told(
  id: string,
  promise: string,
  check: ConformanceCase<Cache>['check'],
  needs: 'tags' | 'nothing' = 'nothing',
): ConformanceCase<Cache> {
  return {
    id,
    promise,
    check,
    declared: ({ changes, capabilities }) => changes !== undefined && (needs === 'nothing' || capabilities.tags),
    async undeclared({ instance }) {
      assert.ok(instance.changes === undefined || !instance.capabilities.tags, 'changes, yet not examined')
    },
  }
}

export const changeCases: readonly ConformanceCase<Cache>[] = [
  told('cache.changes.current', 'changes become current, and say so as true, not as a promise', async (opened) => {
    const changes = await currentChanges(opened)
    assert.equal(changes.current(), true)
  }),
  told(
    'cache.changes.tells-tag',
    'a listener is told of a deleted tag by its exact name, before the call that deleted it resolves',
    async (opened) => {
      const ear = noting(await currentChanges(opened))
      const wanted: CacheChange[] = []
      for (const tag of TRICKY_NAMES) {
        await opened.instance.set('k', { value: bytes('v'), tags: [tag] })
        await opened.instance.deleteByTag(tag)
        wanted.push({ kind: 'tag', tag })
        assert.deepEqual(ear.told, wanted, `once the deletion of ${JSON.stringify(tag)} resolved`)
      }
    },
    'tags',
  ),
  told(
    'cache.changes.tells-key',
    'a listener is told of a deleted key by its exact name, before the call that deleted it resolves',
    async (opened) => {
      const ear = noting(await currentChanges(opened))
      const wanted: CacheChange[] = []
      for (const key of TRICKY_NAMES) {
        await opened.instance.set(key, { value: bytes('v') })
        await opened.instance.delete(key)
        wanted.push({ kind: 'key', key })
        assert.deepEqual(ear.told, wanted, `once the deletion of ${JSON.stringify(key)} resolved`)
      }
    },
  ),
  told(
    'cache.changes.tells-absent-key',
    'a deleted key is told also where no entry is left: a copy may outlive an entry that was evicted',
    async (opened) => {
      const ear = noting(await currentChanges(opened))
      assert.equal(await opened.instance.delete('gone'), false)
      assert.deepEqual(ear.told, [{ kind: 'key', key: 'gone' }])
    },
  ),
  told(
    'cache.changes.tells-unused-tag',
    'a deleted tag is told also where no entry has it, each time it is deleted',
    async (opened) => {
      const ear = noting(await currentChanges(opened))
      await opened.instance.deleteByTag('unused')
      await opened.instance.deleteByTag('unused')
      assert.deepEqual(ear.told, [
        { kind: 'tag', tag: 'unused' },
        { kind: 'tag', tag: 'unused' },
      ])
    },
    'tags',
  ),
  told('cache.changes.sets-untold', 'nothing is told of what is set, replaced, read or refused', async (opened) => {
    const { instance } = opened
    const ear = noting(await currentChanges(opened))
    await instance.set('k', { value: bytes('1') })
    await instance.set('k', { value: bytes('2'), expiresAt: opened.now() + 10_000 })
    await instance.set('over', { value: bytes('3'), expiresAt: opened.now() - 1 })
    await instance.get('k')
    await rejectsWith(() => instance.delete('k', ABORTED), 'ABORTED', 'delete')
    await rejectsWith(() => instance.delete(''), 'INVALID_REQUEST', "delete('')")
    await quiet(opened)
    assert.deepEqual(ear.told, [])
  }),
  told('cache.changes.every-listener', 'each listener is told once, one that listens twice twice', async (opened) => {
    const changes = await currentChanges(opened)
    const [first, second] = [noting(changes), noting(changes)]
    let calls = 0
    const twice = (): void => {
      calls += 1
    }
    const ends = [changes.listen(twice), changes.listen(twice)]
    await opened.instance.delete('k')
    assert.deepEqual([first.told.length, second.told.length, calls], [1, 1, 2], 'how often each was told')
    ends[0]?.()
    await opened.instance.delete('k')
    assert.deepEqual([first.told.length, second.told.length, calls], [2, 2, 3], 'after one of the two was ended')
  }),
  told(
    'cache.changes.throwing-listener',
    'what a listener throws reaches neither the caller nor other listeners, and it is told on',
    async (opened) => {
      const changes = await currentChanges(opened)
      let thrown = 0
      changes.listen(() => {
        thrown += 1
        throw new Error('a listener that throws')
      })
      const ear = noting(changes)
      await opened.instance.set('k', { value: bytes('v') })
      assert.equal(await opened.instance.delete('k'), true, 'the deletion')
      await opened.instance.delete('k')
      assert.deepEqual([thrown, ear.told.length], [2, 2], 'how often each was told')
      assert.equal(changes.current(), true, 'still current')
    },
  ),
  told('cache.changes.ended-listener', 'a listener that was ended hears nothing, and may be ended twice', async (opened) => {
    const changes = await currentChanges(opened)
    const [ended, other] = [noting(changes), noting(changes)]
    await opened.instance.delete('k')
    ended.end()
    ended.end()
    await opened.instance.delete('k')
    await quiet(opened)
    assert.deepEqual([ended.told.length, other.told.length], [1, 2], 'how often each was told')
  }),
]
