import { type Cache, type CacheEntry, type CallOptions, SwitchyardError } from '@switchyard/contract'

export interface PlainCacheOptions {
  readonly now: () => number
  /** Default: true. */
  readonly tags?: boolean
  /** Bytes that a value may have. Default: any number. */
  readonly maxBytes?: number
  /** How long after its expiry an entry can still be read, which is declared. Default: 0. */
  readonly lateMs?: number
  /** The same, not declared: what the suite must find. */
  readonly secretlyLateMs?: number
}

/** The port in the plainest way: a map, searched from end to end. */
export function plainCache({ now, tags = true, maxBytes = Number.POSITIVE_INFINITY, ...late }: PlainCacheOptions): Cache {
  const { lateMs = 0, secretlyLateMs = 0 } = late
  const entries = new Map<string, CacheEntry>()
  const copied = ({ value, expiresAt, tags: own = [] }: CacheEntry): CacheEntry => ({
    value: new Uint8Array(value),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    tags: [...own],
  })
  const begin = (key: string, options: CallOptions | undefined): void => {
    if (options?.signal?.aborted) throw new SwitchyardError('ABORTED', 'aborted before it began')
    if (key === '') throw new SwitchyardError('INVALID_REQUEST', 'the key is empty')
    const { expiresAt = Number.POSITIVE_INFINITY } = entries.get(key) ?? {}
    if (expiresAt + lateMs + secretlyLateMs <= now()) entries.delete(key)
  }
  return {
    capabilities: { tags, expiryResolutionMs: lateMs, shared: false },
    async get(key, options) {
      begin(key, options)
      const entry = entries.get(key)
      return entry === undefined ? undefined : copied(entry)
    },
    async set(key, entry, options) {
      begin(key, options)
      if (entry.value.byteLength > maxBytes) throw new SwitchyardError('TOO_LARGE', `more than ${maxBytes} bytes`)
      entries.set(key, copied(entry))
    },
    async delete(key, options) {
      begin(key, options)
      return entries.delete(key)
    },
    async deleteByTag(tag, options) {
      if (!tags) throw new SwitchyardError('UNSUPPORTED', 'no tags here')
      begin(tag, options)
      for (const [key, entry] of entries) if (entry.tags?.includes(tag)) entries.delete(key)
    },
  }
}
