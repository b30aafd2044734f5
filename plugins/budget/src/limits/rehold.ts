import type { Clock, CounterRow, Logger } from '@switchyard/contract'
import { SwitchyardError } from '@switchyard/contract'
import type { Attempt } from '../attempt/attempt.ts'
import { AT } from '../ledger/columns.ts'
import { nanoOfPico } from '../money.ts'
import { type Store, StoreAway } from './store.ts'

export interface ReholdOptions {
  readonly store: Store
  /** Attempts under way. */
  readonly live: Iterable<Attempt>
  readonly clock: Pick<Clock, 'now'>
  readonly lateSettleMs: number
  readonly log: Logger
}

/**
 * How long a shared store that was filled from the ledger admits nothing: what nodes had under way was held in the store that is gone, and
 * each of them sees by then that it has to hold it again.
 */
export const QUIET_MS = 2_000
/** How often a node looks whether the store still has what it held there. */
export const LOOK_MS = 500

/**
 * Holds attempts under way once more where a shared store lost them. It was filled from the ledger, which knows nothing of them, and what it
 * admitted in their place would overshoot.
 */
export class Rehold {
  readonly #options: ReholdOptions
  /** When the store was filled, by the key that says so. */
  readonly #marks = new Map<string, bigint>()
  #running: Promise<void> | undefined

  constructor(options: ReholdOptions) {
    this.#options = options
  }

  /** Told with every hold when the store it was taken at was filled; `key` is the one that says so. */
  seen(key: string, mark: bigint): void {
    const before = this.#marks.get(key)
    if (before === mark) return
    this.#marks.set(key, mark)
    if (before !== undefined) void this.run()
  }

  /** Asks the store of every tenant with attempts under way, and holds those again that it lost. Never rejects. */
  async look(): Promise<void> {
    const { store, live, log } = this.#options
    if (!store.isShared) return
    const keys = new Set<string>()
    for (const { lease, subject } of live) if (lease !== undefined) keys.add(subject.aliveKey)
    try {
      await Promise.all(
        Array.from(keys, async (key) => {
          const [mark = 0n] = await store.read([key])
          if (mark > 0n) this.seen(key, mark)
        }),
      )
      for (const key of this.#marks.keys()) if (!keys.has(key)) this.#marks.delete(key)
      await this.run()
    } catch (error) {
      if (!(error instanceof StoreAway))
        log.warn({ error }, 'it cannot be seen whether the counters have the holds of attempts under way')
    }
  }

  /** Holds again what was held at a store that is gone. Never rejects; what did not succeed is done by the next look. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #run(): Promise<void> {
    const { live, log } = this.#options
    const work: Promise<void>[] = []
    for (const attempt of live) {
      const mark = this.#marks.get(attempt.subject.aliveKey)
      if (attempt.lease === undefined || attempt.settled || mark === undefined || attempt.mark === mark) continue
      work.push(this.#hold(attempt, attempt.lease, mark))
    }
    for (const { status, reason } of (await Promise.allSettled(work)) as PromiseRejectedResult[]) {
      if (status === 'rejected' && !(reason instanceof StoreAway))
        log.warn({ error: reason }, 'an attempt under way could not be held again')
    }
  }

  async #hold(attempt: Attempt, id: string, mark: bigint): Promise<void> {
    const { store, clock, lateSettleMs } = this.#options
    const { claims, held, opening, json, leaseUntil } = attempt
    const pico = opening[AT.expected_pusd]
    const expected = pico === null || pico === undefined ? held : nanoOfPico(BigInt(pico))
    const rows = claims.map(
      ({ key, expiresAt }): CounterRow => ({ key, amount: held, expected, ...(expiresAt !== undefined && { expiresAt }) }),
    )
    const expiresAt = Math.max(leaseUntil, clock.now() + 1)
    try {
      await store.reserve(rows, { id, expiresAt, settleUntil: expiresAt + lateSettleMs, note: json })
    } catch (error) {
      // It is held there: the store that came back is the one that went.
      if (!SwitchyardError.is(error, 'CONFLICT')) throw error
    }
    attempt.mark = mark
  }
}
