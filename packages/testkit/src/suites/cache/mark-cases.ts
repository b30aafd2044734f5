import assert from 'node:assert/strict'
import type { Cache } from '@switchyard/contract'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { absent, bytes, holds } from './bytes.ts'
import { markOf } from './moments.ts'

const WELL_FORMED = /^[\x20-\x7e]{1,64}$/

function marked(id: string, promise: string, check: ConformanceCase<Cache>['check']): ConformanceCase<Cache> {
  return {
    id,
    promise,
    check,
    declared: ({ capabilities, mark }) => capabilities.tags && mark !== undefined,
    async undeclared({ instance }) {
      assert.ok(instance.mark === undefined || instance.capabilities.tags, 'marks where there are no tags')
    },
  }
}

export const markCases: readonly ConformanceCase<Cache>[] = [
  marked(
    'cache.mark.well-formed',
    'a mark is 1 to 64 printable ASCII characters, of no tag, of one, and of many that are long',
    async (opened) => {
      const many = Array.from({ length: 50 }, (_, at) => `\u{1f6e4} ${'long '.repeat(20)}${at}`)
      for (const tag of many) await opened.instance.deleteByTag(tag)
      for (const tags of [[], ['t'], many]) assert.match(await markOf(opened, tags), WELL_FORMED, `of ${tags.length} tags`)
    },
  ),
  marked(
    'cache.mark.equal-until-deleted',
    'a mark stays equal as long as none of its tags is deleted: entries come, go and expire',
    async (opened) => {
      const { instance } = opened
      await instance.deleteByTag('b')
      const before = await markOf(opened, ['a', 'b'])
      await instance.set('k', { value: bytes('1'), tags: ['a', 'b'], expiresAt: opened.now() + 1 })
      await instance.set('k', { value: bytes('2'), tags: ['b'] })
      await instance.delete('k')
      await instance.set('a', { value: bytes('3'), tags: ['a'], mark: before })
      await instance.get('a')
      await opened.advance(20)
      assert.equal(await markOf(opened, ['a', 'b']), before)
    },
  ),
  marked(
    'cache.mark.other-once-deleted',
    'once a deletion of any of its tags resolved, a mark is another, each time, also where no entry had the tag',
    async (opened) => {
      const seen = new Set([await markOf(opened, ['a', 'b', 'c'])])
      for (const [at, tag] of ['a', 'b', 'c', 'b', 'b', 'a'].entries()) {
        if (at % 2 === 0) await opened.instance.set('k', { value: bytes('v'), tags: [tag] })
        await opened.instance.deleteByTag(tag)
        const mark = opened.instance.mark?.(['a', 'b', 'c']) ?? (await markOf(opened, ['a', 'b', 'c']))
        assert.ok(!seen.has(mark), `deletion ${at + 1}, of ${tag}, gave a mark that was there before`)
        seen.add(mark)
      }
    },
  ),
  marked(
    'cache.mark.spares-others',
    'the deletion of a tag leaves the marks of exactly other tags as they are',
    async (opened) => {
      const others = [['u'], ['T'], ['t '], ['__proto__'], ['u', 'T'], []]
      const before: string[] = []
      for (const tags of others) before.push(await markOf(opened, tags))
      await opened.instance.set('k', { value: bytes('v'), tags: ['t'] })
      await opened.instance.deleteByTag('t')
      for (const [at, tags] of others.entries()) {
        assert.equal(await markOf(opened, tags), before[at], `the mark of ${JSON.stringify(tags)}`)
      }
    },
  ),
  marked(
    'cache.set.late-fill-refused',
    'an entry whose mark is older than the deletion of any of its tags is not stored, and set resolves',
    async (opened) => {
      const tags = ['a', 'b', 'c']
      for (const tag of tags) {
        const mark = await markOf(opened, tags)
        await opened.instance.deleteByTag(tag)
        await opened.instance.set('k', { value: bytes('stale'), tags, mark })
        await absent(opened.instance, 'k', `filled from before ${tag} was deleted`)
      }
    },
  ),
  marked(
    'cache.set.late-fill-spares-newer',
    'an entry that is refused for its mark leaves what was stored under its key since',
    async (opened) => {
      const { instance } = opened
      const before = await markOf(opened, ['t'])
      await instance.deleteByTag('t')
      await instance.set('k', { value: bytes('fresh'), tags: ['t'], mark: await markOf(opened, ['t']) })
      await instance.set('k', { value: bytes('stale'), tags: ['t'], mark: before })
      await holds(instance, 'k', 'fresh', 'after a fill that began before the deletion')
    },
  ),
  marked(
    'cache.set.early-fill-stored',
    'an entry whose mark was taken after the deletion is stored, and goes with the next deletion',
    async (opened) => {
      const { instance } = opened
      await instance.deleteByTag('t')
      const mark = await markOf(opened, ['t', 'u'])
      await instance.set('k', { value: bytes('fresh'), tags: ['t', 'u'], mark })
      await holds(instance, 'k', 'fresh', 'filled from after the deletion')
      await instance.deleteByTag('u')
      await absent(instance, 'k', 'after the next deletion')
    },
  ),
  marked(
    'cache.set.mark-heeds-own-tags',
    'an entry is stored where others than its tags were deleted since its mark',
    async (opened) => {
      const { instance } = opened
      const [tagged, plain] = [await markOf(opened, ['t']), await markOf(opened, [])]
      for (const other of ['u', 'T', 't ', 'k', 'plain']) await instance.deleteByTag(other)
      await instance.set('k', { value: bytes('fresh'), tags: ['t'], mark: tagged })
      await instance.set('plain', { value: bytes('fresh'), mark: plain })
      await holds(instance, 'k', 'fresh', 'filled while other tags were deleted')
      await holds(instance, 'plain', 'fresh', 'with no tags, filled while tags were deleted')
    },
  ),
  marked(
    'cache.set.late-fill-under-way',
    'an entry whose mark is older than a deletion that is under way is gone once both have resolved',
    async (opened) => {
      const { instance } = opened
      const mark = await markOf(opened, ['t'])
      for (const first of ['set', 'deletion']) {
        const fill = () => instance.set('k', { value: bytes('stale'), tags: ['t'], mark })
        const drop = () => instance.deleteByTag('t')
        await Promise.all(first === 'set' ? [fill(), drop()] : [drop(), fill()])
        await absent(instance, 'k', `filled while its tag was deleted, the ${first} first`)
      }
    },
  ),
  marked('cache.get.tells-no-mark', 'get gives no mark: it is for set alone', async (opened) => {
    await opened.instance.set('k', { value: bytes('v'), tags: ['t'], mark: await markOf(opened, ['t']) })
    assert.equal((await holds(opened.instance, 'k', 'v', 'set with a mark')).mark, undefined)
  }),
]
