import type { Cache } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { mutant, replies, stores, withExpiry } from './wrap.ts'

// Wide enough to show on a subject whose clock goes by itself, too.
const EARLY_MS = 150
const LATE_MS = 60

export const expiryMutants: readonly Mutant<Cache>[] = [
  mutant('expires-early', 'cache.get.readable-until-expiry', (right) =>
    stores(right, (entry) => withExpiry(entry, entry.expiresAt === undefined ? undefined : entry.expiresAt - EARLY_MS)),
  ),
  mutant('expires-late', 'cache.get.gone-at-expiry', (right) =>
    stores(right, (entry) => withExpiry(entry, entry.expiresAt === undefined ? undefined : entry.expiresAt + LATE_MS)),
  ),
  mutant('ignores-expiry', 'cache.get.gone-at-expiry', (right) => stores(right, (entry) => withExpiry(entry, undefined))),
  mutant('keeps-expiry-to-itself', 'cache.get.tells-expiry', (right) =>
    replies(right, (entry) => withExpiry(entry, undefined)),
  ),
  mutant('tells-seconds', 'cache.get.tells-expiry', (right) =>
    replies(right, (entry) =>
      withExpiry(entry, entry.expiresAt === undefined ? undefined : Math.floor(entry.expiresAt / 1000)),
    ),
  ),
  mutant('default-expiry', 'cache.set.no-expiry-stays', (right, opened) =>
    stores(right, (entry) => withExpiry(entry, entry.expiresAt ?? opened.now() + 100)),
  ),
  mutant('keeps-first-expiry', 'cache.set.replaces-expiry', (right) => {
    const first = new Map<string, number>()
    return stores(right, (entry, key) => {
      const expiresAt = first.get(key) ?? entry.expiresAt
      if (expiresAt !== undefined) first.set(key, expiresAt)
      return withExpiry(entry, expiresAt)
    })
  }),
  mutant('never-shortens-expiry', 'cache.set.shortens-expiry', (right) => {
    const latest = new Map<string, number>()
    return stores(right, (entry, key) => {
      const expiresAt = Math.max(latest.get(key) ?? 0, entry.expiresAt ?? Number.MAX_SAFE_INTEGER)
      latest.set(key, expiresAt)
      return withExpiry(entry, expiresAt)
    })
  }),
  mutant('skips-expired-set', 'cache.set.already-expired-absent', (right, opened) => ({
    async set(key, entry, options) {
      if (entry.expiresAt === undefined || entry.expiresAt > opened.now()) await right.set(key, entry, options)
    },
  })),
  mutant('takes-past-expiry-for-none', 'cache.set.already-expired-absent', (right, opened) =>
    stores(right, (entry) => ((entry.expiresAt ?? 0) <= opened.now() ? withExpiry(entry, undefined) : entry)),
  ),
  mutant('rejects-expired-set', 'cache.set.already-expired-absent', (right, opened) => ({
    async set(key, entry, options) {
      if (entry.expiresAt !== undefined && entry.expiresAt <= opened.now()) throw new RangeError('already expired')
      await right.set(key, entry, options)
    },
  })),
  mutant('expired-key-stays-dead', 'cache.set.revives-key', (right, opened) => {
    const first = new Map<string, number>()
    return {
      set(key, entry, options) {
        if (!first.has(key) && entry.expiresAt !== undefined) first.set(key, entry.expiresAt)
        return right.set(key, entry, options)
      },
      ...replies(right, (entry, key) => ((first.get(key) ?? Number.POSITIVE_INFINITY) <= opened.now() ? undefined : entry)),
    }
  }),
  mutant('delete-finds-expired', 'cache.delete.expired-false', (right) => {
    const keys = new Set<string>()
    return {
      set(key, entry, options) {
        keys.add(key)
        return right.set(key, entry, options)
      },
      async delete(key, options) {
        await right.delete(key, options)
        return keys.delete(key)
      },
    }
  }),
]
