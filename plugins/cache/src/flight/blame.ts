import { type ErrorCode, SwitchyardError } from '@switchyard/contract'

/** Codes that say something about the call that led, and nothing about those who listened. */
const OWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ABORTED',
  'TIMEOUT',
  'RATE_LIMITED',
  'OVERLOADED',
  'BUDGET_EXCEEDED',
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'POLICY_REFUSED',
])

/**
 * Whether a lead failed for a reason of its own call, so that another caller may still be answered. A reply's status or error object in
 * the details shows that the upstream said it; a TIMEOUT is the upstream's where it tells another phase than the call's whole time.
 */
export function isOwnFault(error: SwitchyardError, leader: AbortSignal): boolean {
  if (!OWN.has(error.code)) return false
  if (error.code === 'ABORTED') return true
  if (error.code === 'TIMEOUT') {
    const phase = error.details?.phase
    return leader.aborted || error.details === undefined || phase === 'total' || phase === 'too-near'
  }
  return error.details?.status === undefined && error.details?.error === undefined
}

/** What was thrown, as a SwitchyardError. */
export function asError(error: unknown): SwitchyardError {
  if (SwitchyardError.is(error)) return error
  return new SwitchyardError('INTERNAL', 'a call that others shared failed in a way that is not known; see its cause', {
    cause: error,
  })
}

/** What an aborted call rejects with. */
export function abortedBy(signal: AbortSignal): SwitchyardError {
  if (SwitchyardError.is(signal.reason)) return signal.reason
  return new SwitchyardError('ABORTED', 'the caller aborted the call', { cause: signal.reason })
}

/** Of a reply that was shared, and of which a part was handed out when whoever read it upstream was lost. */
export function cutOff(cause: unknown): SwitchyardError {
  return new SwitchyardError(
    'UPSTREAM_TRUNCATED',
    'the call that this reply was shared with ended before its reply did; what came is incomplete, and the call may be repeated',
    { retryable: true, cause },
  )
}

/** Of a reader that fell behind a flight that is too large to be kept whole. */
export function fellBehind(maxBytes: number): SwitchyardError {
  return new SwitchyardError(
    'OVERLOADED',
    `a shared reply outgrew ${maxBytes} bytes, and this reader fell behind by as much; read faster, or do not share the call`,
    { details: { limit: maxBytes } },
  )
}

/** Of listeners at other nodes, once a flight is too large to be handed over. */
export function outgrown(maxBytes: number): SwitchyardError {
  return new SwitchyardError(
    'OVERLOADED',
    `a reply that nodes shared outgrew ${maxBytes} bytes, the flights’ maxBytes; repeat the call, or raise it`,
    { retryable: true, details: { option: 'maxBytes', limit: maxBytes } },
  )
}

/** Of a flight that its last listener left. */
export function nobody(): SwitchyardError {
  return new SwitchyardError('ABORTED', 'nobody waits for this call any more')
}
