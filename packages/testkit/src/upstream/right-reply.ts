import { attentiveAnswer, DEFAULT_TOKENS, fixedAnswer } from './answer.ts'
import { chatReply, type ModelRequested } from './chat.ts'
import { completionsReply } from './completions.ts'
import { embeddingsReply } from './embeddings.ts'
import type { Fault } from './faults.ts'
import { imagesReply, speechReply, transcriptionsReply } from './media.ts'
import { messagesReply } from './messages.ts'
import type { Recorded } from './recorded.ts'
import { responsesReply } from './responses.ts'
import { moderationsReply, rerankReply } from './scores.ts'
import { type ErrorShape, errorBody, type WireReply, wholeReply } from './wire-reply.ts'

/** What `GET /v1/models` lists where no option says otherwise. */
export const DEFAULT_MODELS: readonly string[] = ['gpt-fake', 'embedding-fake']

/** Where a redirect to another origin leads; it answers chats, so that a client which follows it is not told by a failure. */
export const REDIRECTED = '/redirected'

interface Endpoint {
  /** The field that it cannot do without. */
  readonly needs: string
  readonly answer: (request: ModelRequested) => WireReply
  readonly errors?: ErrorShape
}

const chat: Endpoint = { needs: 'messages', answer: chatReply }

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': chat,
  '/v1/completions': { needs: 'prompt', answer: completionsReply },
  '/v1/responses': { needs: 'input', answer: responsesReply },
  '/v1/messages': { needs: 'messages', answer: messagesReply, errors: 'anthropic' },
  '/v1/embeddings': { needs: 'input', answer: ({ model, body, faults }) => embeddingsReply(model, body, faults) },
  '/v1/moderations': { needs: 'input', answer: moderationsReply },
  '/v1/rerank': { needs: 'documents', answer: rerankReply },
  '/v1/images/generations': { needs: 'prompt', answer: imagesReply },
  '/v1/audio/speech': { needs: 'input', answer: speechReply },
  '/v1/audio/transcriptions': { needs: 'file', answer: transcriptionsReply },
  [REDIRECTED]: chat,
}

/** What the upstream is, whatever it does wrong. */
export interface UpstreamModel {
  readonly models: readonly string[]
  readonly tokens: readonly string[] | undefined
  readonly requireKey: string | undefined
  /** Paths below `/v1/`; undefined for all. */
  readonly endpoints: readonly string[] | undefined
  readonly attentive: boolean
}

/** The reply that a right upstream would give to a request. Pure. */
export function rightReply(record: Recorded, faults: readonly Fault[], upstream: UpstreamModel): WireReply {
  const path = record.path.split('?')[0] ?? ''
  const { requireKey } = upstream
  if (requireKey !== undefined && !keys(record).includes(requireKey)) {
    return refusal(401, 'Incorrect API key provided.', ENDPOINTS[path]?.errors, 'invalid_api_key')
  }
  if (path === '/v1/models' && record.method === 'GET') return listing(upstream.models)
  const spoken = upstream.endpoints === undefined || upstream.endpoints.includes(path.slice('/v1/'.length))
  const endpoint = spoken || path === REDIRECTED ? ENDPOINTS[path] : undefined
  if (record.method !== 'POST' || endpoint === undefined) {
    return refusal(404, `Invalid URL (${record.method} ${path})`, undefined, 'unknown_url')
  }
  const { errors } = endpoint
  const { body } = record
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return refusal(400, 'We could not parse the JSON body of your request.', errors)
  }
  const fields = body as Readonly<Record<string, unknown>>
  const { model } = splitModel(body)
  if (model === undefined) return refusal(400, 'you must provide a model parameter', errors)
  for (const name of errors === 'anthropic' ? [endpoint.needs, 'max_tokens'] : [endpoint.needs])
    if (fields[name] === undefined) return refusal(400, `Missing required parameter: '${name}'.`, errors)
  const { index } = record
  const answer = upstream.attentive
    ? attentiveAnswer(index, fields)
    : fixedAnswer(index, fields, upstream.tokens ?? DEFAULT_TOKENS, faults)
  return endpoint.answer({ index, model, body: fields, faults, ...answer })
}

function refusal(status: number, message: string, errors: ErrorShape | undefined, code: string | null = null): WireReply {
  return { ...wholeReply(errorBody(message, 'invalid_request_error', code, errors), status), ...(errors && { errors }) }
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
