import type { LimiterSettings } from '../settings.ts'
import { type AdaptiveLimit, type LoadSample, within } from './adaptive-limit.ts'

const DECREASE = 0.9

/**
 * Additive increase, multiplicative decrease: one more after a limit's worth of good attempts, a tenth less on a drop, and that at
 * most once a round trip: an attempt that had begun before the last decrease says nothing new.
 * Source: D. Chiu and R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance", 1989.
 */
export function aimdLimit(settings: Pick<LimiterSettings, 'start' | 'min' | 'max'>): AdaptiveLimit {
  let limit = within(settings, settings.start)
  let good = 0
  let decreasedAt = Number.NEGATIVE_INFINITY
  return {
    get limit() {
      return Math.floor(limit)
    },
    observe({ dropped, startedAt, now }: LoadSample) {
      if (dropped) {
        if (startedAt < decreasedAt) return
        limit = within(settings, limit * DECREASE)
        decreasedAt = now
        good = 0
      } else if (++good >= limit) {
        limit = within(settings, limit + 1)
        good = 0
      }
    },
  }
}
