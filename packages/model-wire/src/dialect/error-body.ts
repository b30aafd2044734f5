import { type ErrorCode, type ModelEndpoint, SwitchyardError } from '@switchyard/contract'

type Words = readonly [openaiType: string, openaiCode: string, anthropicType: string]

const WORDS: Readonly<Record<ErrorCode, Words>> = {
  CONFIG_INVALID: ['server_error', 'config_invalid', 'api_error'],
  CONTRACT_UNSUPPORTED: ['server_error', 'config_invalid', 'api_error'],
  DEPENDENCY_MISSING: ['server_error', 'config_invalid', 'api_error'],
  DEPENDENCY_CYCLE: ['server_error', 'config_invalid', 'api_error'],
  STARTUP_FAILED: ['server_error', 'unavailable', 'overloaded_error'],
  CLOSED: ['server_error', 'shutting_down', 'overloaded_error'],
  INVALID_REQUEST: ['invalid_request_error', 'invalid_request', 'invalid_request_error'],
  UNAUTHENTICATED: ['invalid_request_error', 'invalid_api_key', 'authentication_error'],
  FORBIDDEN: ['invalid_request_error', 'forbidden', 'permission_error'],
  NOT_FOUND: ['invalid_request_error', 'not_found', 'not_found_error'],
  CONFLICT: ['invalid_request_error', 'conflict', 'invalid_request_error'],
  TOO_LARGE: ['invalid_request_error', 'request_too_large', 'request_too_large'],
  UNSUPPORTED: ['invalid_request_error', 'unsupported', 'invalid_request_error'],
  RATE_LIMITED: ['rate_limit_error', 'rate_limit_exceeded', 'rate_limit_error'],
  BUDGET_EXCEEDED: ['insufficient_quota', 'insufficient_quota', 'billing_error'],
  CIRCUIT_OPEN: ['server_error', 'circuit_open', 'overloaded_error'],
  OVERLOADED: ['server_error', 'overloaded', 'overloaded_error'],
  TIMEOUT: ['server_error', 'timeout', 'timeout_error'],
  ABORTED: ['server_error', 'aborted', 'api_error'],
  POLICY_REFUSED: ['invalid_request_error', 'policy_refused', 'permission_error'],
  UPSTREAM_UNAVAILABLE: ['server_error', 'upstream_unavailable', 'api_error'],
  UPSTREAM_REJECTED: ['server_error', 'upstream_rejected', 'api_error'],
  UPSTREAM_INVALID: ['server_error', 'upstream_invalid', 'api_error'],
  UPSTREAM_TRUNCATED: ['server_error', 'upstream_truncated', 'api_error'],
  INTERNAL: ['server_error', 'internal', 'api_error'],
}

/** Statuses by which an upstream says that the request is at fault: its own words go to the client. */
const CLIENTS_FAULT: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  404: 'not_found_error',
  405: 'invalid_request_error',
  409: 'invalid_request_error',
  413: 'request_too_large',
  415: 'invalid_request_error',
  422: 'invalid_request_error',
}

/** What every error is told by. */
interface Told {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

/**
 * The body of a failed request in the dialect of the endpoint that the client called: Anthropic's for `messages`, OpenAI's for all else.
 * An `INTERNAL` error, and what is no SwitchyardError, tells nothing of itself.
 */
export function errorBody(endpoint: ModelEndpoint, thrown: unknown): Record<string, unknown> {
  return endpoint === 'messages' ? anthropicBody(asError(thrown)) : { error: openaiWords(asError(thrown)) }
}

/**
 * The last event of a stream that broke, in the dialect of the endpoint that the client called, as every SDK of it throws one.
 * @param sequenceNumber Of `responses`: one more than the last event's, where it is known.
 */
export function errorEvent(endpoint: ModelEndpoint, thrown: unknown, sequenceNumber = 0): Uint8Array {
  const error = asError(thrown)
  if (endpoint === 'messages') return Buffer.from(`event: error\ndata: ${JSON.stringify(anthropicBody(error))}\n\n`)
  const words = openaiWords(error)
  if (endpoint !== 'responses') return Buffer.from(`data: ${JSON.stringify({ error: words })}\n\n`)
  // OpenAI's types have these fields flat, its servers nest them: clients read either.
  const { code, message, param } = words
  const data = { type: 'error', code, message, param, sequence_number: sequenceNumber, error: words }
  return Buffer.from(`event: error\ndata: ${JSON.stringify(data)}\n\n`)
}

function asError(thrown: unknown): SwitchyardError {
  return SwitchyardError.is(thrown) ? thrown : new SwitchyardError('INTERNAL', 'internal error')
}

function openaiWords(error: SwitchyardError): Told {
  const [type, code] = WORDS[error.code] ?? WORDS.INTERNAL
  const { param, code: own } = error.details ?? {}
  const said = clientsFault(error)
  if (said !== undefined) return { message: error.message, type: said.type, param: said.param, code: said.code }
  return {
    message: messageOf(error),
    type,
    param: typeof param === 'string' ? param : null,
    code: typeof own === 'string' ? own : code,
  }
}

function anthropicBody(error: SwitchyardError): Record<string, unknown> {
  const [, , type] = WORDS[error.code] ?? WORDS.INTERNAL
  const told = { type: clientsFault(error)?.anthropicType ?? type, message: messageOf(error) }
  return { type: 'error', error: noThread(error) ? { ...told, details: NO_THREAD } : told }
}

/** Anthropic's SDK begins its tool runner with a thread of messages, and goes on without one where it is told this. */
const NO_THREAD = Object.freeze({ error_code: 'thread_unsupported_request', unsupported: ['thread'] })

function noThread({ code, details }: SwitchyardError): boolean {
  return code === 'UNSUPPORTED' && details?.param === 'thread'
}

function messageOf(error: SwitchyardError): string {
  return error.code === 'INTERNAL' ? 'internal error; the log has the details under this request id' : error.message
}

function clientsFault(
  error: SwitchyardError,
): { type: string; anthropicType: string; param: string | null; code: string | null } | undefined {
  const status = error.details?.status
  const anthropicType = typeof status === 'number' ? CLIENTS_FAULT[status] : undefined
  if (error.code !== 'UPSTREAM_REJECTED' || anthropicType === undefined) return undefined
  const said = (error.details?.error ?? {}) as { type?: unknown; param?: unknown; code?: unknown }
  return {
    type: typeof said.type === 'string' ? said.type : 'invalid_request_error',
    anthropicType,
    param: typeof said.param === 'string' ? said.param : null,
    code: typeof said.code === 'string' ? said.code : null,
  }
}
