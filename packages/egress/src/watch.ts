import type { Clock } from '@switchyard/contract'

/** What a request is waiting for while one of its bounds runs: reply headers, the next piece of body, its own reader, or the end. */
export type Phase = 'headers' | 'bodyIdle' | 'reader' | 'total'

/** Told once when a bound has run out. */
export interface Watched {
  expire(phase: Phase, ms: number): void
}

/** The longest delay that timers of Node take; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1

/**
 * All bounds of one request on one timer: each piece of a body only moves an instant, and a timer that fires before it is set
 * again. undici's own timers are off, since they are up to a second late and run on no clock but the machine's.
 */
export class Watch {
  readonly #clock: Clock
  readonly #watched: Watched
  readonly #totalMs: number
  readonly #totalAt: number
  #phase: Phase = 'total'
  #phaseMs = Number.POSITIVE_INFINITY
  #phaseAt = Number.POSITIVE_INFINITY
  #due = Number.POSITIVE_INFINITY
  #cancel: (() => void) | undefined

  /** Starts the total bound; `firstMs` is how long the first phase will be given, so that one timer does for both. */
  constructor(clock: Clock, watched: Watched, totalMs: number, firstMs: number) {
    this.#clock = clock
    this.#watched = watched
    this.#totalMs = totalMs
    const now = clock.monotonic()
    this.#totalAt = now + totalMs
    this.#arm(now, Math.min(this.#totalAt, now + (firstMs > 0 ? firstMs : totalMs)))
  }

  /** Begins a phase, or begins it anew; 0 or `Infinity` leave it to the total bound. */
  enter(phase: Phase, ms: number): void {
    const now = this.#clock.monotonic()
    this.#phase = phase
    this.#phaseMs = ms
    this.#phaseAt = ms > 0 ? now + ms : Number.POSITIVE_INFINITY
    if (this.#phaseAt < this.#due) this.#arm(now, this.#phaseAt)
  }

  /** A piece of body came: the present phase counts from now. */
  touch(): void {
    if (this.#phaseAt !== Number.POSITIVE_INFINITY) this.#phaseAt = this.#clock.monotonic() + this.#phaseMs
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#phaseAt = Number.POSITIVE_INFINITY
  }

  #arm(now: number, due: number): void {
    this.#cancel?.()
    this.#due = due
    this.#cancel =
      due === Number.POSITIVE_INFINITY
        ? undefined
        : this.#clock.schedule(Math.min(MAX_DELAY_MS, Math.max(0, due - now)), () => this.#fire())
  }

  #fire(): void {
    this.#cancel = undefined
    const now = this.#clock.monotonic()
    if (now >= this.#totalAt) this.#watched.expire('total', this.#totalMs)
    else if (now >= this.#phaseAt) this.#watched.expire(this.#phase, this.#phaseMs)
    else this.#arm(now, Math.min(this.#totalAt, this.#phaseAt))
  }
}
