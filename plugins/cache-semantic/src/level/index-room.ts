import type { Clock, Logger, VectorIndex, VectorMatch } from '@switchyard/contract'
import { breaker } from '../own-calls/breaker.ts'
import { isAborted, timed } from '../own-calls/timed.ts'
import { type Lru, lru } from './lru.ts'

/** The index as the level uses it: within limits of time, and never with an entry that was removed here. */
export interface IndexRoom {
  /** Whether a search may be tried now. */
  admits(): boolean
  /** Rejects where the index fails or takes too long. */
  nearest(where: string, vector: Float32Array, signal: AbortSignal | undefined): Promise<readonly VectorMatch[]>
  /** Puts an entry, for the first time or once its answer is another. Never rejects. */
  found(where: string, entry: IndexEntry): Promise<void>
  /** Puts it again with another payload, unless it was removed meanwhile. Never rejects. */
  join(where: string, entry: IndexEntry): Promise<void>
  /** Passed over here from now on. Rejects where the index did not take it, after some tries. */
  remove(where: string, ids: readonly string[]): Promise<void>
}

export interface IndexEntry {
  readonly id: string
  readonly vector: Float32Array
  readonly expiresAt: number
  readonly payload: Uint8Array
}

export interface IndexRoomParts {
  readonly vectors: VectorIndex
  /** How long a look-up waits. */
  readonly timeoutMs: number
  readonly clock: Pick<Clock, 'monotonic' | 'schedule' | 'sleep'>
  readonly log: Pick<Logger, 'warn' | 'debug'>
  /** Aborts when the plugin closes. */
  readonly closing: AbortSignal
}

/** Neighbours that the policy is given. */
export const RETRIEVED = 32

const OPEN_MS = 5_000
const WRITE_MS = 5_000
const TRIES_AFTER_MS: readonly number[] = [0, 1_000, 10_000]
const MOST_REMOVED = 10_000

/** A room over an index. */
export function indexRoom({ vectors, timeoutMs, clock, log, closing }: IndexRoomParts): IndexRoom {
  const guard = breaker(clock, OPEN_MS)
  const removed: Lru<true> = lru(MOST_REMOVED)
  const nameOf = (where: string, id: string): string => `${where}\n${id}`

  const put = async (where: string, entry: IndexEntry): Promise<void> => {
    try {
      const limit = { clock, ms: WRITE_MS, what: 'the index', signal: closing }
      await timed((signal) => vectors.upsert(where, [entry], { signal }), limit)
    } catch (error) {
      log.debug({ error }, 'a question could not be indexed')
    }
  }

  return {
    admits: () => guard.admits(),
    async nearest(where, vector, signal) {
      try {
        const limit = { clock, ms: timeoutMs, what: 'the index', signal }
        const query = { vector, count: RETRIEVED }
        const matches = await timed((own) => vectors.nearest(where, query, { signal: own }), limit)
        guard.note(true)
        return matches.filter(({ id }) => removed.get(nameOf(where, id)) === undefined)
      } catch (error) {
        if (!isAborted(signal)) guard.note(false)
        throw error
      }
    },
    async found(where, entry) {
      removed.delete(nameOf(where, entry.id))
      await put(where, entry)
    },
    async join(where, entry) {
      if (removed.get(nameOf(where, entry.id)) === undefined) await put(where, entry)
    },
    async remove(where, ids) {
      for (const id of ids) removed.set(nameOf(where, id), true)
      let failure: unknown
      for (const ms of TRIES_AFTER_MS) {
        try {
          if (ms > 0) await clock.sleep(ms, closing)
          const limit = { clock, ms: WRITE_MS, what: 'the index', signal: closing }
          await timed((signal) => vectors.delete(where, ids, { signal }), limit)
          return
        } catch (error) {
          failure = error
          if (closing.aborted) break
        }
      }
      log.warn({ error: failure, count: ids.length }, 'the index did not take a removal: other nodes may still find the entry')
      throw failure
    },
  }
}
