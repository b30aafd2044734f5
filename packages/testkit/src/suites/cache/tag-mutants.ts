import type { Cache, CacheEntry } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { mutant, replies, stores, withTags } from './wrap.ts'

/** Replaces `deleteByTag` by one that picks keys from all that were set, with the tags each was last set with. */
function deletesKeys(
  right: Cache,
  picks: (tag: string, tagsOf: ReadonlyMap<string, readonly string[]>) => Iterable<string>,
): Partial<Cache> {
  const tagsOf = new Map<string, readonly string[]>()
  return {
    set(key, entry, options) {
      tagsOf.set(key, [...(entry.tags ?? [])])
      return right.set(key, entry, options)
    },
    async deleteByTag(tag, options) {
      for (const key of [...picks(tag, tagsOf)]) await right.delete(key, options)
    },
  }
}

/** Takes one tag for another. */
function confusesTags(right: Cache, changed: (tag: string) => string): Partial<Cache> {
  return {
    ...stores(right, (entry) => withTags(entry, entry.tags?.map(changed))),
    deleteByTag: (tag, options) => right.deleteByTag(changed(tag), options),
  }
}

/** Remembers the tags that each key was set with before. */
function afterEarlierTags(
  right: Cache,
  changed: (entry: CacheEntry, earlier: readonly string[]) => readonly string[] | undefined,
): Partial<Cache> {
  const earlier = new Map<string, readonly string[]>()
  return stores(right, (entry, key) => {
    const stored = withTags(entry, changed(entry, earlier.get(key) ?? []))
    earlier.set(key, stored.tags ?? [])
    return stored
  })
}

/** Holds an entry for gone when it was written no later than `until` says of one of its tags. */
function buriesTags(right: Cache, written: () => number): Partial<Cache> {
  const deletedAt = new Map<string, number>()
  const writtenAt = new Map<string, number>()
  return {
    set(key, entry, options) {
      writtenAt.set(key, written())
      return right.set(key, entry, options)
    },
    async deleteByTag(tag) {
      deletedAt.set(tag, written())
    },
    ...replies(right, (entry, key) => {
      const at = writtenAt.get(key) ?? 0
      return (entry.tags ?? []).some((tag) => at <= (deletedAt.get(tag) ?? -1)) ? undefined : entry
    }),
  }
}

export const tagMutants: readonly Mutant<Cache>[] = [
  mutant('silent-where-undeclared', 'cache.deleteByTag.removes-every', (right) => ({
    capabilities: { ...right.capabilities, tags: false },
    async deleteByTag() {},
  })),
  mutant('keeps-tags-to-itself', 'cache.get.tells-tags', (right) => replies(right, (entry) => withTags(entry, undefined))),
  mutant('keeps-caller-tags', 'cache.set.copies-tags', (right) => {
    const given = new Map<string, readonly string[]>()
    return {
      set(key, entry, options) {
        given.set(key, entry.tags ?? [])
        return right.set(key, entry, options)
      },
      ...replies(right, (entry, key) => withTags(entry, [...(given.get(key) ?? [])])),
    }
  }),
  mutant('hands-out-stored-tags', 'cache.set.copies-tags', (right) => {
    const handedOut = new Map<string, CacheEntry>()
    return replies(right, (entry, key) => {
      const stored = handedOut.get(key) ?? entry
      handedOut.set(key, stored)
      return stored
    })
  }),
  mutant('unites-tags', 'cache.set.replaces-tags', (right) =>
    afterEarlierTags(right, (entry, earlier) => [...new Set([...earlier, ...(entry.tags ?? [])])]),
  ),
  mutant('keeps-tags-where-none-given', 'cache.set.drops-tags', (right) =>
    afterEarlierTags(right, (entry, earlier) => entry.tags ?? earlier),
  ),
  mutant('deletes-first-hundred', 'cache.deleteByTag.removes-every', (right) =>
    deletesKeys(right, (tag, tagsOf) => {
      const tagged = [...tagsOf].filter(([, tags]) => tags.includes(tag)).map(([key]) => key)
      return tagged.slice(0, 100)
    }),
  ),
  mutant('resolves-before-it-deletes', 'cache.deleteByTag.removes-every', (right) => ({
    async deleteByTag(tag) {
      setTimeout(() => void right.deleteByTag(tag).catch(() => {}), 20)
    },
  })),
  mutant('knows-first-tag-only', 'cache.deleteByTag.any-of-tags', (right) =>
    stores(right, (entry) => withTags(entry, entry.tags?.slice(0, 1))),
  ),
  mutant('tag-deletes-everything', 'cache.deleteByTag.spares-others', (right) =>
    deletesKeys(right, (_tag, tagsOf) => tagsOf.keys()),
  ),
  mutant('buries-tag-for-ever', 'cache.deleteByTag.spares-later', (right) => buriesTags(right, () => 0)),
  mutant('compares-coarse-times', 'cache.deleteByTag.spares-later', (right, opened) =>
    buriesTags(right, () => Math.floor(opened.now() / 600_000)),
  ),
  mutant('deletes-a-tag-once', 'cache.deleteByTag.repeats', (right) => {
    const deleted = new Set<string>()
    return {
      async deleteByTag(tag, options) {
        if (!deleted.has(tag)) await right.deleteByTag(tag, options)
        deleted.add(tag)
      },
    }
  }),
  mutant('unknown-tag-deletes-all', 'cache.deleteByTag.unknown-tag', (right) =>
    deletesKeys(right, (tag, tagsOf) => {
      const tagged = [...tagsOf].filter(([, tags]) => tags.includes(tag)).map(([key]) => key)
      return tagged.length > 0 ? tagged : tagsOf.keys()
    }),
  ),
  mutant('tag-deletes-key-of-its-name', 'cache.deleteByTag.tags-are-no-keys', (right) => ({
    async deleteByTag(tag, options) {
      await right.deleteByTag(tag, options)
      await right.delete(tag, options)
    },
  })),
  mutant('folds-case-of-tags', 'cache.deleteByTag.tags-distinct', (right) => confusesTags(right, (tag) => tag.toLowerCase())),
  mutant('normalises-tags', 'cache.deleteByTag.tags-distinct', (right) => confusesTags(right, (tag) => tag.normalize('NFC'))),
  mutant('joins-tags-by-comma', 'cache.deleteByTag.tags-distinct', (right) =>
    stores(right, (entry) => withTags(entry, entry.tags?.join(',').split(','))),
  ),
  mutant('takes-tags-for-patterns', 'cache.deleteByTag.tags-distinct', (right) =>
    deletesKeys(right, (tag, tagsOf) =>
      [...tagsOf]
        .filter(([, tags]) => tags.some((own) => own === tag || (tag.endsWith('*') && own.startsWith(tag.slice(0, -1)))))
        .map(([key]) => key),
    ),
  ),
  mutant('delete-leaves-tags', 'cache.delete.forgets-tags', (right) => {
    const left = new Map<string, Set<string>>()
    return {
      async delete(key, options) {
        const tags = (await right.get(key, options))?.tags ?? []
        for (const tag of tags) left.set(tag, (left.get(tag) ?? new Set()).add(key))
        return right.delete(key, options)
      },
      async deleteByTag(tag, options) {
        await right.deleteByTag(tag, options)
        for (const key of left.get(tag) ?? []) await right.delete(key, options)
      },
    }
  }),
  mutant('tag-ignores-abort', 'cache.deleteByTag.aborted-signal', (right) => ({
    deleteByTag: (tag) => right.deleteByTag(tag),
  })),
]
