import type { QuarantineSettings } from '../settings.ts'

/** Let through: no permit was needed, or a probe's permit; its number tells one probe from the next. */
export type Permit = number
/** Let through by what is not quarantined. */
export const FREE = 0
/** Not let through. */
export const REFUSED = -1

/** Share by which the time is longer or shorter than planned, so that nodes do not come back together. */
const JITTER = 0.2
/** A probe that has not ended by then no longer keeps the next one out. */
const PROBE_MS = 60_000

/**
 * Whether one credential may be used, a state machine without timers. Held for a time that doubles while probes are refused; after it one
 * call at a time goes through, and the first that is served releases.
 */
export class Quarantine {
  private refusals = 0
  private until = 0
  private generation = 0
  private probeUntil = 0

  get held(): boolean {
    return this.refusals > 0
  }

  /** Milliseconds after which asking again makes sense. */
  retryAfterMs(now: number): number {
    return Math.max(0, this.until - now, Math.min(1_000, this.probeUntil - now))
  }

  wouldAdmit(now: number): boolean {
    return this.refusals === 0 || (now >= this.until && now >= this.probeUntil)
  }

  /** `REFUSED`, `FREE`, or a probe's permit, which whoever holds it gives back exactly once by one of the methods below. */
  admit(now: number): Permit {
    if (this.refusals === 0) return FREE
    if (!this.wouldAdmit(now)) return REFUSED
    this.probeUntil = now + PROBE_MS
    return ++this.generation
  }

  /**
   * The credential was refused; until when it is held now, in epoch ms. Undefined where that says nothing new: a call that began before.
   * `random` is uniform in [0, 1), `askedMs` what the other side asked for.
   */
  refused(
    permit: Permit,
    now: number,
    { forMs, maxMs }: Pick<QuarantineSettings, 'forMs' | 'maxMs'>,
    random: () => number,
    askedMs: number = 0,
  ): number | undefined {
    if (this.refusals > 0 && permit !== this.generation) return undefined
    const planned = Math.min(maxMs, forMs * 2 ** this.refusals)
    const ms = Math.max(Math.min(askedMs, maxMs), Math.round(planned * (1 - JITTER + 2 * JITTER * random())))
    this.refusals++
    this.generation++
    this.probeUntil = 0
    this.until = now + ms
    return this.until
  }

  /** It served; true where that releases it. */
  served(permit: Permit): boolean {
    if (permit === FREE || permit !== this.generation || this.refusals === 0) return false
    this.refusals = 0
    this.probeUntil = 0
    return true
  }

  /** The attempt ended without a word on the credential: the next one may probe. */
  unproven(permit: Permit): void {
    if (permit !== FREE && permit === this.generation) this.probeUntil = 0
  }
}
