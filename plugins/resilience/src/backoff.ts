import { type Call, SwitchyardError } from '@switchyard/contract'
import type { RetrySettings } from './settings.ts'

/** Bounds of the exponential backoff, in milliseconds. */
export interface BackoffBounds {
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
}

/**
 * Full jitter: a whole number, uniform in [0, min(max, base × 2^n)], where `n` counts the retries before this one.
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function backoffMs(n: number, bounds: BackoffBounds, random: () => number): number {
  const bound = Math.min(bounds.backoffMaxMs, bounds.backoffBaseMs * 2 ** n)
  return Math.floor(random() * (Math.floor(bound) + 1))
}

/** Whether a failed attempt is repeated. `reason` is a word for programs, shown in the trace. */
export type RetryVerdict =
  | { readonly retry: true; readonly waitMs: number; readonly reason: 'backoff' | 'retry-after' }
  | { readonly retry: false; readonly reason: Refusal }

type Refusal = 'not-retryable' | 'not-idempotent' | 'attempts-used-up' | 'retry-after-too-long' | 'deadline-too-near'

const refused = (reason: Refusal): RetryVerdict => ({ retry: false, reason })

/**
 * Judges one failed attempt: pure but for `random`. `retries` counts those before this one, `now` is the clock's. Whatever the error
 * asks for, the wait has a bound and ends before the call's deadline.
 */
export function retryVerdict(
  call: Pick<Call, 'idempotent' | 'deadline'>,
  error: unknown,
  retries: number,
  settings: RetrySettings,
  now: number,
  random: () => number,
): RetryVerdict {
  if (!SwitchyardError.is(error) || !error.retryable) return refused('not-retryable')
  if (!call.idempotent && error.details?.sent !== false) return refused('not-idempotent')
  if (retries + 1 >= settings.maxAttempts) return refused('attempts-used-up')
  const asked = statedDelay(error)
  if (asked > settings.retryAfterMaxMs) return refused('retry-after-too-long')
  const jittered = backoffMs(retries, settings, random)
  const waitMs = Math.max(asked, jittered)
  if (call.deadline !== undefined && now + waitMs >= call.deadline) return refused('deadline-too-near')
  return { retry: true, waitMs, reason: asked > jittered ? 'retry-after' : 'backoff' }
}

/** A delay that is no number, or negative, is as if it were not there. */
function statedDelay(error: SwitchyardError): number {
  const { retryAfterMs } = error
  return typeof retryAfterMs === 'number' && retryAfterMs > 0 ? retryAfterMs : 0
}
