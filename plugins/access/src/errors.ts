import { SwitchyardError } from '@switchyard/contract'

/** One text for whatever was wrong, so that a reply teaches nothing. */
const REFUSED = 'incorrect API key or token: it is none of this gateway, or no longer'

/** The one refusal of whoever was not let in. A step that failed may be tried again. */
export function unauthenticated(cause?: unknown): SwitchyardError {
  if (cause === undefined) return new SwitchyardError('UNAUTHENTICATED', REFUSED)
  return new SwitchyardError('UNAUTHENTICATED', 'the API key or token could not be checked just now: try again', {
    cause,
    retryable: true,
  })
}

/** A request that brought no credential. */
export function missingCredential(): SwitchyardError {
  return new SwitchyardError('UNAUTHENTICATED', 'no API key: send it as "Authorization: Bearer KEY"')
}

/** Too many failures from one address, or with one key's id. */
export function tooManyFailures(retryAfterMs: number): SwitchyardError {
  return new SwitchyardError('RATE_LIMITED', 'too many failed attempts with API keys: wait, then try with the right one', {
    retryAfterMs,
  })
}

/** A field of a key that cannot be as it is. */
export function invalidField(param: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `${param}: ${what}`, { details: { param } })
}

/** An id that no key has. */
export function noSuchKey(id: string): SwitchyardError {
  return new SwitchyardError('NOT_FOUND', `there is no key ${JSON.stringify(id.slice(0, 100))}; GET /admin/keys lists them`)
}

/** A change of a key that has ended. */
export function keyRevoked(id: string): SwitchyardError {
  return new SwitchyardError('CONFLICT', `the key ${id} is revoked, which is for good: create another`, { retryable: false })
}
