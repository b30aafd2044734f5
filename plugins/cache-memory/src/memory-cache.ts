import { type Cache, type CacheEntry, type CallOptions, type Clock, type Logger, SwitchyardError } from '@switchyard/contract'
import { LRUCache } from 'lru-cache'
import { cacheListeners } from './cache-listeners.ts'
import { invalid, throwIfAborted } from './errors.ts'
import { type Expiring, expiryHeap } from './expiry-heap.ts'
import { tagIndex } from './tag-index.ts'
import { MAX_TAG_MOMENTS, tagMoments } from './tag-moments.ts'

/** What holding an entry takes beside its bytes, measured as heap and buffers over 100,000 small entries on Node 24. */
const ENTRY_OVERHEAD_BYTES = 448
const TAG_OVERHEAD_BYTES = 64

interface Stored extends Expiring {
  readonly key: string
  readonly value: Uint8Array
  readonly tags: readonly string[]
  readonly bytes: number
}

export interface MemoryCacheOptions {
  readonly maxBytes: number
  readonly maxEntryBytes: number
  readonly clock: Pick<Clock, 'now'>
  /** Told once of each listener to changes that fails. */
  readonly log: Pick<Logger, 'error'>
  /** Sets marks apart from those of a cache that was here before; from 0 to below 1. */
  readonly random: () => number
  /** Tags whose last deletion is remembered for `mark`. Default: MAX_TAG_MOMENTS. */
  readonly maxTagMoments?: number
}

/** A cache in this process, and what it holds. */
export interface MemoryCache extends Required<Cache> {
  /** Entries, tags in use and bytes as counted, expired entries that were not yet swept included. */
  usage(): { readonly entries: number; readonly tags: number; readonly bytes: number; readonly expiring: number }
  /** Drops every entry, and tells so. */
  clear(): void
}

/** Bytes that an entry counts: key, value and tags in UTF-8, plus 448 for the entry and 64 for each tag. */
export function entryBytes(key: string, value: Uint8Array, tags: readonly string[]): number {
  let bytes = ENTRY_OVERHEAD_BYTES + Buffer.byteLength(key) + value.byteLength
  for (const tag of tags) bytes += TAG_OVERHEAD_BYTES + Buffer.byteLength(tag)
  return bytes
}

/**
 * Makes an empty cache. The least recently used entries go when bytes run out, expired ones before any other. Time is `clock.now()`
 * alone, exact to the millisecond; there are no timers. Listeners to changes are told of `delete`, `deleteByTag` and `clear`, also where
 * no entry was left; not of what expired or was evicted, since a copy of that is as good as it was.
 */
export function memoryCache(options: MemoryCacheOptions): MemoryCache {
  const { maxBytes, maxEntryBytes, clock, log, random, maxTagMoments = MAX_TAG_MOMENTS } = options
  const tagged = tagIndex()
  const moments = tagMoments(random().toString(36).slice(2, 12), maxTagMoments)
  const changes = cacheListeners(log)
  const expiring = expiryHeap<Stored>()
  const entries = new LRUCache<string, Stored>({
    maxSize: maxBytes,
    sizeCalculation: ({ bytes }) => bytes,
    dispose(stored) {
      tagged.remove(stored.key, stored.tags)
      expiring.remove(stored)
    },
  })

  function sweep(): void {
    const now = clock.now()
    for (let due = expiring.takeDue(now); due !== undefined; due = expiring.takeDue(now)) entries.delete(due.key)
  }

  function begin(key: string, options: CallOptions | undefined): void {
    throwIfAborted(options)
    if (key === '') throw invalid('a cache key must not be empty')
    sweep()
  }

  return {
    capabilities: Object.freeze({ tags: true, expiryResolutionMs: 0, shared: false }),

    async get(key, options) {
      begin(key, options)
      const stored = entries.get(key)
      return stored === undefined ? undefined : copyOf(stored)
    },

    async set(key, entry, options) {
      begin(key, options)
      const tags = [...new Set(entry.tags ?? [])]
      const bytes = entryBytes(key, entry.value, tags)
      if (bytes > maxEntryBytes) throw tooLarge(key, bytes, maxEntryBytes)
      const expiresAt = entry.expiresAt ?? Number.POSITIVE_INFINITY
      if (Number.isNaN(expiresAt)) throw invalid('expiresAt must be a number of epoch milliseconds, not NaN')
      // What is there now was written after the deletion, so it stays.
      if (entry.mark !== undefined && moments.deletedSince(entry.mark, tags)) return
      entries.delete(key)
      if (expiresAt <= clock.now()) return
      // A copy by constructor: Buffer's slice would be a view of the caller's bytes.
      const stored: Stored = { key, value: new Uint8Array(entry.value), tags, bytes, expiresAt, place: -1 }
      entries.set(key, stored)
      tagged.add(key, tags)
      if (expiresAt !== Number.POSITIVE_INFINITY) expiring.add(stored)
    },

    async delete(key, options) {
      begin(key, options)
      const found = entries.delete(key)
      changes.tell({ kind: 'key', key })
      return found
    },

    async deleteByTag(tag, options) {
      throwIfAborted(options)
      moments.deleted(tag)
      for (const key of tagged.keysOf(tag)) entries.delete(key)
      changes.tell({ kind: 'tag', tag })
    },

    mark: (tags) => moments.mark(tags),

    changes: { current: changes.current, listen: changes.listen },

    async countByTag(tag, options) {
      throwIfAborted(options)
      sweep()
      return { count: tagged.count(tag), exact: true }
    },

    usage: () => ({ entries: entries.size, tags: tagged.size, bytes: entries.calculatedSize, expiring: expiring.size }),

    // Each entry is disposed of, and leaves its tags and its expiry with it.
    clear() {
      entries.clear()
      changes.tell({ kind: 'all' })
    },
  }
}

function copyOf({ value, expiresAt, tags }: Stored): CacheEntry {
  return {
    value: new Uint8Array(value),
    ...(expiresAt === Number.POSITIVE_INFINITY ? {} : { expiresAt }),
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
  }
}

function tooLarge(key: string, bytes: number, maxEntryBytes: number): SwitchyardError {
  const shown = key.length > 64 ? `${key.slice(0, 64)}...` : key
  return new SwitchyardError(
    'TOO_LARGE',
    `cache entry ${JSON.stringify(shown)} takes ${bytes} bytes, maxEntryBytes is ${maxEntryBytes}; raise it or do not cache this`,
    { details: { bytes, maxEntryBytes } },
  )
}
