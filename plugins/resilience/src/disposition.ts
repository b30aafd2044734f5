import { SwitchyardError } from '@switchyard/contract'
import { credentialFaultOf, saidBy } from './quarantine/credential-fault.ts'

/** What a failure before any content means for what is tried next, and for the target's breaker. */
export interface Disposition {
  /** May the same target be tried again? `once` = one time more, whatever the retry allows. */
  readonly same: boolean | 'once'
  /** May the next target be tried? `by-option` = where `fallback.onContentRefused` says so. */
  readonly next: boolean | 'by-option'
  /** Does it count against the target? */
  readonly failure: boolean
}

const GONE: Disposition = { same: false, next: false, failure: false }
const BROKEN: Disposition = { same: true, next: true, failure: true }
const CUT: Disposition = { same: 'once', next: true, failure: true }
const LATE: Disposition = { same: false, next: true, failure: true }
const BUSY: Disposition = { same: true, next: true, failure: false }
const ELSEWHERE: Disposition = { same: false, next: true, failure: false }
const REFUSED: Disposition = { same: false, next: 'by-option', failure: false }
const BUG: Disposition = { same: false, next: true, failure: true }

/** Statuses by which an upstream says that it was not the request's fault. */
const TRY_AGAIN: ReadonlySet<unknown> = new Set([408, 425])
const KNOWN_CAUSE =
  /context_length|context_window|too_many_tokens|unsupported|not_supported|model_not_found|model_not_available/i
const CONTENT = /content_filter|content_policy|moderation|safety/i

/** Judges a failure by the table of the reference; what is no SwitchyardError is a bug, and bugs are not retried. */
export function dispositionOf(error: unknown): Disposition {
  if (!SwitchyardError.is(error)) return BUG
  const found = byCode(error)
  // The thrower knows better: a serialization failure may be repeated, a reply that is too large may not.
  if (found.same !== false && !error.retryable && !TRY_AGAIN.has(error.details?.status)) return { ...found, same: false }
  if (found === GONE && error.retryable && error.code === 'CONFLICT') return BUSY
  return found
}

function byCode(error: SwitchyardError): Disposition {
  const status = error.details?.status
  switch (error.code) {
    case 'UPSTREAM_UNAVAILABLE':
      return BROKEN
    case 'UPSTREAM_TRUNCATED':
    case 'UPSTREAM_INVALID':
      return CUT
    case 'TIMEOUT':
      return TRY_AGAIN.has(status) ? BUSY : timeout(error.details?.phase)
    case 'RATE_LIMITED':
      // A limit of ours: its window is long, and another target has its own.
      if (error.details?.guard === 'rate-limit') return ELSEWHERE
      return credentialFaultOf(error) === undefined ? BUSY : ELSEWHERE
    case 'OVERLOADED':
      return error.details?.guard === undefined ? BUSY : ELSEWHERE
    case 'CIRCUIT_OPEN':
    case 'UNSUPPORTED':
    case 'NOT_FOUND':
      return ELSEWHERE
    case 'UPSTREAM_REJECTED':
      return rejected(error, status)
    case 'BUDGET_EXCEEDED':
      // Another target may be cheap enough, where the budget says so.
      return error.details?.downRoute === true ? ELSEWHERE : GONE
    case 'INTERNAL':
      return BUG
    default:
      return GONE
  }
}

function timeout(phase: unknown): Disposition {
  if (phase === 'first' || phase === 'bodyIdle') return LATE
  if (phase === 'too-near') return ELSEWHERE
  // Our own reader was too slow, which is not the target's fault.
  if (phase === 'reader') return GONE
  return BROKEN
}

function rejected(error: SwitchyardError, status: unknown): Disposition {
  if (TRY_AGAIN.has(status)) return BUSY
  if (credentialFaultOf(error) !== undefined) return ELSEWHERE
  const said = saidBy(error)
  if (CONTENT.test(said)) return REFUSED
  return KNOWN_CAUSE.test(said) ? ELSEWHERE : GONE
}
