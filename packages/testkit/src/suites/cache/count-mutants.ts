import type { Cache } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { mutant } from './wrap.ts'

/** Counts keys by all the tags they were ever set with, as long as `alive` says so. */
function remembers(right: Cache, forgets: (keys: Set<string>, key: string) => void): Partial<Cache> {
  const keysOf = new Map<string, Set<string>>()
  return {
    set(key, entry, options) {
      for (const tag of entry.tags ?? []) keysOf.set(tag, (keysOf.get(tag) ?? new Set()).add(key))
      return right.set(key, entry, options)
    },
    delete(key, options) {
      for (const keys of keysOf.values()) forgets(keys, key)
      return right.delete(key, options)
    },
    async deleteByTag(tag, options) {
      keysOf.delete(tag)
      await right.deleteByTag(tag, options)
    },
    countByTag: async (tag) => ({ count: keysOf.get(tag)?.size ?? 0, exact: true }),
  }
}

export const countMutants: readonly Mutant<Cache>[] = [
  mutant('counts-former-tags', 'cache.countByTag.counts-entries', (right) => remembers(right, (keys, key) => keys.delete(key))),
  mutant('counts-one-too-many', 'cache.countByTag.counts-entries', (right) => ({
    async countByTag(tag, options) {
      const told = await right.countByTag?.(tag, options)
      return { count: (told?.count ?? 0) + 1, exact: true }
    },
  })),
  mutant('says-not-whether-exact', 'cache.countByTag.counts-entries', (right) => ({
    countByTag: async (tag, options) => ({ count: (await right.countByTag?.(tag, options))?.count }) as never,
  })),
  mutant('counts-expired', 'cache.countByTag.forgets-gone', (right) => remembers(right, (keys, key) => keys.delete(key))),
  mutant('counts-deleted', 'cache.countByTag.forgets-gone', (right) => remembers(right, () => {})),
  mutant('counting-deletes', 'cache.countByTag.changes-nothing', (right) => ({
    async countByTag(tag, options) {
      const told = await right.countByTag?.(tag, options)
      await right.deleteByTag(tag, options)
      return told ?? { count: 0, exact: true }
    },
  })),
  mutant('count-ignores-abort', 'cache.countByTag.aborted-signal', (right) => ({
    countByTag: async (tag) => (await right.countByTag?.(tag)) ?? { count: 0, exact: true },
  })),
]
