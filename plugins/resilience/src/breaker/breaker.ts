import type { BreakerSettings } from '../settings.ts'
import { SlidingWindow } from '../window.ts'

/** What an attempt says of its target. */
export type Sample = 'good' | 'failure' | 'neutral'

export type BreakerState = 'closed' | 'open' | 'half-open'

/** What was shown when it opened. */
export type OpenReason = 'failure-rate' | 'slow-rate' | 'consecutive-failures' | 'probe-failed' | 'probes-lost'

/** Told of each change of state, in the order they happen. */
export interface BreakerChange {
  readonly from: BreakerState
  readonly to: BreakerState
  /** Present when it opened. */
  readonly reason?: OpenReason
  /** Until when it stays open, in epoch ms; present when it opened. */
  readonly until?: number
}

const GOOD = 0
const BAD = 1
const SLOW = 2
const KINDS = 3
/** Share by which the open time is longer or shorter than planned. */
const JITTER = 0.2

/** Let through: no permit was needed, or a probe's permit; its number tells one half-open time from the next. */
export type Ticket = number
/** Let through by a closed breaker. */
export const FREE = 0
/** Not let through. */
export const REFUSED = -1

/**
 * One target's breaker, a state machine without timers: what the time changes is worked out when somebody asks. Opens by the share of
 * failures or of slow replies in the last 2 s or 10 s, or on a quiet target by failures in a row. Open, it refuses for a time that
 * doubles while probes fail. Half-open, it gives out permits; so many successes close it, one failure opens it.
 */
export class Breaker {
  private readonly settings: BreakerSettings
  private readonly random: () => number
  private readonly changed: (change: BreakerChange, now: number) => void
  private readonly short = new SlidingWindow(2_000, 10, KINDS)
  private readonly long = new SlidingWindow(10_000, 10, KINDS)
  private current: BreakerState = 'closed'
  private inARow = 0
  private openUntil = 0
  private openings = 0
  private halfOpenSince = 0
  private generation = 0
  private permitsOut = 0
  private proven = 0

  /** `random` is uniform in [0, 1). */
  constructor(
    settings: BreakerSettings,
    random: () => number,
    changed: (change: BreakerChange, now: number) => void = () => {},
  ) {
    this.settings = settings
    this.random = random
    this.changed = changed
  }

  /** As of the last event: an open time that has passed is noticed by `admit`. */
  get state(): BreakerState {
    return this.current
  }

  /** Whether `admit` would let one through; changes nothing. */
  wouldAdmit(now: number): boolean {
    if (this.current === 'closed') return true
    if (this.current === 'open') return now >= this.openUntil
    return this.permitsOut < this.settings.probes
  }

  /** Milliseconds after which asking again makes sense. */
  retryAfterMs(now: number): number {
    // While half-open the probes' fate is not known: it is worth asking again soon.
    return this.current === 'open' ? Math.max(0, this.openUntil - now) : Math.min(1_000, this.settings.openMs)
  }

  /** `REFUSED`, `FREE`, or a probe's permit, which whoever holds it gives back exactly once. */
  admit(now: number): Ticket {
    if (this.current === 'closed') return FREE
    if (this.current === 'open') {
      if (now < this.openUntil) return REFUSED
      this.halfOpen(now)
    }
    if (this.permitsOut >= this.settings.probes) {
      // Probes that neither succeed nor fail would keep it half-open for ever.
      if (now - this.halfOpenSince >= this.settings.openMaxMs) this.open('probes-lost', now)
      return REFUSED
    }
    this.permitsOut++
    return this.generation
  }

  /** Gives a ticket back: of a probe, `good` as soon as content came. One of an earlier half-open time, or `FREE`, does nothing. */
  giveBack(ticket: Ticket, probe: Sample, now: number): void {
    if (ticket === FREE || ticket !== this.generation || this.current !== 'half-open') return
    this.permitsOut--
    if (probe === 'failure') this.open('probe-failed', now)
    else if (probe === 'good' && ++this.proven >= this.settings.probes) this.close(now)
  }

  /** How an attempt ended; once for each. Only a closed breaker draws conclusions, since a half-open one goes by its probes. */
  record(sample: Sample, slow: boolean, now: number): void {
    if (sample === 'neutral' || this.current !== 'closed') return
    const kind = sample === 'good' ? GOOD : BAD
    this.short.add(kind, now)
    this.long.add(kind, now)
    this.inARow = sample === 'good' ? 0 : this.inARow + 1
    if (slow) {
      this.short.add(SLOW, now)
      this.long.add(SLOW, now)
    }
    if (sample === 'good' && !slow) return
    const reason = this.verdict(now)
    if (reason !== undefined) this.open(reason, now)
  }

  private verdict(now: number): OpenReason | undefined {
    const { minSamples, failureRate, slowRate, consecutiveFailures } = this.settings
    let quiet = true
    for (const window of [this.short, this.long]) {
      const bad = window.count(BAD, now)
      const all = bad + window.count(GOOD, now)
      if (all < minSamples) continue
      quiet = false
      if (bad >= all * failureRate) return 'failure-rate'
      if (window.count(SLOW, now) >= all * slowRate) return 'slow-rate'
    }
    return quiet && this.inARow >= consecutiveFailures ? 'consecutive-failures' : undefined
  }

  private open(reason: OpenReason, now: number): void {
    const { openMs, openMaxMs } = this.settings
    const planned = Math.min(openMaxMs, openMs * 2 ** this.openings)
    const until = now + Math.round(planned * (1 - JITTER + 2 * JITTER * this.random()))
    this.openings++
    this.openUntil = until
    this.move('open', now, { reason, until })
  }

  private halfOpen(now: number): void {
    this.generation++
    this.permitsOut = 0
    this.proven = 0
    this.halfOpenSince = now
    this.move('half-open', now)
  }

  private close(now: number): void {
    this.openings = 0
    this.inARow = 0
    this.short.clear()
    this.long.clear()
    this.move('closed', now)
  }

  private move(to: BreakerState, now: number, more: Pick<BreakerChange, 'reason' | 'until'> = {}): void {
    const from = this.current
    this.current = to
    this.changed({ from, to, ...more }, now)
  }
}
