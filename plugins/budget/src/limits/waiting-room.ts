import type { Clock } from '@switchyard/contract'
import type { Claim } from './claim.ts'

/** How long a waiter believes that nothing happened elsewhere: holds of other nodes end without our knowing. */
const LOOK_MS = 100
/** Calls that may wait at once: each asks the store ten times a second. */
const MOST_WAITING = 1_000

/** Calls that wait for the holds of others to end, first come, first served, a claim. */
export class WaitingRoom {
  readonly #clock: Pick<Clock, 'schedule'>
  readonly #waiters = new Map<Claim, Set<() => void>>()
  #count = 0

  constructor(clock: Pick<Clock, 'schedule'>) {
    this.#clock = clock
  }

  /** Whether so many wait that one more would only ask in vain. */
  get isFull(): boolean {
    return this.#count >= MOST_WAITING
  }

  /** Resolves when a hold of the claim has ended, after a tenth of a second, or at the signal's abort. */
  wait(claim: Claim, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(claim) ?? new Set<() => void>()
      this.#waiters.set(claim, waiters)
      const leave = (): void => {
        cancel()
        signal.removeEventListener('abort', leave)
        if (waiters.delete(leave)) this.#count -= 1
        if (waiters.size === 0) this.#waiters.delete(claim)
        resolve()
      }
      const cancel = this.#clock.schedule(Math.min(ms, LOOK_MS), leave)
      signal.addEventListener('abort', leave, { once: true })
      waiters.add(leave)
      this.#count += 1
    })
  }

  /** Resolves after so long, or at the signal's abort. */
  rest(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const leave = (): void => {
        cancel()
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const cancel = this.#clock.schedule(ms, leave)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  /** A hold of the claim has ended: the first who waits looks again. */
  wake(claim: Claim): void {
    if (this.#waiters.size === 0) return
    const waiters = this.#waiters.get(claim)
    if (waiters === undefined) return
    for (const leave of waiters) {
      leave()
      return
    }
  }
}
