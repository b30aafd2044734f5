import assert from 'node:assert/strict'
import type { Cache } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { absent, bytes, holds } from './bytes.ts'

type Check = ConformanceCase<Cache>['check']

const TRICKY_TAGS: readonly string[] = [
  'a',
  'A',
  'a:b',
  'a*',
  '*',
  '__proto__',
  'constructor',
  'a,b',
  'a b',
  '{a}',
  'caf\u00e9',
  'cafe\u0301',
]

function tagged(id: string, promise: string, check: Check): ConformanceCase<Cache> {
  return {
    id,
    promise,
    check,
    declared: ({ capabilities }) => capabilities.tags,
    async undeclared({ instance }) {
      await rejectsWith(() => instance.deleteByTag('t'), 'UNSUPPORTED', 'deleteByTag without tags')
    },
  }
}

export const tagCases: readonly ConformanceCase<Cache>[] = [
  tagged('cache.get.tells-tags', 'get gives the tags that were set', async ({ instance }) => {
    await instance.set('k', { value: bytes('v'), tags: ['one', 'two'] })
    await instance.set('none', { value: bytes('v') })
    assert.deepEqual([...((await instance.get('k'))?.tags ?? [])].sort(), ['one', 'two'])
    assert.deepEqual((await holds(instance, 'none', 'v', 'no tags')).tags ?? [], [])
  }),
  tagged(
    'cache.set.copies-tags',
    'changing the list of tags later, given or got, changes nothing stored',
    async ({ instance }) => {
      const tags = ['one']
      await instance.set('k', { value: bytes('v'), tags })
      tags[0] = 'changed'
      const got = (await instance.get('k'))?.tags as string[] | undefined
      // A frozen reply is a copy that cannot be changed, which is as good.
      if (got !== undefined && !Object.isFrozen(got)) got[0] = 'changed'
      assert.deepEqual((await instance.get('k'))?.tags, ['one'])
      await instance.deleteByTag('one')
      await absent(instance, 'k', 'its tag was deleted')
    },
  ),
  tagged(
    'cache.set.replaces-tags',
    'a second set replaces the tags: the first ones no longer reach the entry',
    async ({ instance }) => {
      await instance.set('k', { value: bytes('1'), tags: ['old'] })
      await instance.set('k', { value: bytes('2'), tags: ['new'] })
      await instance.deleteByTag('old')
      await holds(instance, 'k', '2', 'after its old tag was deleted')
      await instance.deleteByTag('new')
      await absent(instance, 'k', 'after its new tag was deleted')
    },
  ),
  tagged('cache.set.drops-tags', 'a second set with no tags leaves none', async ({ instance }) => {
    await instance.set('k', { value: bytes('1'), tags: ['old'] })
    await instance.set('k', { value: bytes('2') })
    await instance.deleteByTag('old')
    await holds(instance, 'k', '2', 'after the tag it once had was deleted')
  }),
  tagged('cache.deleteByTag.removes-every', 'every entry with the tag is gone once it resolves', async ({ instance }) => {
    const keys = Array.from({ length: 150 }, (_, at) => `k${at}`)
    for (const key of keys) await instance.set(key, { value: bytes(key), tags: ['t', `own-${key}`] })
    await instance.deleteByTag('t')
    for (const key of keys) await absent(instance, key, 'after its tag was deleted')
  }),
  tagged('cache.deleteByTag.any-of-tags', 'an entry with several tags goes by any of them', async ({ instance }) => {
    for (const tag of ['first', 'second', 'third']) {
      await instance.set('k', { value: bytes('v'), tags: ['first', 'second', 'third'] })
      await instance.deleteByTag(tag)
      await absent(instance, 'k', `after ${tag} was deleted`)
    }
  }),
  tagged('cache.deleteByTag.spares-others', 'entries with other tags, or with none, stay', async ({ instance }) => {
    await instance.set('goes', { value: bytes('v'), tags: ['t'] })
    await instance.set('other', { value: bytes('v'), tags: ['u'] })
    await instance.set('none', { value: bytes('v') })
    await instance.deleteByTag('t')
    await holds(instance, 'other', 'v', 'another tag')
    await holds(instance, 'none', 'v', 'no tag')
  }),
  tagged(
    'cache.deleteByTag.spares-later',
    'an entry written after the call stays, also under a key and tag that it deleted',
    async ({ instance }) => {
      await instance.set('k', { value: bytes('1'), tags: ['t'] })
      await instance.deleteByTag('t')
      await instance.set('k', { value: bytes('2'), tags: ['t'] })
      await instance.set('new', { value: bytes('2'), tags: ['t'] })
      await holds(instance, 'k', '2', 'written after')
      await holds(instance, 'new', '2', 'written after')
    },
  ),
  tagged(
    'cache.deleteByTag.repeats',
    'a tag can be deleted again, and reaches what was written between',
    async ({ instance }) => {
      for (const round of ['1', '2', '3']) {
        await instance.set('k', { value: bytes(round), tags: ['t'] })
        await holds(instance, 'k', round, `round ${round}`)
        await instance.deleteByTag('t')
        await absent(instance, 'k', `round ${round}`)
      }
    },
  ),
  tagged('cache.deleteByTag.unknown-tag', 'a tag that no entry has resolves and changes nothing', async ({ instance }) => {
    await instance.set('k', { value: bytes('v'), tags: ['t'] })
    await instance.deleteByTag('unknown')
    await holds(instance, 'k', 'v', 'after an unknown tag was deleted')
  }),
  tagged(
    'cache.deleteByTag.tags-are-no-keys',
    'tags and keys do not meet: a tag deletes no key of its name',
    async ({ instance }) => {
      await instance.set('t', { value: bytes('v'), tags: ['u'] })
      await instance.set('k', { value: bytes('v'), tags: ['t'] })
      await holds(instance, 't', 'v', 'beside a tag of its name')
      await instance.deleteByTag('t')
      await holds(instance, 't', 'v', 'after a tag of its name was deleted')
      await absent(instance, 'k', 'after its tag was deleted')
    },
  ),
  tagged('cache.deleteByTag.tags-distinct', 'tags are compared exactly, as keys are', async ({ instance }) => {
    const left = [...TRICKY_TAGS]
    for (const tag of left) await instance.set(`k-${tag}`, { value: bytes(tag), tags: [tag] })
    while (left.length > 0) {
      const tag = left.shift() as string
      await instance.deleteByTag(tag)
      await absent(instance, `k-${tag}`, 'after its tag was deleted')
      for (const other of left) await holds(instance, `k-${other}`, other, `after tag ${JSON.stringify(tag)} was deleted`)
    }
  }),
  tagged(
    'cache.delete.forgets-tags',
    'a deleted entry that is written again without tags is out of reach of its old ones',
    async ({ instance }) => {
      await instance.set('k', { value: bytes('1'), tags: ['t'] })
      await instance.delete('k')
      await instance.set('k', { value: bytes('2') })
      await instance.deleteByTag('t')
      await holds(instance, 'k', '2', 'after a tag of its former life was deleted')
    },
  ),
]
