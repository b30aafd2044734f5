import { SwitchyardError } from '@switchyard/contract'

/** What is wrong with the credential that was sent: not accepted, not allowed what was asked for, or nothing left on its account. */
export type CredentialFault = 'rejected' | 'forbidden' | 'quota'

const QUOTA = /insufficient_quota|quota_exceeded|billing|credit/i
const REJECTED = /authentication_error|invalid_api_key|invalid_authentication/i
const FORBIDDEN = /permission_error|permission_denied/i
/** A 403 for these is about the request: another key would not do better. */
const OF_THE_REQUEST =
  /content_filter|content_policy|moderation|safety|model_not_found|model_not_available|unsupported|not_supported/i

/** What an upstream's error says against the credential; undefined where it says nothing. By status, else by its type and code. */
export function credentialFaultOf(error: unknown): CredentialFault | undefined {
  if (!SwitchyardError.is(error) || error.details?.guard !== undefined) return undefined
  if (error.code === 'RATE_LIMITED') return QUOTA.test(saidBy(error)) ? 'quota' : undefined
  if (error.code !== 'UPSTREAM_REJECTED') return undefined
  const said = saidBy(error)
  switch (error.details?.status) {
    case 401:
      return 'rejected'
    case 402:
      return 'quota'
    case 403:
      return OF_THE_REQUEST.test(said) ? undefined : 'forbidden'
    case undefined:
      // An error inside a 200 has no status.
      if (REJECTED.test(said)) return 'rejected'
      return FORBIDDEN.test(said) ? 'forbidden' : undefined
    default:
      return undefined
  }
}

/** Type and code of the upstream's own error object; its words are for people and decide nothing. */
export function saidBy(error: SwitchyardError): string {
  const said = error.details?.error as { readonly type?: unknown; readonly code?: unknown } | undefined
  return said === undefined || said === null ? '' : `${said.type ?? ''} ${said.code ?? ''} ${error.details?.finishReason ?? ''}`
}
