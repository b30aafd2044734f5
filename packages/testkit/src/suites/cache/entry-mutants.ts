import type { Cache, CacheEntry } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { confusesKeys, mutant, replies, stores } from './wrap.ts'

const EMPTY = new Uint8Array(0)

export const entryMutants: readonly Mutant<Cache>[] = [
  mutant('negative-resolution', 'cache.capabilities.well-formed', (right) => ({
    capabilities: { ...right.capabilities, expiryResolutionMs: -1 },
  })),
  mutant('empty-entry-for-unknown-key', 'cache.get.unknown-key-undefined', (right) => ({
    get: async (key, options) => (await right.get(key, options)) ?? { value: EMPTY },
  })),
  mutant('gets-empty-key', 'cache.get.empty-key-invalid', (right) => ({
    get: async (key, options) => (key === '' ? undefined : right.get(key, options)),
  })),
  mutant('sets-empty-key', 'cache.set.empty-key-invalid', (right) => ({
    set: async (key, entry, options) => (key === '' ? undefined : right.set(key, entry, options)),
  })),
  mutant('deletes-empty-key', 'cache.delete.empty-key-invalid', (right) => ({
    delete: async (key, options) => (key === '' ? false : right.delete(key, options)),
  })),
  mutant('throws-at-once', 'cache.get.empty-key-invalid', (right) => ({
    get(key, options) {
      if (key === '') throw new TypeError('empty key')
      return right.get(key, options)
    },
  })),
  mutant('stores-utf8-text', 'cache.set.binary-safe', (right) =>
    stores(right, (entry) => ({ ...entry, value: new TextEncoder().encode(new TextDecoder().decode(entry.value)) })),
  ),
  mutant('stores-buffer-behind-view', 'cache.set.stores-view-only', (right) =>
    stores(right, (entry) => ({ ...entry, value: new Uint8Array(entry.value.buffer as ArrayBuffer) })),
  ),
  mutant('takes-empty-for-absent', 'cache.set.empty-value-present', (right) =>
    replies(right, (entry) => (entry.value.length === 0 ? undefined : entry)),
  ),
  mutant('cuts-large-values', 'cache.set.large-or-refused', (right) =>
    stores(right, (entry) => ({ ...entry, value: entry.value.subarray(0, 65_535) })),
  ),
  mutant('drops-large-values', 'cache.set.large-or-refused', (right) => ({
    set: async (key, entry, options) => (entry.value.length > 65_535 ? undefined : right.set(key, entry, options)),
  })),
  mutant('keeps-caller-buffer', 'cache.set.copies-input', (right) => {
    const given = new Map<string, Uint8Array>()
    return {
      set(key, entry, options) {
        given.set(key, entry.value)
        return right.set(key, entry, options)
      },
      ...replies(right, (entry, key) => ({ ...entry, value: Uint8Array.from(given.get(key) ?? entry.value) })),
    }
  }),
  // Buffer.slice is a view, where Uint8Array.slice is a copy.
  mutant('copies-by-slice', 'cache.set.copies-input', (right) => {
    const given = new Map<string, Uint8Array>()
    return {
      set(key, entry, options) {
        given.set(key, entry.value.slice())
        return right.set(key, entry, options)
      },
      ...replies(right, (entry, key) => ({ ...entry, value: Uint8Array.from(given.get(key) ?? entry.value) })),
    }
  }),
  mutant('hands-out-stored-bytes', 'cache.get.copies-output', (right) => {
    const handedOut = new Map<string, CacheEntry>()
    return replies(right, (entry, key) => {
      const stored = handedOut.get(key) ?? entry
      handedOut.set(key, stored)
      return stored
    })
  }),
  mutant('keeps-first-value', 'cache.set.replaces-value', (right) => ({
    async set(key, entry, options) {
      const first = await right.get(key, options)
      await right.set(key, first === undefined ? entry : { ...entry, value: first.value }, options)
    },
  })),
  mutant('overwrites-in-place', 'cache.set.replaces-value', (right) => ({
    async set(key, entry, options) {
      const first = (await right.get(key, options))?.value ?? EMPTY
      const value = new Uint8Array(Math.max(first.length, entry.value.length))
      value.set(first)
      value.set(entry.value)
      await right.set(key, { ...entry, value }, options)
    },
  })),
  mutant('folds-case-of-keys', 'cache.set.keys-distinct', (right) => confusesKeys(right, (key) => key.toLowerCase())),
  mutant('trims-keys', 'cache.set.keys-distinct', (right) => confusesKeys(right, (key) => key.trim())),
  mutant('cuts-keys', 'cache.set.keys-distinct', (right) => confusesKeys(right, (key) => key.slice(0, 1000))),
  mutant('cuts-keys-at-nul', 'cache.set.keys-distinct', (right) => confusesKeys(right, (key) => key.replace(/\0.*/s, ''))),
  mutant('normalises-keys', 'cache.set.keys-distinct', (right) => confusesKeys(right, (key) => key.normalize('NFC'))),
  mutant('cuts-keys-at-colon', 'cache.set.keys-distinct', (right) => confusesKeys(right, (key) => key.replace(/:.*/s, ''))),
  mutant('keeps-entries-in-plain-object', 'cache.set.keys-distinct', (right) => {
    const store: Record<string, CacheEntry> = {}
    return {
      async set(key, entry, options) {
        await right.set(key, entry, options)
        store[key] = entry
      },
      get: async (key, options) => (Object.hasOwn(store, key) ? right.get(key, options) : undefined),
    }
  }),
  mutant('delete-deletes-nothing', 'cache.delete.removes', (right) => ({
    delete: async (key, options) => (await right.get(key, options)) !== undefined,
  })),
  mutant('delete-says-nothing', 'cache.delete.removes', (right) => ({
    async delete(key, options) {
      await right.delete(key, options)
      return undefined as unknown as boolean
    },
  })),
  mutant('deletes-by-prefix', 'cache.delete.spares-others', (right) => {
    const keys = new Set<string>()
    return {
      set(key, entry, options) {
        keys.add(key)
        return right.set(key, entry, options)
      },
      async delete(key, options) {
        const there = await right.delete(key, options)
        for (const other of keys) if (other.startsWith(key)) await right.delete(other, options)
        return there
      },
    }
  }),
  mutant('delete-always-true', 'cache.delete.absent-false', (right) => ({
    async delete(key, options) {
      await right.delete(key, options)
      return true
    },
  })),
  mutant('loses-parallel-sets', 'cache.set.parallel-keys', (right) => {
    let setting = 0
    return {
      async set(key, entry, options) {
        setting += 1
        if (setting === 1) await right.set(key, entry, options)
        setting -= 1
      },
    }
  }),
  mutant('stores-value-and-expiry-apart', 'cache.set.parallel-one-key', (right) => {
    const expiries = new Map<string, number | undefined>()
    return {
      set(key, entry, options) {
        if (!expiries.has(key)) expiries.set(key, entry.expiresAt)
        return right.set(key, entry, options)
      },
      ...replies(right, (entry, key) => ({ ...entry, expiresAt: expiries.get(key) ?? 0 })),
    }
  }),
  mutant('delete-looks-first', 'cache.delete.parallel-true-once', (right) => ({
    async delete(key, options) {
      const there = (await right.get(key, options)) !== undefined
      await right.delete(key, options)
      return there
    },
  })),
  mutant('get-ignores-abort', 'cache.get.aborted-signal', (right) => ({ get: (key) => right.get(key) })),
  mutant('get-rejects-raw-reason', 'cache.get.aborted-signal', (right) => ({
    async get(key, options) {
      options?.signal?.throwIfAborted()
      return right.get(key)
    },
  })),
  mutant('set-ignores-abort', 'cache.set.aborted-signal', (right) => ({ set: (key, entry) => right.set(key, entry) })),
  mutant('set-looks-at-abort-too-late', 'cache.set.aborted-signal', (right) => ({
    async set(key, entry, options) {
      await right.set(key, entry)
      await right.get(key, options)
    },
  })),
  mutant('delete-ignores-abort', 'cache.delete.aborted-signal', (right) => ({ delete: (key) => right.delete(key) })),
]
