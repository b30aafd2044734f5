import type { Cache } from '@switchyard/contract'
import { LRUCache } from 'lru-cache'
import type { KeptReply } from './kept-reply.ts'

interface Near {
  readonly reply: KeptReply | Unopened
  readonly tags: readonly string[]
  readonly mark: string
}

/** A reply that was just stored, to be made ready when it is first asked for. */
export interface Unopened {
  readonly expiresAt: number
  /** About what it will take in memory. */
  readonly bytes: number
  /** Throws where it is none of ours. */
  open(): KeptReply
}

/** Replies ready in this process, each a copy of what the store holds. */
export interface NearLevel {
  /** Undefined where there is none, or where it may be out of date. It may be stale. */
  get(key: string, nowMs: number): KeptReply | undefined
  /** A moment to be given to `set`, taken before the store was asked. */
  moment(): number
  /** Keeps a copy, unless a key was deleted since `moment`. `mark` was taken before the store was asked. */
  set(key: string, reply: KeptReply | Unopened, tags: readonly string[], mark: string | undefined, moment: number): void
  /** Drops a copy, as the store has another reply now. */
  forget(key: string): void
  readonly entries: number
  readonly bytes: number
  close(): void
}

/** What an entry takes beside its ready reply. */
const OVERHEAD_BYTES = 512

/**
 * The nearest level: bounded by bytes, the least recently used goes. It serves only while the store says that it tells of every deletion,
 * and only while no tag of the entry was deleted. Keeps nothing where the store tells nothing.
 */
export function nearLevel(store: Cache, maxBytes: number): NearLevel {
  const { changes } = store
  let deletions = 0
  const entries = new LRUCache<string, Near>({
    maxSize: Math.max(1, maxBytes),
    sizeCalculation: ({ reply }) => reply.bytes + OVERHEAD_BYTES,
  })
  const isOff = maxBytes <= 0 || changes === undefined || store.mark === undefined
  const end = changes?.listen((change) => {
    if (change.kind === 'tag') return
    deletions += 1
    if (change.kind === 'key') entries.delete(change.key)
    else entries.clear()
  })
  return {
    get(key, nowMs) {
      if (isOff || changes === undefined || !changes.current()) return undefined
      const near = entries.get(key)
      if (near === undefined) return undefined
      if (near.reply.expiresAt > nowMs && store.mark?.(near.tags) === near.mark) {
        if (!('open' in near.reply)) return near.reply
        const reply = near.reply.open()
        entries.set(key, { ...near, reply })
        return reply
      }
      entries.delete(key)
      return undefined
    },
    moment: () => deletions,
    set(key, reply, tags, mark, moment) {
      if (isOff || mark === undefined || moment !== deletions) return
      entries.set(key, { reply, tags, mark })
    },
    forget(key) {
      entries.delete(key)
    },
    get entries() {
      return entries.size
    },
    get bytes() {
      return entries.calculatedSize
    },
    close() {
      end?.()
      entries.clear()
    },
  }
}
