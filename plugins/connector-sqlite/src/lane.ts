import { type Clock, SwitchyardError } from '@switchyard/contract'
import { abortError, closedError, throwIfAborted } from './errors.ts'

export interface LaneOptions {
  /** What is waited for, as messages name it: `the writer`. */
  readonly name: string
  /** How many may hold it at once. */
  readonly capacity: number
  readonly maxWaiting: number
  readonly acquireTimeoutMs: number
  readonly clock: Clock
}

export interface LaneStats {
  readonly held: number
  readonly waiting: number
  /** Milliseconds since the oldest turn began; 0 when none is held. */
  readonly oldestHolderMs: number
}

/** Turns at something scarce, given first come, first served. */
export interface Lane {
  /** A turn if one is free and nobody waits. The returned function ends it; calling it again does nothing. */
  tryAcquire(holder: string): (() => void) | undefined
  /**
   * A turn as soon as there is one. Rejects `OVERLOADED` when the queue is full or the wait took too long, naming who holds it;
   * the signal's error at once when it aborts; `CLOSED` when the lane closes.
   */
  acquire(holder: string, signal?: AbortSignal): Promise<() => void>
  stats(): LaneStats
  /** Refuses all who wait and all who come. Turns that are held go on. */
  close(): void
}

interface Turn {
  readonly holder: string
  readonly since: number
}

interface Waiter {
  readonly holder: string
  grant(release: () => void): void
  refuse(error: SwitchyardError): void
}

export function lane(options: LaneOptions): Lane {
  const { name, capacity, maxWaiting, acquireTimeoutMs, clock } = options
  const turns = new Set<Turn>()
  const waiters = new Set<Waiter>()
  let closed = false

  function take(holder: string): () => void {
    const turn = { holder, since: clock.monotonic() }
    turns.add(turn)
    return () => {
      if (!turns.delete(turn)) return
      for (const next of waiters) {
        waiters.delete(next)
        next.grant(take(next.holder))
        return
      }
    }
  }

  function holders(): string {
    const now = clock.monotonic()
    return [...turns].map((turn) => `a ${turn.holder} for ${Math.round(now - turn.since)} ms`).join(', ')
  }

  return {
    tryAcquire(holder) {
      if (closed) throw closedError()
      return turns.size < capacity && waiters.size === 0 ? take(holder) : undefined
    },
    acquire(holder, signal) {
      return new Promise((resolve, reject) => {
        if (closed) throw closedError()
        throwIfAborted(signal)
        if (turns.size < capacity && waiters.size === 0) {
          resolve(take(holder))
          return
        }
        if (waiters.size >= maxWaiting) {
          const message = `sqlite: ${waiters.size} calls wait for ${name} already (maxWaiting); it is held by ${holders()}`
          throw new SwitchyardError('OVERLOADED', message, { details: { sent: false } })
        }
        const leave = (): void => {
          waiters.delete(waiter)
          cancelTimer()
          signal?.removeEventListener('abort', onAbort)
        }
        const waiter: Waiter = {
          holder,
          grant(release) {
            leave()
            resolve(release)
          },
          refuse(error) {
            leave()
            reject(error)
          },
        }
        const onAbort = (): void => waiter.refuse(abortError(signal as AbortSignal))
        const cancelTimer = clock.schedule(acquireTimeoutMs, () => {
          const message =
            `sqlite: no turn at ${name} within ${acquireTimeoutMs} ms (acquireTimeoutMs); it is held by ${holders()}. ` +
            'A call on the database from inside its own transaction or stream waits for itself: use the session.'
          waiter.refuse(new SwitchyardError('OVERLOADED', message, { details: { sent: false } }))
        })
        signal?.addEventListener('abort', onAbort, { once: true })
        waiters.add(waiter)
      })
    },
    stats() {
      const oldest = turns.values().next().value
      return {
        held: turns.size,
        waiting: waiters.size,
        oldestHolderMs: oldest === undefined ? 0 : clock.monotonic() - oldest.since,
      }
    },
    close() {
      closed = true
      for (const waiter of waiters) waiter.refuse(closedError())
    },
  }
}
