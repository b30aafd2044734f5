import { type Call, SwitchyardError } from '@switchyard/contract'
import { dispositionOf } from '../disposition.ts'
import type { RetrySettings } from '../settings.ts'

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

type Refusal =
  | 'not-retryable'
  | 'not-here'
  | 'not-idempotent'
  | 'attempts-used-up'
  | 'attempts-kept-for-others'
  | 'once-only'
  | 'next-is-sooner'
  | 'retry-after-too-long'
  | 'deadline-too-near'

/** What happened to a call at one target so far. */
export interface Tried {
  /** Retries before this one. */
  readonly retries: number
  /** One of them was of an answer that was cut or garbled. */
  readonly cutBefore: boolean
  /** Attempts that the call may still make, at every target. */
  readonly attemptsLeft: number
  /** Targets that are still to be tried. */
  readonly others: number
}

const refused = (reason: Refusal): RetryVerdict => ({ retry: false, reason })

/**
 * Judges one failed attempt: pure but for `random`. `now` is the clock's. Whatever the error asks for, the wait has a bound and ends
 * before the call's deadline; and an attempt is kept for each target that was not tried yet.
 */
export function retryVerdict(
  call: Pick<Call, 'idempotent' | 'deadline'>,
  error: unknown,
  tried: Tried,
  settings: Pick<RetrySettings, 'maxAttempts' | 'backoffBaseMs' | 'backoffMaxMs' | 'retryAfterMaxMs'>,
  now: number,
  random: () => number,
): RetryVerdict {
  const { same, next } = dispositionOf(error)
  if (same === false) return refused(next === false ? 'not-retryable' : 'not-here')
  if (!mayRepeat(call, error)) return refused('not-idempotent')
  if (tried.retries + 1 >= settings.maxAttempts || tried.attemptsLeft < 1) return refused('attempts-used-up')
  if (tried.attemptsLeft <= tried.others) return refused('attempts-kept-for-others')
  if (same === 'once' && tried.cutBefore) return refused('once-only')
  const asked = statedDelay(error)
  if (asked > settings.retryAfterMaxMs) return refused('retry-after-too-long')
  const jittered = backoffMs(tried.retries, settings, random)
  if (asked > jittered && tried.others > 0) return refused('next-is-sooner')
  const waitMs = Math.max(asked, jittered)
  if (call.deadline !== undefined && now + waitMs >= call.deadline) return refused('deadline-too-near')
  return { retry: true, waitMs, reason: asked > jittered ? 'retry-after' : 'backoff' }
}

/** A call that is not idempotent may go out again only where no byte of it left. */
export function mayRepeat(call: Pick<Call, 'idempotent'>, error: unknown): boolean {
  return call.idempotent || (SwitchyardError.is(error) && error.details?.sent === false)
}

/** What the other side asks for, in ms; 0 for a delay that is no number, or negative: it is as if it were not there. */
export function statedDelay(error: unknown): number {
  const retryAfterMs = SwitchyardError.is(error) ? error.retryAfterMs : undefined
  return typeof retryAfterMs === 'number' && retryAfterMs > 0 ? retryAfterMs : 0
}
