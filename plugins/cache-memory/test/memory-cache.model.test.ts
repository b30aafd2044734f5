import type { CacheEntry } from '@switchyard/contract'
import { recordingLogger, virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { entryBytes, memoryCache } from '../src/memory-cache.ts'

const MAX_BYTES = 3000
const MAX_ENTRY_BYTES = 950

const key = fc.constantFrom('a', 'bb', 'ccc', '__proto__', 'e', 'f', 'g', 'h')
const tag = fc.constantFrom('t', 'u', '__proto__')
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      key,
      size: fc.nat(500),
      ttl: fc.option(fc.integer({ min: -1, max: 30 })),
      tags: fc.array(tag, { maxLength: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('get' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteByTag' as const), tag }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(20) }) },
)

/** The same promises in the plainest way: a list in order of use, searched from end to end. */
function plainCache(now: () => number) {
  let entries: { key: string; entry: Required<Pick<CacheEntry, 'value' | 'tags'>> & { expiresAt: number }; bytes: number }[] =
    []
  const sweep = (): void => {
    entries = entries.filter(({ entry }) => entry.expiresAt > now())
  }
  return {
    set(name: string, value: Uint8Array, expiresAt: number, tags: readonly string[]): boolean {
      sweep()
      const own = [...new Set(tags)]
      const bytes = entryBytes(name, value, own)
      if (bytes > MAX_ENTRY_BYTES) return false
      entries = entries.filter((other) => other.key !== name)
      if (expiresAt <= now()) return true
      entries.push({ key: name, entry: { value, expiresAt, tags: own }, bytes })
      while (entries.reduce((sum, other) => sum + other.bytes, 0) > MAX_BYTES) entries.shift()
      return true
    },
    get(name: string) {
      sweep()
      const found = entries.find((other) => other.key === name)
      if (found !== undefined) entries = [...entries.filter((other) => other !== found), found]
      return found?.entry
    },
    delete(name: string): boolean {
      sweep()
      const before = entries.length
      entries = entries.filter((other) => other.key !== name)
      return entries.length < before
    },
    deleteByTag(name: string): void {
      entries = entries.filter(({ entry }) => !entry.tags.includes(name))
    },
    countByTag(name: string): number {
      sweep()
      return entries.filter(({ entry }) => entry.tags.includes(name)).length
    },
    usage() {
      return {
        entries: entries.length,
        bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
        tags: new Set(entries.flatMap(({ entry }) => entry.tags)).size,
        expiring: entries.filter(({ entry }) => entry.expiresAt !== Number.POSITIVE_INFINITY).length,
      }
    },
  }
}

test('any calls over time give what a plain list gives, down to what is held', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 80 }), async (steps) => {
      const clock = virtualClock(1000)
      const cache = memoryCache({
        maxBytes: MAX_BYTES,
        maxEntryBytes: MAX_ENTRY_BYTES,
        clock,
        log: recordingLogger(),
        random: () => 0.5,
      })
      const plain = plainCache(() => clock.now())
      for (const [at, one] of steps.entries()) {
        if (one.kind === 'set') {
          const value = new Uint8Array(one.size).fill(at)
          const expiresAt = one.ttl === null ? undefined : clock.now() + one.ttl
          const fits = plain.set(one.key, value, expiresAt ?? Number.POSITIVE_INFINITY, one.tags)
          const set = cache.set(one.key, { value, tags: one.tags, ...(expiresAt === undefined ? {} : { expiresAt }) })
          if (fits) await set
          else await expect(set).rejects.toMatchObject({ code: 'TOO_LARGE' })
        } else if (one.kind === 'get') {
          const wanted = plain.get(one.key)
          const got = await cache.get(one.key)
          expect(got?.value).toEqual(wanted?.value)
          expect(got?.expiresAt ?? Number.POSITIVE_INFINITY).toBe(wanted?.expiresAt ?? Number.POSITIVE_INFINITY)
          expect(got?.tags ?? []).toEqual(wanted?.tags ?? [])
        } else if (one.kind === 'delete') {
          expect(await cache.delete(one.key)).toBe(plain.delete(one.key))
        } else if (one.kind === 'deleteByTag') {
          await cache.deleteByTag(one.tag)
          plain.deleteByTag(one.tag)
        } else {
          await clock.advance(one.ms)
          continue
        }
        for (const name of ['t', 'u', '__proto__']) {
          expect(await cache.countByTag(name)).toEqual({ count: plain.countByTag(name), exact: true })
        }
        // Reading a key that is in neither sweeps both.
        expect([await cache.get('none'), plain.get('none')]).toEqual([undefined, undefined])
        expect(cache.usage()).toEqual(plain.usage())
      }
    }),
    { numRuns: 150 },
  )
})
