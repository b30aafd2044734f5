import { type CallOptions, SwitchyardError } from '@switchyard/contract'

/**
 * Throws where a call may not begin: the abort reason under an aborted signal where it is a SwitchyardError (`ABORTED`,
 * `TIMEOUT`), else `ABORTED`.
 */
export function throwIfAborted(options: CallOptions | undefined): void {
  const signal = options?.signal
  if (signal === undefined || !signal.aborted) return
  if (SwitchyardError.is(signal.reason)) throw signal.reason
  throw new SwitchyardError('ABORTED', 'the call was aborted before it began', { cause: signal.reason })
}

/** `INVALID_REQUEST`: what the caller gave can never work. */
export function invalid(message: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', message)
}
