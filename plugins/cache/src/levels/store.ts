import { type Cache, type Clock, type Logger, SwitchyardError } from '@switchyard/contract'
import type { Kind } from '../kind.ts'
import { seal, unseal } from './envelope.ts'
import type { KeptReply } from './kept-reply.ts'
import { type Patience, patience } from './patience.ts'
import { within } from './within.ts'

export interface StoreOptions {
  readonly cache: Cache
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'schedule'>
  readonly log: Pick<Logger, 'warn'>
  readonly lookupTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly maxBytes: number
  readonly compressFrom: number
  readonly maxWritesInFlight: number
}

export interface Filing {
  readonly key: string
  readonly payload: Uint8Array
  readonly by: string
  readonly tags: readonly string[]
  readonly mark: string | undefined
  readonly createdAt: number
  readonly freshUntil: number
  readonly expiresAt: number
  readonly tookMs: number
}

/** The shared level. Its failures are misses, told by counts. */
export interface StoreLevel {
  /** Undefined where there is none, or the store does not answer in time. Rejects only where the caller's signal aborts. */
  get(key: string, kind: Kind, signal: AbortSignal): Promise<KeptReply | undefined>
  /** Never rejects. */
  set(kind: Kind, filing: Filing): Promise<'stored' | 'invalidated' | 'too-large' | 'store-away' | 'store-behind'>
  /** Since the start. */
  readonly failures: { readonly lookups: number; readonly writes: number; readonly malformed: number }
  /** The store failed again and again, and is asked by one look-up at a time. */
  isAway(): boolean
}

/** Makes the level on a cache. */
export function storeLevel(options: StoreOptions): StoreLevel {
  const { cache, clock, log, maxBytes, compressFrom, writeTimeoutMs, maxWritesInFlight } = options
  const failures = { lookups: 0, writes: 0, malformed: 0 }
  const isRemote = cache.capabilities.shared
  const lookups: Patience | undefined = isRemote ? patience({ clock, timeoutMs: options.lookupTimeoutMs }) : undefined
  let writing = 0

  async function read(key: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      const asked = (heeded: AbortSignal) => cache.get(key, { signal: heeded })
      const entry = lookups === undefined ? await asked(signal) : await lookups.run(asked, signal)
      return entry?.value
    } catch (error) {
      if (signal.aborted) throw error
      failures.lookups += 1
      return undefined
    }
  }

  async function remove(key: string): Promise<void> {
    try {
      await within({ clock, ms: writeTimeoutMs }, (signal) => cache.delete(key, { signal }))
    } catch {
      failures.writes += 1
    }
  }

  return {
    async get(key, kind, signal) {
      const value = await read(key, signal)
      if (value === undefined) return undefined
      const parts = await unseal(value, maxBytes)
      if (parts !== undefined && parts.envelope.operation === kind.operation) {
        if (parts.envelope.expiresAt <= clock.now()) return undefined
        try {
          return { ...parts.envelope, ...kind.open(parts.payload) }
        } catch {
          // Told below.
        }
      }
      failures.malformed += 1
      if (failures.malformed === 1)
        log.warn({ key }, 'an entry of the cache cannot be read and is removed; more are only counted')
      await remove(key)
      return undefined
    },

    async set(kind, { key, payload, tags, mark, ...rest }) {
      if (payload.byteLength > maxBytes) return 'too-large'
      if (cache.mark !== undefined && mark === undefined) return 'store-behind'
      if (writing >= maxWritesInFlight || (lookups?.isOpen() ?? false)) {
        failures.writes += 1
        return 'store-away'
      }
      writing += 1
      try {
        const value = await seal(
          { operation: kind.operation, ...rest },
          payload,
          isRemote ? compressFrom : Number.POSITIVE_INFINITY,
        )
        const entry = { value, expiresAt: rest.expiresAt, tags, ...(mark !== undefined && { mark }) }
        if (isRemote) await within({ clock, ms: writeTimeoutMs }, (signal) => cache.set(key, entry, { signal }))
        else await cache.set(key, entry)
        // A tag was deleted since: the store kept nothing.
        return mark === undefined || cache.mark?.(tags) === mark ? 'stored' : 'invalidated'
      } catch (error) {
        if (SwitchyardError.is(error, 'TOO_LARGE')) return 'too-large'
        failures.writes += 1
        return 'store-away'
      } finally {
        writing -= 1
      }
    },

    failures,
    isAway: () => lookups?.isOpen() ?? false,
  }
}
