import { type ErrorCode, SwitchyardError } from '@switchyard/contract'

const MAX_MESSAGE = 500
/** Shorter ones, such as a region, are words that a message needs. */
const SHORTEST_SECRET = 8
const KEY_LIKE = /\b(?:sk|pk|rk|xai|gsk|key)[-_][A-Za-z0-9_-]{6,}|Bearer\s+\S+|AIza[\w-]{20,}/g

/** Stops at the next opening, so that a body of openings is read once and not once for each. */
const TAG = /<[^<>]*>/g

/** The error object of OpenAI's dialect, its texts bounded and redacted. */
export interface DialectError {
  readonly message: string
  readonly type?: string
  readonly param?: string
  readonly code?: string
}

export interface ErrorReply {
  readonly status: number
  readonly body: Uint8Array
  /** Plugin instance. */
  readonly plugin: string
  readonly retryAfterMs?: number | undefined
  /** Credentials that were sent: some vendors repeat them in what they say. */
  readonly secrets?: readonly string[] | undefined
}

/**
 * An upstream's refusal as SwitchyardError. `details.status` is its status, `details.error` its error object. A 401 or 403 is about the
 * key we hold with the provider: `UPSTREAM_REJECTED`, never our client's `UNAUTHENTICATED`.
 */
export function openaiError(reply: ErrorReply): SwitchyardError {
  const { status, plugin, retryAfterMs, secrets } = reply
  const error = readError(reply.body, secrets) ?? { message: `it said nothing that could be read` }
  return new SwitchyardError(codeOfStatus(status), `${plugin}: upstream answered ${status}: ${error.message}`, {
    plugin,
    details: { status, error },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}

/** An error object inside a 200, plain or as an event, by its type and code. `secrets` as in `ErrorReply`. */
export function inBandError(value: unknown, plugin: string, secrets?: readonly string[]): SwitchyardError {
  const error = dialectError(value, secrets) ?? { message: 'an error without words' }
  const code = codeOfType(`${error.type ?? ''} ${error.code ?? ''}`)
  return new SwitchyardError(code, `${plugin}: upstream sent an error in a 200: ${error.message}`, {
    plugin,
    details: { error },
  })
}

/** What came in place of an event stream: an error told as one JSON object, by its type; else `UPSTREAM_INVALID`. */
export function notEvents(text: string, plugin: string, secrets?: readonly string[]): SwitchyardError {
  try {
    const { error } = JSON.parse(text) as { error?: unknown }
    if (error !== undefined && error !== null) return inBandError(error, plugin, secrets)
  } catch {
    // told below, without the text: it may hold anything
  }
  return new SwitchyardError('UPSTREAM_INVALID', `${plugin}: the upstream sent something that is no event stream`, { plugin })
}

const ERROR_REASON = /error|overloaded|exception/i

/** Throws for a finish reason that is an error's word: some providers end a 200 with one. Any other word is theirs to choose. */
export function throwErrorReason(reason: string, plugin: string, secrets?: readonly string[]): void {
  if (!ERROR_REASON.test(reason)) return
  const told = redacted(reason, secrets)
  throw new SwitchyardError(codeOfType(reason), `${plugin}: the upstream ended its answer with the error ${told}`, {
    plugin,
    details: { finishReason: told },
  })
}

/** The code that an error's type, or a finish reason that is one, stands for. */
export function codeOfType(type: string): ErrorCode {
  if (/rate_?limit|quota|resource_exhausted|\b429\b/i.test(type)) return 'RATE_LIMITED'
  if (/overloaded|server_error|unavailable|internal|api_error|\b5\d\d\b/i.test(type)) return 'UPSTREAM_UNAVAILABLE'
  if (/timeout/i.test(type)) return 'TIMEOUT'
  if (/invalid_request|not_found|context_length|authentication|permission|\b4\d\d\b/i.test(type)) return 'UPSTREAM_REJECTED'
  return 'UPSTREAM_INVALID'
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 429) return 'RATE_LIMITED'
  if (status === 408) return 'TIMEOUT'
  if (status >= 500) return 'UPSTREAM_UNAVAILABLE'
  return 'UPSTREAM_REJECTED'
}

function readError(body: Uint8Array, secrets: readonly string[] | undefined): DialectError | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  try {
    const parsed = JSON.parse(text) as { error?: unknown; message?: unknown }
    return dialectError(parsed.error ?? parsed, secrets)
  } catch {
    const plain = redacted(text.replace(TAG, ' ').trim(), secrets)
    return plain === '' ? undefined : { message: plain }
  }
}

function dialectError(value: unknown, secrets: readonly string[] | undefined): DialectError | undefined {
  if (typeof value === 'string') return { message: redacted(value, secrets) }
  if (typeof value !== 'object' || value === null) return undefined
  const { message, type, param, code } = value as Record<string, unknown>
  if (message === undefined && type === undefined && code === undefined) return undefined
  return {
    message: redacted(typeof message === 'string' ? message : 'an error without words', secrets),
    ...(typeof type === 'string' && { type: redacted(type, secrets) }),
    ...(typeof param === 'string' && { param: redacted(param, secrets) }),
    ...((typeof code === 'string' || typeof code === 'number') && { code: redacted(String(code), secrets) }),
  }
}

/** A vendor's words fit for a message: on one line, at most 500 characters, without `secrets` and what looks like a key. */
export function redacted(text: string, secrets: readonly string[] = []): string {
  let told = text.slice(0, MAX_MESSAGE * 8)
  for (const secret of secrets) if (secret.length >= SHORTEST_SECRET) told = told.replaceAll(secret, '[redacted]')
  return told
    .slice(0, MAX_MESSAGE * 2)
    .replace(/\s+/g, ' ')
    .replace(KEY_LIKE, '[redacted]')
    .slice(0, MAX_MESSAGE)
}
