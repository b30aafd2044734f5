import { type Clock, type Logger, SwitchyardError } from '@switchyard/contract'
import type { Deliveries, Delivery } from './deliveries.ts'
import type { AlertOptions } from './options.ts'
import type { Sink } from './sinks.ts'

export interface CourierOptions {
  readonly deliveries: Deliveries
  readonly sinks: readonly Sink[]
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  readonly options: AlertOptions
}

/** Alerts that nobody took for so long are no news. */
const OLDEST_MS = 7 * 86_400_000
/** A claim outlives its attempt by as much as clocks of nodes may differ. */
const CLAIM_BEYOND_MS = 60_000

/**
 * Takes alerts from the outbox to their sinks. A delivery is claimed by one node before it is sent, so that two never send it at once; a
 * node that is killed over it leaves it to another when the claim has run out. At least once, by a stable id.
 */
export class Courier {
  readonly #options: CourierOptions
  readonly #names: readonly string[]
  #running: Promise<void> | undefined
  #again = false
  #closed = false

  constructor(options: CourierOptions) {
    this.#options = options
    this.#names = options.sinks.map(({ name }) => name)
  }

  /** Sends what is due. Resolves when it was tried; never rejects. */
  async run(): Promise<void> {
    if (this.#closed) return
    if (this.#running !== undefined) {
      this.#again = true
      return this.#running
    }
    this.#running = this.#all().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Waits for what is on its way, then closes the sinks. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
    for (const { close } of this.#options.sinks) await close?.()
  }

  async #all(): Promise<void> {
    const { deliveries, clock, log } = this.#options
    try {
      do {
        this.#again = false
        // Most of the time there is nothing, and asking costs less than writing it down.
        if (!(await deliveries.isAnyOpen())) return
        for (const name of this.#names) await deliveries.enter(name, clock.now() - OLDEST_MS)
        const due = await deliveries.due(this.#names, clock.now())
        // Sinks do not wait for each other: one that hangs must not hold up the log.
        await Promise.all(
          this.#options.sinks.map(async (sink) => {
            for (const delivery of due) if (delivery.sink === sink.name && !this.#closed) await this.#send(sink, delivery)
          }),
        )
        if (due.length > 0) this.#again = true
      } while (this.#again && !this.#closed)
    } catch (error) {
      log.warn({ error }, 'alerts cannot be delivered: their table cannot be asked; they are tried again')
    }
  }

  async #send(sink: Sink, delivery: Delivery): Promise<void> {
    const { deliveries, clock, options, log } = this.#options
    const now = clock.now()
    if (!(await deliveries.claim(delivery, now, now + options.timeoutMs + CLAIM_BEYOND_MS))) return
    try {
      await sink.deliver(delivery)
    } catch (error) {
      const isLast = delivery.attempts >= options.maxAttempts
      const message = error instanceof Error ? error.message : String(error)
      const at = clock.now()
      await deliveries.failed(delivery, message, at, isLast ? undefined : at + this.#waitAfter(delivery.attempts, error))
      const facts = { error, alert: delivery.alertId, sink: sink.name, attempts: delivery.attempts }
      if (isLast) log.error(facts, 'an alert is given up: its receiver never took it')
      else log.warn(facts, 'an alert did not arrive; it is tried again')
      return
    }
    await deliveries.delivered(delivery, clock.now())
  }

  /** Doubles from attempt to attempt, spread by a half so that receivers that come back are not met by all at once. */
  #waitAfter(attempts: number, error: unknown): number {
    const { firstRetryMs, longestRetryMs } = this.#options.options
    const own = Math.min(longestRetryMs, firstRetryMs * 2 ** (attempts - 1)) * (0.75 + this.#options.random() / 2)
    const asked = SwitchyardError.is(error) ? (error.retryAfterMs ?? 0) : 0
    return Math.ceil(Math.max(own, asked))
  }
}
