import type { Cache, CacheEntry } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { mutant, stores } from './wrap.ts'

/** Gives other marks than the right cache knows of, which it is given back. */
function marks(right: Cache, changed: (mark: string, tags: readonly string[]) => string): Partial<Cache> {
  const rightMark = new Map<string, string>()
  return {
    mark(tags) {
      const mark = right.mark?.(tags)
      if (mark === undefined) return undefined
      const given = changed(mark, tags)
      rightMark.set(given, mark)
      return given
    },
    ...stores(right, (entry) => {
      const mark = entry.mark === undefined ? undefined : (rightMark.get(entry.mark) ?? entry.mark)
      return { ...withoutMark(entry), ...(mark === undefined ? {} : { mark }) }
    }),
  }
}

function withoutMark({ value, expiresAt, tags }: CacheEntry): CacheEntry {
  return { value, ...(expiresAt === undefined ? {} : { expiresAt }), ...(tags === undefined ? {} : { tags }) }
}

/** Marks of its own making: what `momentOf` gives of the tags, given how often each was deleted. Stores by the right marks. */
function counts(
  right: Cache,
  momentOf: (tags: readonly string[], deletions: ReadonlyMap<string, number>) => string,
): Partial<Cache> {
  const deletions = new Map<string, number>()
  return {
    mark: (tags) => momentOf(tags, deletions),
    async deleteByTag(tag, options) {
      await right.deleteByTag(tag, options)
      deletions.set(tag, (deletions.get(tag) ?? 0) + 1)
    },
    ...stores(right, withoutMark),
  }
}

export const markMutants: readonly Mutant<Cache>[] = [
  mutant('mark-as-long-as-its-tags', 'cache.mark.well-formed', (right) => marks(right, (mark, tags) => mark + tags.join())),
  mutant('mark-is-empty', 'cache.mark.well-formed', (right) => marks(right, (mark, tags) => (tags.length === 0 ? '' : mark))),
  mutant('mark-tells-its-tags', 'cache.mark.well-formed', (right) =>
    marks(right, (mark, tags) => `${mark}${tags[0]?.slice(0, 2) ?? ''}`),
  ),
  mutant('another-mark-each-time', 'cache.mark.equal-until-deleted', (right) => {
    let taken = 0
    return marks(right, (mark) => {
      taken += 1
      return `${mark}-${taken}`
    })
  }),
  mutant('mark-moves-with-each-set', 'cache.mark.equal-until-deleted', (right) => {
    let sets = 0
    const own = marks(right, (mark) => `${mark}-${sets}`)
    return {
      ...own,
      set(key, entry, options) {
        sets += 1
        return (own.set ?? right.set)(key, entry, options)
      },
    }
  }),
  mutant('mark-never-moves', 'cache.mark.other-once-deleted', (right) => marks(right, () => 'm')),
  mutant('mark-of-first-tag', 'cache.mark.other-once-deleted', (right) =>
    counts(right, (tags, deletions) => `m${deletions.get(tags[0] ?? '') ?? 0}`),
  ),
  mutant('mark-tells-whether-deleted', 'cache.mark.other-once-deleted', (right) =>
    counts(right, (tags, deletions) => `m${tags.map((tag) => (deletions.has(tag) ? 1 : 0)).join('')}`),
  ),
  mutant('mark-needs-an-entry', 'cache.mark.other-once-deleted', (right) => {
    const worn = new Set<string>()
    let moment = 0
    return {
      ...stores(right, withoutMark),
      mark: () => `m${moment}`,
      set(key, entry, options) {
        for (const tag of entry.tags ?? []) worn.add(tag)
        return right.set(key, withoutMark(entry), options)
      },
      async deleteByTag(tag, options) {
        await right.deleteByTag(tag, options)
        if (worn.delete(tag)) moment += 1
      },
    }
  }),
  mutant('mark-moves-late', 'cache.mark.other-once-deleted', (right) => {
    let settled = 0
    return {
      mark: () => `m${settled}`,
      async deleteByTag(tag, options) {
        await right.deleteByTag(tag, options)
        setTimeout(() => {
          settled += 1
        }, 20)
      },
      ...stores(right, withoutMark),
    }
  }),
  mutant('one-mark-for-all-tags', 'cache.mark.spares-others', (right) => {
    let deletions = 0
    return {
      mark: () => `m${deletions}`,
      async deleteByTag(tag, options) {
        await right.deleteByTag(tag, options)
        deletions += 1
      },
      ...stores(right, withoutMark),
    }
  }),
  mutant('marks-fold-case', 'cache.mark.spares-others', (right) =>
    counts(right, (tags, deletions) => {
      const same = (tag: string): boolean => tags.some((own) => own.toLowerCase() === tag.toLowerCase())
      return `m${[...deletions].reduce((sum, [tag, count]) => sum + (same(tag) ? count : 0), 0)}`
    }),
  ),
  mutant('ignores-marks', 'cache.set.late-fill-refused', (right) => stores(right, withoutMark)),
  mutant('rejects-late-fill', 'cache.set.late-fill-refused', (right) => ({
    async set(key, entry, options) {
      const now = right.mark?.(entry.tags ?? [])
      if (entry.mark !== undefined && entry.mark !== now) throw new Error('too late')
      await right.set(key, entry, options)
    },
  })),
  mutant('late-fill-deletes', 'cache.set.late-fill-spares-newer', (right) => ({
    async set(key, entry, options) {
      if (entry.mark !== undefined && entry.mark !== right.mark?.(entry.tags ?? [])) await right.delete(key)
      else await right.set(key, entry, options)
    },
  })),
  mutant('late-fill-replaces', 'cache.set.late-fill-spares-newer', (right) => stores(right, withoutMark)),
  mutant('stores-nothing-marked', 'cache.set.early-fill-stored', (right) => ({
    async set(key, entry, options) {
      if (entry.mark === undefined) await right.set(key, entry, options)
    },
  })),
  mutant('marked-entries-lose-tags', 'cache.set.early-fill-stored', (right) =>
    stores(right, (entry) => (entry.mark === undefined ? entry : { value: entry.value })),
  ),
  mutant('any-deletion-refuses-fills', 'cache.set.mark-heeds-own-tags', (right) => {
    let deletions = 0
    const since = new Map<string, number>()
    return {
      mark(tags) {
        const mark = right.mark?.(tags)
        if (mark !== undefined) since.set(mark, deletions)
        return mark
      },
      async deleteByTag(tag, options) {
        await right.deleteByTag(tag, options)
        deletions += 1
      },
      async set(key, entry, options) {
        if (entry.mark !== undefined && since.get(entry.mark) !== deletions) return
        await right.set(key, entry, options)
      },
    }
  }),
  mutant('looks-at-marks-then-stores', 'cache.set.late-fill-under-way', (right) => ({
    async set(key, entry, options) {
      if (entry.mark !== undefined && entry.mark !== right.mark?.(entry.tags ?? [])) return
      await new Promise((resolve) => setTimeout(resolve, 50))
      await right.set(key, withoutMark(entry), options)
    },
  })),
  mutant('tells-marks', 'cache.get.tells-no-mark', (right) => {
    const given = new Map<string, string>()
    return {
      set(key, entry, options) {
        if (entry.mark !== undefined) given.set(key, entry.mark)
        return right.set(key, entry, options)
      },
      async get(key, options) {
        const entry = await right.get(key, options)
        const mark = given.get(key)
        return entry === undefined || mark === undefined ? entry : { ...entry, mark }
      },
    }
  }),
]
