import { chatReply, DEFAULT_TOKENS } from './chat.ts'
import { embeddingsReply } from './embeddings.ts'
import type { Fault } from './faults.ts'
import type { Recorded } from './recorded.ts'
import { errorReply, type WireReply, wholeReply } from './wire-reply.ts'

/** What `GET /v1/models` lists where no option says otherwise. */
export const DEFAULT_MODELS: readonly string[] = ['gpt-fake', 'embedding-fake']

/** Where a redirect to another origin leads; it answers chats, so that a client which follows it is not told by a failure. */
export const REDIRECTED = '/redirected'

const POSTS: ReadonlySet<string> = new Set(['/v1/chat/completions', '/v1/embeddings', REDIRECTED])

/** What the upstream is, whatever it does wrong. */
export interface UpstreamModel {
  readonly models: readonly string[]
  readonly tokens: readonly string[] | undefined
  readonly requireKey: string | undefined
}

/** The reply that a right upstream would give to a request. Pure. */
export function rightReply(record: Recorded, faults: readonly Fault[], upstream: UpstreamModel): WireReply {
  const path = record.path.split('?')[0] ?? ''
  const { requireKey } = upstream
  if (requireKey !== undefined && !keys(record).includes(requireKey)) {
    return errorReply(401, 'Incorrect API key provided.', 'invalid_request_error', 'invalid_api_key')
  }
  if (path === '/v1/models' && record.method === 'GET') return listing(upstream.models)
  if (record.method !== 'POST' || !POSTS.has(path)) {
    return errorReply(404, `Invalid URL (${record.method} ${path})`, 'invalid_request_error', 'unknown_url')
  }
  const { body } = record
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return errorReply(400, 'We could not parse the JSON body of your request.', 'invalid_request_error')
  }
  const fields = body as Readonly<Record<string, unknown>>
  const { model } = splitModel(body)
  if (model === undefined) return errorReply(400, 'you must provide a model parameter', 'invalid_request_error')
  if (path === '/v1/embeddings') {
    if (fields.input === undefined) return errorReply(400, "Missing required parameter: 'input'.", 'invalid_request_error')
    return embeddingsReply(model, fields, faults)
  }
  if (!Array.isArray(fields.messages)) {
    return errorReply(400, "Missing required parameter: 'messages'.", 'invalid_request_error')
  }
  return chatReply({ index: record.index, model, body: fields, tokens: upstream.tokens ?? DEFAULT_TOKENS, faults })
}

/** A body's model name, parted at its first `!` into the model and the fault that it asks for. */
export function splitModel(body: unknown): { readonly model: string | undefined; readonly fault: string | undefined } {
  const name = typeof body === 'object' && body !== null ? (body as { model?: unknown }).model : undefined
  if (typeof name !== 'string') return { model: undefined, fault: undefined }
  const mark = name.indexOf('!')
  return mark < 0 ? { model: name, fault: undefined } : { model: name.slice(0, mark), fault: name.slice(mark + 1) }
}

function keys({ headers }: Recorded): readonly (string | undefined)[] {
  return [headers.authorization?.replace(/^bearer /i, ''), headers['x-api-key'], headers['api-key']]
}

function listing(models: readonly string[]): WireReply {
  const data = models.map((id) => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'fake' }))
  return wholeReply(JSON.stringify({ object: 'list', data }))
}
