import {
  type Cache,
  type Call,
  type Clock,
  type Logger,
  type Next,
  type Operation,
  type Reply,
  SwitchyardError,
} from '@switchyard/contract'
import { within } from './levels/within.ts'

export interface WriteOptions {
  readonly cache: Cache
  readonly clock: Pick<Clock, 'schedule'>
  readonly log: Pick<Logger, 'warn' | 'info'>
  /** Longest that a write waits for the store, before it and behind it each. */
  readonly timeoutMs: number
}

/** Calls that change what others were answered with. */
export interface Writes {
  /**
   * Sends the call on, and deletes what bears the tags before and after: what was read while it ran may be older than it. Replies once that is
   * done. Where the store does not take a deletion, the reply comes all the same, this node passes the tags by until the store has
   * taken it, and it is tried until it has. Where nobody knows when the write ended, as its caller left or its time was up, the tags are deleted once more
   * later on.
   */
  around<O extends Operation>(call: Call<O>, next: Next<O>, tags: readonly string[]): Promise<Reply<O>>
  /** Whether what bears one of the tags may not be served here now. */
  isBehind(tags: readonly string[]): boolean
  readonly behind: number
  close(): void
}

const AGAIN_MS = 500
/** A server that was told to stop has stopped by then, or gone on to the end. */
const LATE_MS = 5_000
const MOST_LATE = 10_000
/** Tags that may wait for the store; beyond that everything is passed by. */
const MOST_BEHIND = 10_000

/** Makes it. */
export function writesOn({ cache, clock, log, timeoutMs }: WriteOptions): Writes {
  const owed = new Map<string, number>()
  let cancel: (() => void) | undefined
  let closed = false
  const late = new Set<() => void>()

  const remove = (tag: string): Promise<void> =>
    within({ clock, ms: timeoutMs }, (signal) => cache.deleteByTag(tag, { signal }))

  async function drop(tag: string): Promise<void> {
    try {
      await remove(tag)
    } catch (error) {
      if (owed.size === 0)
        log.warn(
          { err: error },
          'the store of the cache takes no deletion: what was written to is passed by here until it does',
        )
      owed.set(tag, (owed.get(tag) ?? 0) + 1)
      again()
    }
  }

  function again(): void {
    if (closed || cancel !== undefined) return
    cancel = clock.schedule(AGAIN_MS, () => {
      cancel = undefined
      void settle()
    })
  }

  async function settle(): Promise<void> {
    for (const [tag, times] of [...owed]) {
      try {
        await remove(tag)
      } catch {
        break
      }
      // One that was owed anew meanwhile stays.
      if (owed.get(tag) === times) owed.delete(tag)
    }
    if (owed.size > 0) again()
    else log.info({}, 'the store of the cache took all deletions that it was owed')
  }

  function onceMore(tags: readonly string[]): void {
    if (closed || late.size >= MOST_LATE) return
    const stop = clock.schedule(LATE_MS, () => {
      late.delete(stop)
      void Promise.all(tags.map(drop))
    })
    late.add(stop)
  }

  return {
    async around(call, next, tags) {
      await Promise.all(tags.map(drop))
      try {
        return await next(call)
      } catch (error) {
        if (call.signal.aborted || SwitchyardError.is(error, 'TIMEOUT') || SwitchyardError.is(error, 'ABORTED')) onceMore(tags)
        throw error
      } finally {
        await Promise.all(tags.map(drop))
      }
    },
    isBehind: (tags) => owed.size > 0 && (owed.size > MOST_BEHIND || tags.some((tag) => owed.has(tag))),
    get behind() {
      return owed.size
    },
    close() {
      closed = true
      cancel?.()
      for (const stop of late) stop()
      late.clear()
      owed.clear()
    },
  }
}
