import { SwitchyardError } from '@switchyard/contract'
import { dispositionOf } from '../disposition.ts'
import { statedDelay } from '../retry/backoff.ts'

/**
 * Which of two failures of one call tells the caller more: what the caller can mend, then a stated delay (the shorter), then what the
 * target did, then that our own guards kept away from it. Of two alike the first.
 */
export function moreUseful(first: unknown, second: unknown): unknown {
  const difference = rankOf(second) - rankOf(first)
  if (difference !== 0) return difference > 0 ? second : first
  return statedDelay(second) < statedDelay(first) ? second : first
}

function rankOf(error: unknown): number {
  if (!SwitchyardError.is(error)) return 0
  const { same, next, failure } = dispositionOf(error)
  // Nothing else would take it either: it is the request.
  if (same === false && next !== true && !failure) return 4
  if (statedDelay(error) > 0) return 3
  return error.details?.guard === undefined ? 2 : 1
}
