import type { CacheChange, CacheChanges, Logger } from '@switchyard/contract'

/** Those who keep copies of entries. */
export interface CacheListeners extends CacheChanges {
  /** Calls each listener before it returns; what one throws is logged, the first time for each. */
  tell(change: CacheChange): void
}

interface Listening {
  readonly listener: (change: CacheChange) => void
  faulty: boolean
}

/** Makes a list of listeners that is empty. It is always current: what is deleted in one process is told within the call. */
export function cacheListeners(log: Pick<Logger, 'error'>): CacheListeners {
  const listening = new Set<Listening>()

  function blame(one: Listening, { kind }: CacheChange, error: unknown): void {
    if (one.faulty) return
    one.faulty = true
    log.error({ kind, error }, 'a listener to changes of the cache failed; its further failures are not logged')
  }

  return {
    current: () => true,

    listen(listener) {
      const one: Listening = { listener, faulty: false }
      listening.add(one)
      return () => {
        listening.delete(one)
      }
    },

    tell(change) {
      for (const one of [...listening]) {
        if (!listening.has(one)) continue
        try {
          // An async function fits where a listener is asked for; what it rejects with would end the process.
          const result: unknown = one.listener(change)
          if (result instanceof Promise) result.catch((error: unknown) => blame(one, change, error))
        } catch (error) {
          blame(one, change, error)
        }
      }
    },
  }
}
