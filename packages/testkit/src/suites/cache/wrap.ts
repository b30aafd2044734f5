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
      ...change(right, opened),
    }),
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
  const { value, expiresAt } = entry
  return { value, ...(expiresAt === undefined ? {} : { expiresAt }), ...(tags === undefined ? {} : { tags }) }
}

/** An entry with another expiry; with none where `expiresAt` is undefined. */
export function withExpiry(entry: CacheEntry, expiresAt: number | undefined): CacheEntry {
  const { value, tags } = entry
  return { value, ...(tags === undefined ? {} : { tags }), ...(expiresAt === undefined ? {} : { expiresAt }) }
}
