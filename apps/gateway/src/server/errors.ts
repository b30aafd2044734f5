import { STATUS_CODES } from 'node:http'
import { type ErrorCode, type ModelEndpoint, SwitchyardError } from '@switchyard/contract'
import { errorBody } from '@switchyard/model-wire'

/** How a failure is told: in the words of a model endpoint's clients, or as RFC 9457 has it. */
export type Dialect = ModelEndpoint | 'problem'

/** The dialect that the clients of a path speak. */
export function dialectOf(path: string): Dialect {
  if (path.startsWith('/v1/messages')) return 'messages'
  return path.startsWith('/admin/') ? 'problem' : 'chat/completions'
}

const STATUS: Readonly<Record<ErrorCode, number>> = {
  CONFIG_INVALID: 500,
  CONTRACT_UNSUPPORTED: 500,
  DEPENDENCY_MISSING: 500,
  DEPENDENCY_CYCLE: 500,
  STARTUP_FAILED: 503,
  CLOSED: 503,
  INVALID_REQUEST: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  TOO_LARGE: 413,
  UNSUPPORTED: 400,
  RATE_LIMITED: 429,
  BUDGET_EXCEEDED: 429,
  CIRCUIT_OPEN: 503,
  OVERLOADED: 503,
  TIMEOUT: 504,
  ABORTED: 499,
  POLICY_REFUSED: 403,
  UPSTREAM_UNAVAILABLE: 502,
  UPSTREAM_REJECTED: 502,
  UPSTREAM_INVALID: 502,
  UPSTREAM_TRUNCATED: 502,
  INTERNAL: 500,
}

/** Statuses by which an upstream says that the request is at fault: the client gets them as they are. */
const CLIENTS_FAULT: ReadonlySet<number> = new Set([400, 404, 405, 409, 413, 415, 422])

/** Headers that an error may bring in `details.headers`: what limits and budgets tell, and nothing that frames a reply. */
const ERRORS_OWN = /^(?:retry-after|ratelimit(?:-policy)?|x-ratelimit-[a-z-]+|x-switchyard-[a-z-]+)$/
/** What a header may hold. */
const HEADER_TEXT = /^[ -~]{1,1000}$/

export interface HttpFailure {
  readonly status: number
  readonly contentType: string
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
}

export interface FailureContext {
  /** Default: OpenAI's. */
  readonly dialect?: Dialect
  /** Several targets were tried, and none served: what the last of them said is nobody's fault but the service's. */
  readonly exhausted?: boolean
}

/**
 * HTTP status, headers and body for any error. A provider's 401 or 403 is about our key with it, so the client sees
 * 502, never a 401 of its own. `x-should-retry` tells OpenAI's clients what we know about repeating.
 */
export function toHttp(thrown: unknown, { dialect = 'chat/completions', exhausted = false }: FailureContext = {}): HttpFailure {
  const error = SwitchyardError.is(thrown) ? thrown : new SwitchyardError('INTERNAL', 'internal error', { cause: thrown })
  const headers = ownHeaders(error)
  headers['x-should-retry'] = String(error.retryable)
  if (error.retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1000))
    headers['retry-after-ms'] = String(Math.ceil(error.retryAfterMs))
  }
  const budget = budgetIn(error)
  if (typeof budget?.resetsAt === 'string') headers['x-switchyard-budget-resets-at'] = budget.resetsAt
  const own = statusOf(error)
  // RFC 9110, 15.5.2: a 401 names what it wants.
  if (own === 401) headers['www-authenticate'] = 'Bearer'
  const status = exhausted && (own === 429 || own >= 500) ? 503 : own
  if (dialect === 'problem')
    return {
      status,
      headers,
      contentType: 'application/problem+json',
      body: { ...problem(error, status), ...(budget && { budget }) },
    }
  const body = errorBody(dialect, error)
  // Clients of either dialect read the error they know, and find the rest beside it.
  if (budget !== undefined) body.error = { ...(body.error as object), budget }
  return { status, headers, contentType: 'application/json', body }
}

/** Which budget is used up, what is left of it in USD, and when it begins anew. */
function budgetIn({ code, details }: SwitchyardError): Readonly<Record<string, unknown>> | undefined {
  if (code !== 'BUDGET_EXCEEDED' || typeof details?.budget !== 'string') return undefined
  const { budget: name, level, limit: limitUsd, available: availableUsd, needed: neededUsd, resetsAt, reason } = details
  const at = typeof resetsAt === 'number' ? new Date(resetsAt).toISOString() : null
  return { name, level, limitUsd, availableUsd, neededUsd, resetsAt: at, reason }
}

function ownHeaders({ details }: SwitchyardError): Record<string, string> {
  const headers: Record<string, string> = {}
  const own = details?.headers
  if (typeof own !== 'object' || own === null) return headers
  for (const [name, value] of Object.entries(own)) {
    if (typeof value === 'string' && ERRORS_OWN.test(name) && HEADER_TEXT.test(value)) headers[name] = value
  }
  return headers
}

function statusOf(error: SwitchyardError): number {
  const said = error.details?.status
  // RFC 9111, 5.2.1.7: who wants nothing but a stored reply is told 504 where there is none.
  if (error.code === 'NOT_FOUND' && error.details?.code === 'not_cached') return 504
  if (error.code === 'UPSTREAM_REJECTED' && typeof said === 'number' && CLIENTS_FAULT.has(said)) return said
  return STATUS[error.code] ?? STATUS.INTERNAL
}

function problem(error: SwitchyardError, status: number): Readonly<Record<string, unknown>> {
  const { param, nearest } = error.details ?? {}
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: error.code === 'INTERNAL' ? 'internal error; the log has the details under this request id' : error.message,
    code: error.code,
    ...(param !== undefined && { param }),
    ...(nearest !== undefined && { nearest }),
  }
}
