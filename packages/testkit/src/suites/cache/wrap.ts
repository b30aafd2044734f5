import type { Cache, CacheEntry } from '@switchyard/contract'
import type { Mutant, Opened } from '../../conformance/suite.ts'

/** A mutant that does what the right cache does, but for `change`. */
export function mutant(
  name: string,
  killedBy: string,
  change: (right: Cache, opened: Opened<Cache>) => Partial<Cache>,
): Mutant<Cache> {
  return {
    name,
    killedBy,
    mutate: (right, opened) => ({
      capabilities: right.capabilities,
      get: (key, options) => right.get(key, options),
      set: (key, entry, options) => right.set(key, entry, options),
      delete: (key, options) => right.delete(key, options),
      deleteByTag: (tag, options) => right.deleteByTag(tag, options),
      ...optionalMembers(right),
      ...change(right, opened),
    }),
  }
}

/** What the right cache has of the members that a cache may lack. */
function optionalMembers(right: Cache): Partial<Cache> {
  const { changes } = right
  return {
    ...(right.mark === undefined ? {} : { mark: (tags) => right.mark?.(tags) }),
    ...(right.countByTag === undefined ? {} : { countByTag: right.countByTag.bind(right) }),
    ...(changes === undefined ? {} : { changes }),
  }
}

/** Stores another entry than it was given. */
export function stores(right: Cache, changed: (entry: CacheEntry, key: string) => CacheEntry): Partial<Cache> {
  return { set: (key, entry, options) => right.set(key, changed(entry, key), options) }
}

/** Gives another entry than it stores. */
export function replies(right: Cache, changed: (entry: CacheEntry, key: string) => CacheEntry | undefined): Partial<Cache> {
  return {
    async get(key, options) {
      const entry = await right.get(key, options)
      return entry === undefined ? undefined : changed(entry, key)
    },
  }
}

/** Takes one key for another. */
export function confusesKeys(right: Cache, changed: (key: string) => string): Partial<Cache> {
  return {
    get: (key, options) => right.get(changed(key), options),
    set: (key, entry, options) => right.set(changed(key), entry, options),
    delete: (key, options) => right.delete(changed(key), options),
  }
}

/** An entry with other tags; with none where `tags` is undefined. */
export function withTags(entry: CacheEntry, tags: readonly string[] | undefined): CacheEntry {
  const { value, expiresAt, mark } = entry
  return {
    value,
    ...withMark(mark),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(tags === undefined ? {} : { tags }),
  }
}

/** An entry with another expiry; with none where `expiresAt` is undefined. */
export function withExpiry(entry: CacheEntry, expiresAt: number | undefined): CacheEntry {
  const { value, tags, mark } = entry
  return {
    value,
    ...withMark(mark),
    ...(tags === undefined ? {} : { tags }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

function withMark(mark: string | undefined): Pick<CacheEntry, 'mark'> {
  return mark === undefined ? {} : { mark }
}
