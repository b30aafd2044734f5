import { type ErrorCode, SwitchyardError } from '@switchyard/contract'

interface Meaning {
  readonly code: ErrorCode
  readonly retryable?: boolean
  /** What to do about it, where that is not plain from the server's words. */
  readonly mend?: string
}

const REQUEST: Meaning = { code: 'INVALID_REQUEST' }
const FORBIDDEN: Meaning = { code: 'FORBIDDEN' }
const CONFLICT: Meaning = { code: 'CONFLICT', retryable: false }
const AGAIN: Meaning = { code: 'CONFLICT', retryable: true }
const OVERLOADED: Meaning = { code: 'OVERLOADED' }
const TIMEOUT: Meaning = { code: 'TIMEOUT' }
const GONE: Meaning = { code: 'UPSTREAM_UNAVAILABLE' }
const BROKEN: Meaning = { code: 'UPSTREAM_UNAVAILABLE', retryable: false }
const REJECTED: Meaning = { code: 'UPSTREAM_REJECTED', retryable: false }
const ODD: Meaning = { code: 'UPSTREAM_INVALID', retryable: false }
const PROXY = 'a proxy that pools transactions is in between: set the option `pgbouncer: true`'

/** SQLSTATE, or its first two characters, the class: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  '08': GONE,
  '08P01': REQUEST, // parameters and placeholders differ in number
  '0A': REQUEST,
  '21': REQUEST,
  '22': REQUEST,
  '23': CONFLICT,
  '24': REQUEST,
  '25': REQUEST,
  '25006': FORBIDDEN, // read-only transaction
  '25P03': TIMEOUT, // idle in transaction
  '25P04': TIMEOUT, // transaction_timeout
  '26': { code: 'UPSTREAM_INVALID', mend: PROXY },
  '28': REJECTED,
  '2B': CONFLICT,
  '2D': REQUEST,
  '34': REQUEST,
  '38': REQUEST,
  '39': REQUEST,
  '3B': REQUEST,
  '3D': REJECTED, // no such database
  '3F': REQUEST,
  '40': AGAIN,
  '40002': CONFLICT,
  '40003': BROKEN, // nobody knows whether it was done
  '42': REQUEST,
  '42501': FORBIDDEN,
  '42P05': { code: 'UPSTREAM_INVALID', mend: PROXY },
  '44': CONFLICT,
  '53': OVERLOADED,
  '53100': BROKEN, // disk full
  '54': { code: 'TOO_LARGE' },
  '55': REQUEST,
  '55006': AGAIN, // object in use
  '55P03': AGAIN, // lock not available
  '57': GONE,
  '57014': { code: 'ABORTED' }, // cancelled by nobody here
  '57P04': BROKEN, // database dropped
  '58': GONE,
  F0: GONE,
  HV: GONE,
  P0: REQUEST,
  XX: ODD,
}

const SOCKET =
  /^(?:ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET|EADDR|ENOENT|EACCES|EPROTO|ERR_STREAM|ERR_SOCKET|ERR_TLS_HANDSHAKE_TIMEOUT)/
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS_|ERR_OSSL_|HOSTNAME_MISMATCH|CRL_|ERR_SSL_/

/** Facts of a server's error that hold none of the data: constraint and table, but not the row. */
const FACTS = ['severity', 'schema', 'table', 'column', 'constraint', 'position', 'routine'] as const

/** The SQLSTATE of a server's error, undefined for any other. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, severity } = error as Error & { readonly code?: unknown; readonly severity?: unknown }
  return typeof code === 'string' && code.length === 5 && typeof severity === 'string' ? code : undefined
}

/**
 * What pg or the server threw, as a SwitchyardError; one that is so already is returned as it is. The server's own words are
 * kept, less the values that errors of class 22 quote; its DETAIL, which shows rows, is not, and so the error has no `cause`.
 * `details.vendorCode` is the SQLSTATE or the socket's code.
 */
export function toSwitchyardError(error: unknown): SwitchyardError {
  if (SwitchyardError.is(error)) return error
  const state = sqlState(error)
  if (state !== undefined) return ofServer(state, error as Error)
  const { code, message = String(error) } = (error ?? {}) as { readonly code?: unknown; readonly message?: string }
  const details = { vendorCode: code }
  if (typeof code === 'string' && SOCKET.test(code)) {
    return new SwitchyardError('UPSTREAM_UNAVAILABLE', `postgres: ${message}`, { details, cause: error })
  }
  if (typeof code === 'string' && CERTIFICATE.test(code)) {
    const words = `postgres: TLS failed: ${message}; see the options tls.mode, tls.ca and tls.serverName, and for a client certificate tls.cert and tls.key`
    return new SwitchyardError('UPSTREAM_REJECTED', words, { retryable: false, details, cause: error })
  }
  if (/does not support SSL/.test(message)) {
    const words = 'postgres: the server does not speak TLS; set tls.mode to `disable` only where the network is trusted'
    return new SwitchyardError('UPSTREAM_REJECTED', words, { retryable: false, cause: error })
  }
  if (/password must be a|^SASL|SCRAM/i.test(message)) {
    const words = 'postgres: the server asks for a password, and the one given is missing or not right'
    return new SwitchyardError('UPSTREAM_REJECTED', words, { retryable: false, cause: error })
  }
  if (/terminat|not queryable|connection error|establishing an SSL|timeout expired/i.test(message)) {
    return new SwitchyardError('UPSTREAM_UNAVAILABLE', `postgres: ${message}`, { cause: error })
  }
  if (/received (?:invalid|unexpected)/i.test(message)) {
    const words = 'postgres: what answers does not speak the protocol of PostgreSQL; see the cause'
    return new SwitchyardError('UPSTREAM_INVALID', words, { retryable: false, cause: error })
  }
  return new SwitchyardError('INTERNAL', 'postgres: an error that connector-postgres does not know; see its cause', {
    cause: error,
  })
}

function ofServer(state: string, error: Error): SwitchyardError {
  const { code, retryable, mend } = MEANINGS[state] ?? MEANINGS[state.slice(0, 2)] ?? ODD
  const details: Record<string, unknown> = { vendorCode: state }
  for (const fact of FACTS) {
    const value = (error as unknown as Record<string, unknown>)[fact]
    if (value !== undefined) details[fact] = value
  }
  const said = state.startsWith('22') ? error.message.replace(/: ".*"/s, '') : error.message
  const words = `postgres: ${said}${mend === undefined ? '' : `; ${mend}`}`
  return new SwitchyardError(code, words, { ...(retryable === undefined ? {} : { retryable }), details })
}

/**
 * What an aborted signal asks to reject with: its reason where that is a SwitchyardError, as the kernel's are, else `TIMEOUT` for
 * `AbortSignal.timeout` and `ABORTED` for the rest.
 */
export function abortError(signal: AbortSignal): SwitchyardError {
  const reason: unknown = signal.reason
  if (SwitchyardError.is(reason)) return reason
  return reason instanceof Error && reason.name === 'TimeoutError'
    ? new SwitchyardError('TIMEOUT', 'postgres: the caller’s time for the call was up', { cause: reason })
    : new SwitchyardError('ABORTED', 'postgres: the caller aborted the call', { cause: reason })
}

/** @throws SwitchyardError as {@link abortError} has it, where the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal)
}

/** What every call on a closed database rejects with. */
export function closedError(): SwitchyardError {
  return new SwitchyardError('CLOSED', 'postgres: the database is closed')
}
