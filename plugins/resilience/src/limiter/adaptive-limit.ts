import type { LimiterSettings } from '../settings.ts'

/** What one attempt showed of its target's load. */
export interface LoadSample {
  /** Time to the first reply, divided by what is usual for a prompt of that length; in ms. */
  readonly ms: number
  /** Attempts under way when it ended, itself included. */
  readonly inFlight: number
  /** The target said, or showed, that it was too much: 429, 503, a timeout. */
  readonly dropped: boolean
  /** Clock time in ms. */
  readonly startedAt: number
  readonly now: number
}

/** How many attempts a target may carry at once, learned from how it answers. */
export interface AdaptiveLimit {
  /** Whole, within the settings' bounds. */
  readonly limit: number
  observe(sample: LoadSample): void
}

/** `value` within the bounds; a maximum below the minimum is as if it were the minimum. */
export function within({ min, max }: Pick<LimiterSettings, 'min' | 'max'>, value: number): number {
  return Math.max(min, Math.min(Math.max(min, max), value))
}
