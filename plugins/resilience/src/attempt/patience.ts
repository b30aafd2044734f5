import type { Alternative, Call } from '@switchyard/contract'
import { isEqual } from '../fallback/fallback-policy.ts'
import type { Lane } from '../lane.ts'
import type { Lanes } from '../lanes.ts'
import { attemptsOf, isStreamed } from '../reply.ts'
import { paid } from '../retry/payment.ts'

/** First replies of a target that must be known before one is called late. */
const LEAST_TIMES = 100

/**
 * How long an attempt is waited for before another target may be asked, in ms: a multiple of what is usual at its target. Infinity where
 * nothing else may be tried, or too little is known.
 */
export function patienceOf(lane: Lane, call: Call, now: number): number {
  const { attempts, fallback } = lane.settings
  if (attempts.lateFactor === false || !call.idempotent || !fallback.enabled) return Number.POSITIVE_INFINITY
  if (call.alternatives?.some(isEqual) !== true) return Number.POSITIVE_INFINITY
  const usual = lane.timesOf(isStreamed(call)).p95(now, LEAST_TIMES)
  return usual === undefined ? Number.POSITIVE_INFINITY : Math.max(attempts.lateMinMs, attempts.lateFactor * usual)
}

/**
 * Whether a late attempt is to be given up for another target, and pays for that as a retry does. Not where an attempt that began after it
 * has been answered: then the target is well, and this reply is merely a long one.
 */
export function givesUp(lanes: Lanes, lane: Lane, call: Call, waitedMs: number, now: number): boolean {
  const { attempts } = lane.settings
  if (lane.lastAnswered(isStreamed(call)) > now - waitedMs) return false
  if (attemptsOf(call) >= attempts.maxAttempts) return false
  const canReplace = (each: Alternative): boolean => isEqual(each) && lanes.canReplace(lane, call, each, now)
  return call.alternatives?.some(canReplace) === true && paid(lane, lanes.budgetOf(call, now), now)
}
