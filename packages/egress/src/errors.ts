import { type ErrorCode, type ErrorOptions, SwitchyardError } from '@switchyard/contract'
import { errors } from 'undici'
import type { Phase } from './watch.ts'

/** How far a request had come when it failed. */
export interface FailurePoint {
  /** Scheme, host and port: all that messages tell of a URL, since paths and queries may hold keys. */
  readonly origin: string
  /** False while no byte of the request has left. */
  readonly sent: boolean
  /** True once the reply's headers were handed out, so that the failure is one of its body. */
  readonly replied: boolean
  readonly plugin: string | undefined
}

const EXPIRED: Readonly<Record<Phase, string>> = {
  headers: 'no reply headers in time; raise headersTimeoutMs if the peer is slow',
  bodyIdle: 'the reply stalled; raise bodyIdleTimeoutMs if the peer pauses',
  reader: 'the reply was not read in time; read its body or destroy it',
  total: 'not done in time; raise totalTimeoutMs or the deadline',
}

/** Errors of a socket that died, as opposed to one that spoke nonsense. */
const DEAD: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET'])

/** undici's error for a reply whose length is not the one it declared. */
const LENGTH_MISMATCH = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'

/** What llhttp says of a connection that ends inside a message. */
const END_INSIDE = /\bEOF\b/

/** An error of this package, under the name of the plugin that the egress was made for. */
export function egressError(
  plugin: string | undefined,
  code: ErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>>,
  options: ErrorOptions = {},
): SwitchyardError {
  return new SwitchyardError(code, message, { ...options, details, ...(plugin === undefined ? {} : { plugin }) })
}

/** The error of a target that the policy closes: final, never retried. */
export function refusedError(plugin: string | undefined, where: string, why: string): SwitchyardError {
  return egressError(plugin, 'POLICY_REFUSED', `egress to ${where} refused: ${why}`, { sent: false }, { retryable: false })
}

/** The error of a bound that has run out. */
export function expiredError(
  plugin: string | undefined,
  phase: Phase,
  ms: number,
  origin: string,
  sent: boolean,
): SwitchyardError {
  return egressError(
    plugin,
    'TIMEOUT',
    `${origin}: ${EXPIRED[phase]} (${ms} ms)`,
    { origin, sent, phase },
    { retryable: phase !== 'reader' },
  )
}

/** The error of an aborted signal: its reason if that is ours, else `ABORTED` with the reason as cause. */
export function abortError(plugin: string | undefined, reason: unknown, sent: boolean): SwitchyardError {
  if (SwitchyardError.is(reason)) return reason
  return egressError(plugin, 'ABORTED', 'the request was aborted by its caller', { sent }, { cause: reason })
}

/** The `code` of an error of Node or undici; '' where it has none. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/** True for the death of a socket: reset, broken pipe, closed by the other side. */
export function isDeadSocket(error: unknown): boolean {
  return DEAD.has(codeOf(error))
}

/**
 * Turns an error of undici, `node:net`, `node:tls` or `node:dns` into a SwitchyardError: `TIMEOUT`, `UPSTREAM_UNAVAILABLE`,
 * `UPSTREAM_TRUNCATED`, `UPSTREAM_INVALID`, `INVALID_REQUEST`, `CLOSED`; what it does not know is `INTERNAL`. One that is a
 * SwitchyardError already is returned as it is. `details.sent` says whether a byte had left, `details.phase` which timer fired.
 */
export function toSwitchyardError(cause: unknown, at: FailurePoint): SwitchyardError {
  if (SwitchyardError.is(cause)) return cause
  const { origin, sent, replied, plugin } = at
  const code = codeOf(cause)
  const make = (
    kind: ErrorCode,
    message: string,
    more: { readonly retryable?: boolean; readonly phase?: string } = {},
  ): SwitchyardError => {
    const { phase, ...options } = more
    const details = { origin, sent, vendorCode: code, ...(phase === undefined ? {} : { phase }) }
    return egressError(plugin, kind, `${message} (${code || String(cause)})`, details, {
      ...options,
      cause: withoutData(cause),
    })
  }

  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      if (replied) return make('UPSTREAM_TRUNCATED', `${origin}: the connection timed out before the end of the reply`)
      return make('TIMEOUT', `${origin}: no connection in time; raise connectTimeoutMs if the peer is slow`, {
        phase: 'connect',
      })
    case 'UND_ERR_HEADERS_OVERFLOW':
      return make('UPSTREAM_INVALID', `${origin}: the reply headers exceed maxHeaderBytes`, { retryable: false })
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
    case 'UND_ERR_NOT_SUPPORTED':
      return make('INVALID_REQUEST', `${origin}: the request cannot be sent: ${(cause as Error).message}`)
    case 'UND_ERR_CLOSED':
    case 'UND_ERR_DESTROYED':
      return make('CLOSED', `${origin}: this egress is closed`)
  }
  // undici 8 gives its parser errors no code; their `data` is a piece of the reply, which belongs in no error.
  const garbled = cause instanceof errors.HTTPParserError
  const cut = code === LENGTH_MISMATCH || DEAD.has(code) || (garbled && END_INSIDE.test(cause.message))
  if (replied && cut) return make('UPSTREAM_TRUNCATED', `${origin}: the reply was cut before its end`)
  if (garbled || code === LENGTH_MISMATCH) return make('UPSTREAM_INVALID', `${origin}: the reply is not valid HTTP/1.1`)
  if (DEAD.has(code)) return make('UPSTREAM_UNAVAILABLE', `${origin}: the connection broke before a reply`)
  if (code === '' || code.startsWith('ERR_ASSERTION')) return make('INTERNAL', `${origin}: unexpected failure`)
  return make(replied ? 'UPSTREAM_TRUNCATED' : 'UPSTREAM_UNAVAILABLE', `${origin}: no connection`)
}

function withoutData(cause: unknown): unknown {
  if (cause instanceof errors.HTTPParserError) (cause as { data?: unknown }).data = undefined
  return cause
}
