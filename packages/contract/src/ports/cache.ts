import { definePort, type Port } from '../port.ts'
import type { CallOptions } from '../runtime.ts'

export interface CacheEntry {
  readonly value: Uint8Array
  /** Epoch ms by the injected clock; absent = never. An entry is gone from that millisecond on. */
  readonly expiresAt?: number
  readonly tags?: readonly string[]
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
}

export const cache: Port<Cache> = definePort<Cache>('cache', 1)
