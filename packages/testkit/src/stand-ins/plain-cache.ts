import { type Cache, type CacheChange, type CacheEntry, type CallOptions, SwitchyardError } from '@switchyard/contract'

/** What a cache for tests is like. */
export interface PlainCacheOptions {
  readonly now: () => number
  /** Default: true. */
  readonly tags?: boolean
  /** Whether it has the members that a cache may lack. Default: true. */
  readonly optional?: boolean
  /** Bytes that a value may have. Default: any number. */
  readonly maxBytes?: number
  /** How long after its expiry an entry can still be read, which is declared. Default: 0. */
  readonly lateMs?: number
  /** The same, not declared: what the suite must find. */
  readonly secretlyLateMs?: number
}

/** The port in the plainest way, for tests of what stands on one: a map, searched from end to end; nothing in it is bounded. */
export function plainCache({ now, tags = true, optional = tags, ...rest }: PlainCacheOptions): Cache {
  const { maxBytes = Number.POSITIVE_INFINITY, lateMs = 0, secretlyLateMs = 0 } = rest
  const deletions: string[] = []
  const listeners = new Set<{ listener: (change: CacheChange) => void }>()
  const mark = (own: readonly string[]): string => `m${deletions.findLastIndex((tag) => own.includes(tag)) + 1}`
  const tell = (change: CacheChange): void => {
    for (const { listener } of listeners) {
      try {
        listener(change)
      } catch {
        // Reaches nobody.
      }
    }
  }
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
      if (entry.mark !== undefined && entry.mark !== mark(entry.tags ?? [])) return
      entries.set(key, copied(entry))
    },
    async delete(key, options) {
      begin(key, options)
      const found = entries.delete(key)
      tell({ kind: 'key', key })
      return found
    },
    async deleteByTag(tag, options) {
      if (!tags) throw new SwitchyardError('UNSUPPORTED', 'no tags here')
      begin(tag, options)
      for (const [key, entry] of entries) if (entry.tags?.includes(tag)) entries.delete(key)
      deletions.push(tag)
      tell({ kind: 'tag', tag })
    },
    ...(optional && {
      mark,
      changes: {
        current: () => true,
        listen(listener) {
          const one = { listener }
          listeners.add(one)
          return () => void listeners.delete(one)
        },
      },
      async countByTag(tag, options) {
        let count = 0
        for (const [key, { tags: own }] of entries) {
          begin(key, options)
          if (entries.has(key) && own?.includes(tag)) count += 1
        }
        begin(tag, options)
        return { count, exact: true }
      },
    }),
  }
}
