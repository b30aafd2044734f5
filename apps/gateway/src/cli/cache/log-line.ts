import { MODEL_ENDPOINTS, type ModelEndpoint, type Usage } from '@switchyard/contract'
import { normaliseUsage, saidIn } from '@switchyard/model-wire'

/** A request of a log, with what the log tells of it. */
export interface LoggedRequest {
  readonly endpoint: ModelEndpoint
  readonly model: string
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
  readonly tenant: string
  readonly key: string
  readonly user: string | undefined
  /** Epoch ms of its beginning. */
  readonly at: number | undefined
  readonly durationMs: number | undefined
  /** Equal where one answer would do for both. */
  readonly label: string | undefined
  /** The words of the answer. */
  readonly answer: string | undefined
  readonly answerBytes: number | undefined
  readonly usage: Usage | undefined
}

type Json = Readonly<Record<string, unknown>>

const NOBODY = 'log'
/** What a line may tell beside the request, where the request is the line itself. */
const BESIDE: ReadonlySet<string> = new Set([
  ...['tenant', 'key', 'at', 'time', 'timestamp', 'endpoint', 'path', 'headers', 'response', 'answer', 'label', 'usage'],
  ...['durationMs', 'duration_ms', 'latencyMs', 'latency_ms'],
])
/** They say who asked, which the log has in other words; and nothing is done with them. */
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'cookie'])
const ENDPOINTS: ReadonlySet<string> = new Set(MODEL_ENDPOINTS)

/**
 * Reads one line: a request as a client sends it, or an object that holds one as `body` or `request`. Throws a TypeError that says what is
 * missing.
 */
export function readLogLine(text: string): LoggedRequest {
  const row = objectIn(text, 'the line')
  const held = row.body ?? row.request
  const body = held === undefined ? withoutBeside(row) : typeof held === 'string' ? objectIn(held, 'the request in it') : held
  if (!isObject(body)) throw new TypeError('its body is no JSON object')
  const model = body.model ?? row.model
  if (typeof model !== 'string' || model === '') throw new TypeError('its request names no model')
  const endpoint = endpointOf(row.endpoint ?? row.path, body)
  const response = typeof row.response === 'string' ? parsed(row.response) : row.response
  const answer = answerOf(row.answer ?? response)
  return {
    endpoint,
    model,
    body: body.model === undefined ? { ...body, model } : body,
    headers: headersIn(row.headers),
    tenant: nameIn(row.tenant) ?? NOBODY,
    key: nameIn(row.key) ?? NOBODY,
    user: held === undefined ? undefined : nameIn(row.user),
    at: timeIn(row.at ?? row.time ?? row.timestamp),
    durationMs: numberIn(row.durationMs ?? row.duration_ms ?? row.latencyMs ?? row.latency_ms),
    label: nameIn(row.label),
    answer,
    answerBytes: row.response === undefined ? undefined : Buffer.byteLength(stringOf(row.response)),
    usage: usageIn(row.usage) ?? usageIn(isObject(response) ? response.usage : undefined),
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectIn(text: string, what: string): Json {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new TypeError(`${what} is no JSON`)
  }
  if (!isObject(value)) throw new TypeError(`${what} is no JSON object`)
  return value
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function withoutBeside(row: Json): Json {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !BESIDE.has(name)))
}

function endpointOf(said: unknown, body: Json): ModelEndpoint {
  if (said !== undefined) {
    const name = String(said).replace(/^.*\/v1\//, '')
    if (ENDPOINTS.has(name)) return name as ModelEndpoint
    throw new TypeError(`its endpoint is none: ${JSON.stringify(String(said).slice(0, 100))}`)
  }
  if (Array.isArray(body.messages)) return body.system !== undefined ? 'messages' : 'chat/completions'
  if (body.query !== undefined && body.documents !== undefined) return 'rerank'
  if (body.prompt !== undefined) return 'completions'
  if (body.input !== undefined) return /embed/i.test(String(body.model)) ? 'embeddings' : 'responses'
  throw new TypeError('its request has no messages, input or prompt; name its endpoint')
}

function answerOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return saidIn(value)?.text
}

function nameIn(value: unknown): string | undefined {
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : undefined
}

function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value < 86_400_000 ? value : undefined
}

/** Epoch milliseconds or seconds, or a time as ISO 8601 writes it. */
function timeIn(value: unknown): number | undefined {
  const SECONDS_UNTIL = 1e11
  if (typeof value === 'number' && value > 0) return value < SECONDS_UNTIL ? value * 1_000 : value
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

function headersIn(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {}
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return Object.fromEntries(
    entries.map(([name, one]) => [name.toLowerCase(), one]).filter(([name]) => !CREDENTIALS.has(name as string)),
  )
}

function usageIn(value: unknown): Usage | undefined {
  return normaliseUsage(value)?.usage
}
