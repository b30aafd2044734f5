import type { Cache, Call, Clock, Logger, Next, Operation, Reply } from '@switchyard/contract'

export interface WriteOptions {
  readonly cache: Cache
  readonly clock: Pick<Clock, 'schedule'>
  readonly log: Pick<Logger, 'warn' | 'info'>
}

/** Calls that change what others were answered with. */
export interface Writes {
  /**
   * Sends the call on, and deletes what bears the tags before and after: what was read while it ran may be older than it. Replies once that is
   * done. Where the store does not take a deletion, the reply comes all the same, this node passes the tags by until the store has
   * taken it, and it is tried until it has.
   */
  around<O extends Operation>(call: Call<O>, next: Next<O>, tags: readonly string[]): Promise<Reply<O>>
  /** Whether what bears one of the tags may not be served here now. */
  isBehind(tags: readonly string[]): boolean
  readonly behind: number
  close(): void
}

const AGAIN_MS = 500
/** Tags that may wait for the store; beyond that everything is passed by. */
const MOST_BEHIND = 10_000

/** Makes it. */
export function writesOn({ cache, clock, log }: WriteOptions): Writes {
  const owed = new Map<string, number>()
  let cancel: (() => void) | undefined
  let closed = false

  async function drop(tag: string): Promise<void> {
    try {
      await cache.deleteByTag(tag)
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
        await cache.deleteByTag(tag)
      } catch {
        break
      }
      // One that was owed anew meanwhile stays.
      if (owed.get(tag) === times) owed.delete(tag)
    }
    if (owed.size > 0) again()
    else log.info({}, 'the store of the cache took all deletions that it was owed')
  }

  return {
    async around(call, next, tags) {
      await Promise.all(tags.map(drop))
      try {
        return await next(call)
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
      owed.clear()
    },
  }
}
