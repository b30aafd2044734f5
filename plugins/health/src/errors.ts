import { SwitchyardError } from '@switchyard/contract'

/** What an attempt that did not end well says about its deployment. */
export type Told = 'bad' | 'neutral' | 'limited' | 'left'

/**
 * What an error says. `bad`: the other side failed. `limited`: it asked to be spared. `left`: our side ended the wait, which says
 * something only if it had lasted. `neutral`: the caller's mistake, a refusal, or a fault of our own.
 */
export function toldBy(error: unknown, signal: AbortSignal): Told {
  if (!SwitchyardError.is(error)) return 'neutral'
  switch (error.code) {
    case 'UPSTREAM_UNAVAILABLE':
    case 'UPSTREAM_INVALID':
    case 'UPSTREAM_TRUNCATED':
      return 'bad'
    case 'TIMEOUT':
      // A caller may set a deadline that nobody could keep: that must not count against the deployment.
      return signal.aborted ? 'left' : 'bad'
    case 'ABORTED':
      return 'left'
    case 'RATE_LIMITED':
      return 'limited'
    default:
      return 'neutral'
  }
}

/** `INVALID_REQUEST`: what the caller gave can never work. */
export function invalid(message: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', message)
}
