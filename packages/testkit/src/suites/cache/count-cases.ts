import assert from 'node:assert/strict'
import type { Cache } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { bytes } from './bytes.ts'

function counted(id: string, promise: string, check: ConformanceCase<Cache>['check']): ConformanceCase<Cache> {
  return {
    id,
    promise,
    check,
    declared: ({ capabilities, countByTag }) => capabilities.tags && countByTag !== undefined,
    async undeclared({ instance }) {
      assert.ok(instance.countByTag === undefined || instance.capabilities.tags, 'counts where there are no tags')
    },
  }
}

/** Asserts the number where it is said to be exact, and its form in any case. */
async function counts(instance: Cache, tag: string, wanted: number, what: string): Promise<void> {
  const told = await instance.countByTag?.(tag)
  assert.ok(told !== undefined, `${what}: nothing was told`)
  assert.equal(typeof told.exact, 'boolean', `${what}: whether it is exact`)
  assert.ok(Number.isInteger(told.count) && told.count >= 0, `${what}: ${told.count} is no count`)
  if (told.exact) assert.equal(told.count, wanted, what)
}

export const countCases: readonly ConformanceCase<Cache>[] = [
  counted(
    'cache.countByTag.counts-entries',
    'counts the entries that bear exactly this tag, each once',
    async ({ instance }) => {
      for (const key of ['a', 'b', 'c']) await instance.set(key, { value: bytes('v'), tags: ['t', 'u', 't'] })
      await instance.set('d', { value: bytes('v'), tags: ['T'] })
      await instance.set('a', { value: bytes('again'), tags: ['t'] })
      await instance.set('t', { value: bytes('v') })
      await counts(instance, 't', 3, 'three entries with the tag')
      await counts(instance, 'u', 2, 'one of three lost the tag')
      await counts(instance, 'T', 1, 'another tag')
      await counts(instance, 'unknown', 0, 'a tag that no entry has')
    },
  ),
  counted('cache.countByTag.forgets-gone', 'what was deleted or has expired is not counted', async (opened) => {
    const { instance } = opened
    const late = instance.capabilities.expiryResolutionMs
    await instance.set('deleted', { value: bytes('v'), tags: ['t'] })
    await instance.set('over', { value: bytes('v'), tags: ['t'], expiresAt: opened.now() + 200 })
    await instance.set('stays', { value: bytes('v'), tags: ['t'] })
    await instance.delete('deleted')
    await opened.advance(201 + late)
    await counts(instance, 't', 1, 'one deleted, one expired, one left')
    await instance.deleteByTag('t')
    await counts(instance, 't', 0, 'after the tag was deleted')
  }),
  counted(
    'cache.countByTag.changes-nothing',
    'counting deletes nothing and leaves the mark as it was',
    async ({ instance }) => {
      await instance.set('k', { value: bytes('v'), tags: ['t'] })
      const mark = instance.mark?.(['t'])
      await instance.countByTag?.('t')
      await counts(instance, 't', 1, 'counted again')
      assert.ok((await instance.get('k')) !== undefined, 'the entry is gone')
      assert.equal(instance.mark?.(['t']), mark, 'the mark')
    },
  ),
  counted(
    'cache.countByTag.aborted-signal',
    'countByTag under a signal that has aborted rejects ABORTED',
    async ({ instance }) => {
      const signal = AbortSignal.abort()
      await rejectsWith(async () => instance.countByTag?.('t', { signal }), 'ABORTED', 'countByTag')
    },
  ),
]
