import type { Clock } from '@switchyard/contract'
import type { Claim } from './claim.ts'

/** How long the first of a queue believes that nothing happened elsewhere: holds of other nodes end without our knowing. */
const LOOK_MS = 100
/** Calls that may wait at once. */
const MOST_WAITING = 1_000

/** A call's place in the queue of a claim. */
export interface Place {
  readonly claim: Claim
  /** Epoch ms at which the call that has it last saw what is truly settled at the claim. */
  lookedAt: number
}

interface Held extends Place {
  /** Ends the wait that is under way. */
  call: (() => void) | undefined
  /** Called while it was not waiting: it need not wait the next time. */
  called: boolean
}

/**
 * Queues of calls that wait for the holds of others to end, one a claim. Only the first of a queue asks the store: it is woken by each hold
 * of this node that ends, and looks ten times a second for those of others.
 */
export class WaitingRoom {
  readonly #clock: Pick<Clock, 'schedule'>
  readonly #queues = new Map<Claim, Set<Held>>()
  #count = 0

  constructor(clock: Pick<Clock, 'schedule'>) {
    this.#clock = clock
  }

  /** Whether so many wait that one more would only ask in vain. */
  get isFull(): boolean {
    return this.#count >= MOST_WAITING
  }

  /** The first of the claims that somebody waits for; undefined where nobody waits. */
  busyOf(claims: readonly Claim[]): Claim | undefined {
    if (this.#count === 0) return undefined
    return claims.find((claim) => this.#queues.has(claim))
  }

  /** Takes the last place of the claim's queue, until `leave`. */
  join(claim: Claim): Place {
    const place: Held = { claim, lookedAt: Number.NEGATIVE_INFINITY, call: undefined, called: false }
    const queue = this.#queues.get(claim)
    if (queue === undefined) this.#queues.set(claim, new Set([place]))
    else queue.add(place)
    this.#count += 1
    return place
  }

  /** Gives the place up, once; the next one has its turn if it was the first. */
  leave(place: Place): void {
    const { claim } = place
    const queue = this.#queues.get(claim)
    if (queue === undefined) return
    const wasFirst = first(queue) === place
    if (!queue.delete(place as Held)) return
    this.#count -= 1
    if (queue.size === 0) this.#queues.delete(claim)
    else if (wasFirst) this.wake(claim)
  }

  /**
   * Resolves when it is time to ask: the place has become the first, or is it and a hold ended or a tenth of a second went by. Else after
   * `ms`, or at the signal's abort.
   */
  turn(place: Place, ms: number, signal: AbortSignal): Promise<void> {
    const held = place as Held
    const queue = this.#queues.get(place.claim)
    if (held.called || signal.aborted || queue === undefined) {
      held.called = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      const end = this.#after(first(queue) === held ? Math.min(ms, LOOK_MS) : ms, signal, () => {
        held.call = undefined
        resolve()
      })
      held.call = end
    })
  }

  /** Resolves after so long, or at the signal's abort. */
  rest(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => void this.#after(ms, signal, resolve))
  }

  /** A hold of the claim has ended: the first who waits looks again. */
  wake(claim: Claim): void {
    if (this.#count === 0) return
    const queue = this.#queues.get(claim)
    if (queue !== undefined) callUp(first(queue) as Held)
  }

  /** All who wait ask at once: each is to hear for itself that there is nothing to ask. */
  disperse(): void {
    for (const queue of this.#queues.values()) for (const place of queue) callUp(place)
  }

  /** Calls `then` once; the function returned does it at once. */
  #after(ms: number, signal: AbortSignal, then: () => void): () => void {
    const end = (): void => {
      cancel()
      signal.removeEventListener('abort', end)
      then()
    }
    const cancel = this.#clock.schedule(ms, end)
    signal.addEventListener('abort', end, { once: true })
    return end
  }
}

function first(queue: ReadonlySet<Held>): Held | undefined {
  for (const place of queue) return place
  return undefined
}

function callUp(place: Held): void {
  if (place.call === undefined) place.called = true
  else place.call()
}
