import assert from 'node:assert/strict'
import type { Cache, CacheEntry } from '@switchyard/contract'

/** UTF-8 of a text, as a cache value. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Asserts that `key` holds exactly this text, and gives the entry. */
export async function holds(cache: Cache, key: string, text: string, what: string): Promise<CacheEntry> {
  const entry = await cache.get(key)
  assert.ok(entry !== undefined, `${what}: ${JSON.stringify(key)} is absent`)
  assert.ok(entry.value instanceof Uint8Array, `${what}: the value is no Uint8Array`)
  assert.equal(new TextDecoder().decode(entry.value), text, what)
  return entry
}

/** Asserts that `key` holds nothing. */
export async function absent(cache: Cache, key: string, what: string): Promise<void> {
  assert.equal(await cache.get(key), undefined, `${what}: ${JSON.stringify(key)} is still there`)
}
