import { type ErrorCode, SwitchyardError } from '@switchyard/contract'

/** The body of every failure on a model route: OpenAI's own shape. */
export interface OpenAiError {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string | null
  }
}

interface Row {
  readonly status: number
  readonly type: string
  readonly code: string
}

const TABLE: Readonly<Record<ErrorCode, Row>> = {
  CONFIG_INVALID: { status: 500, type: 'server_error', code: 'config_invalid' },
  CONTRACT_UNSUPPORTED: { status: 500, type: 'server_error', code: 'config_invalid' },
  DEPENDENCY_MISSING: { status: 500, type: 'server_error', code: 'config_invalid' },
  DEPENDENCY_CYCLE: { status: 500, type: 'server_error', code: 'config_invalid' },
  STARTUP_FAILED: { status: 503, type: 'server_error', code: 'unavailable' },
  CLOSED: { status: 503, type: 'server_error', code: 'shutting_down' },
  INVALID_REQUEST: { status: 400, type: 'invalid_request_error', code: 'invalid_request' },
  UNAUTHENTICATED: { status: 401, type: 'invalid_request_error', code: 'invalid_api_key' },
  FORBIDDEN: { status: 403, type: 'invalid_request_error', code: 'forbidden' },
  NOT_FOUND: { status: 404, type: 'invalid_request_error', code: 'not_found' },
  CONFLICT: { status: 409, type: 'invalid_request_error', code: 'conflict' },
  TOO_LARGE: { status: 413, type: 'invalid_request_error', code: 'request_too_large' },
  UNSUPPORTED: { status: 400, type: 'invalid_request_error', code: 'unsupported' },
  RATE_LIMITED: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  BUDGET_EXCEEDED: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  CIRCUIT_OPEN: { status: 503, type: 'server_error', code: 'circuit_open' },
  OVERLOADED: { status: 503, type: 'server_error', code: 'overloaded' },
  TIMEOUT: { status: 504, type: 'server_error', code: 'timeout' },
  ABORTED: { status: 499, type: 'server_error', code: 'aborted' },
  POLICY_REFUSED: { status: 403, type: 'invalid_request_error', code: 'policy_refused' },
  UPSTREAM_UNAVAILABLE: { status: 502, type: 'server_error', code: 'upstream_unavailable' },
  UPSTREAM_REJECTED: { status: 502, type: 'server_error', code: 'upstream_rejected' },
  UPSTREAM_INVALID: { status: 502, type: 'server_error', code: 'upstream_invalid' },
  UPSTREAM_TRUNCATED: { status: 502, type: 'server_error', code: 'upstream_truncated' },
  INTERNAL: { status: 500, type: 'server_error', code: 'internal' },
}

/** Statuses by which an upstream says that the request is at fault: the client gets them as they are. */
const CLIENTS_FAULT: ReadonlySet<number> = new Set([400, 404, 405, 409, 413, 415, 422])

export interface HttpFailure {
  readonly status: number
  readonly body: OpenAiError
  readonly headers: Readonly<Record<string, string>>
}

/**
 * HTTP status, headers and OpenAI-shaped body for any error. A provider's 401 or 403 is about our key with it, so the client sees
 * 502, never a 401 of its own. `x-should-retry` tells OpenAI's clients what we know about repeating.
 */
export function toHttp(thrown: unknown): HttpFailure {
  const error = SwitchyardError.is(thrown) ? thrown : new SwitchyardError('INTERNAL', 'internal error', { cause: thrown })
  const row = TABLE[error.code] ?? TABLE.INTERNAL
  const upstream = error.code === 'UPSTREAM_REJECTED' ? upstreamError(error) : undefined
  const headers: Record<string, string> = { 'x-should-retry': String(error.retryable) }
  if (error.retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1000))
    headers['retry-after-ms'] = String(Math.ceil(error.retryAfterMs))
  }
  const param = error.details?.param
  return {
    status: upstream?.status ?? row.status,
    headers,
    body: {
      error: {
        message: error.code === 'INTERNAL' ? 'internal error; the log has the details under this request id' : error.message,
        type: upstream?.type ?? row.type,
        param: upstream?.param ?? (typeof param === 'string' ? param : null),
        code: upstream === undefined ? codeOf(error, row) : upstream.code,
      },
    },
  }
}

function codeOf(error: SwitchyardError, row: Row): string {
  const own = error.details?.code
  return typeof own === 'string' ? own : row.code
}

function upstreamError(
  error: SwitchyardError,
): { status: number; type: string; param: string | null; code: string | null } | undefined {
  const status = error.details?.status
  if (typeof status !== 'number' || !CLIENTS_FAULT.has(status)) return undefined
  const said = (error.details?.error ?? {}) as { type?: unknown; param?: unknown; code?: unknown }
  return {
    status,
    type: typeof said.type === 'string' ? said.type : 'invalid_request_error',
    param: typeof said.param === 'string' ? said.param : null,
    code: typeof said.code === 'string' ? said.code : null,
  }
}
