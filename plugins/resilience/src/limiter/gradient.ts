import type { LimiterSettings } from '../settings.ts'
import { type AdaptiveLimit, type LoadSample, within } from './adaptive-limit.ts'

const TOLERANCE = 1.5
const LEAST_GRADIENT = 0.5
/** Attempts that may queue at the target: room to find out that it carries more. */
const HEADROOM = 4
const SMOOTHING = 0.2
const LONG_SAMPLES = 600
/** The first times are averaged evenly, or the very first one would weigh for hundreds. */
const WARM_UP = 10
/** Once times are this much shorter than they were, the long average forgets faster. */
const RECOVERED = 2
const FORGET = 0.95

/**
 * Follows the ratio of the usual time to the present one: below two thirds the limit shrinks, at most by half before smoothing;
 * otherwise it grows by a few. Does not grow while less than half of it is used, since then it is not what limits.
 * Source: the gradient algorithm of Netflix' concurrency-limits, second edition, as published.
 */
export function gradientLimit(settings: Pick<LimiterSettings, 'start' | 'min' | 'max'>): AdaptiveLimit {
  let limit = within(settings, settings.start)
  let long = 0
  let samples = 0
  const learn = (ms: number): void => {
    samples++
    if (samples <= WARM_UP) long += (ms - long) / samples
    else long += (ms - long) * (2 / (LONG_SAMPLES + 1))
    if (long / ms > RECOVERED) long *= FORGET
  }
  return {
    get limit() {
      return Math.floor(limit)
    },
    observe({ ms, inFlight, dropped }: LoadSample) {
      // A drop carries no time to first reply: its own signal is that the ones that do reply are late.
      if (dropped) return
      const short = Math.max(1, ms)
      learn(short)
      if (inFlight < limit / 2) return
      const gradient = Math.max(LEAST_GRADIENT, Math.min(1, (TOLERANCE * long) / short))
      limit = within(settings, limit * (1 - SMOOTHING) + (limit * gradient + HEADROOM) * SMOOTHING)
    },
  }
}
