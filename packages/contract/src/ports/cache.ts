import { definePort, type Port } from '../port.ts'
import type { CallOptions } from '../runtime.ts'

export interface CacheEntry {
  readonly value: Uint8Array
  /** Epoch ms by the injected clock; absent = never. An entry is gone from that millisecond on. */
  readonly expiresAt?: number
  readonly tags?: readonly string[]
  /**
   * For `set` alone: what `mark` gave for these tags before that was read which the value was made of. Where one of the tags was
   * deleted since, the entry is not stored, and `set` resolves all the same.
   */
  readonly mark?: string
}

/** What befell entries that somebody may hold copies of. `all`: the store lost sight of what went on. */
export type CacheChange =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'all' }

/** For those who keep copies of entries nearer by. */
export interface CacheChanges {
  /**
   * Whether whatever was deleted by a call that has resolved, on any node, was told here. Asked before each use of a copy, so it is
   * cheap. While it is false no copy may be used.
   */
  current(): boolean
  /**
   * Tells of deleted keys and tags, before the call that deleted them resolves. What `set` replaces is not told. What the listener
   * throws reaches nobody. The function returned ends it.
   */
  listen(listener: (change: CacheChange) => void): () => void
}

/** Bytes by key. Input and output are copies: changing one later changes nothing stored. */
export interface Cache {
  readonly capabilities: {
    readonly tags: boolean
    /** An expired entry may still be read for this long; 0 = never. */
    readonly expiryResolutionMs: number
    /** Seen by every node of a fleet. */
    readonly shared: boolean
  }
  /** `undefined` when absent or expired. An empty key is `INVALID_REQUEST`, here and below. */
  get(key: string, options?: CallOptions): Promise<CacheEntry | undefined>
  /** Replaces value, expiry and tags whole. `TOO_LARGE` for an entry that could never fit. */
  set(key: string, entry: CacheEntry, options?: CallOptions): Promise<void>
  /** True if an unexpired entry was there. */
  delete(key: string, options?: CallOptions): Promise<boolean>
  /** Entries written before the call are gone for every node once it resolves. Undeclared (`tags: false`) rejects `UNSUPPORTED`. */
  deleteByTag(tag: string, options?: CallOptions): Promise<void>
  /**
   * The moment of these tags: equal, on every node that is current, as long as none of them is deleted, and another after that; it may change for
   * no reason, where a bounded store forgets when it was that a tag was deleted. Opaque, of at most 64 printable ASCII characters; undefined while it cannot be told. Absent where the store does not know.
   */
  mark?(tags: readonly string[]): string | undefined
  /** Absent where copies may not be kept. */
  readonly changes?: CacheChanges
  /** How many unexpired entries bear the tag, or an estimate that says so. Absent where it cannot be told. */
  countByTag?(tag: string, options?: CallOptions): Promise<{ readonly count: number; readonly exact: boolean }>
}

export const cache: Port<Cache> = definePort<Cache>('cache', 1)
