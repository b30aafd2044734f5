import type { Call, ModelEnding, ModelEndpoint } from '@switchyard/contract'
import {
  chatUsage,
  editTopLevel,
  isWholeReason,
  parseExact,
  provesSuccess,
  saidIn,
  streamOfWhole,
  wholeOfStream,
} from '@switchyard/model-wire'
import type { Kept } from '../kind.ts'
import { bodyIn, DEGRADED, endIn, frameKind, type Head, headIn } from './frames.ts'
import { REPEATED } from './identity.ts'
import { encodePayload } from './payload.ts'
import type { Settings } from './route-of.ts'

type Json = Readonly<Record<string, unknown>>

const COMPUTED: ReadonlySet<ModelEndpoint> = new Set(['embeddings', 'rerank'])
/** Finish reasons of an answer that reached its limit: to the same words it is the same answer. */
const CUT: ReadonlySet<string> = new Set(['length', 'max_tokens', 'max_output_tokens', 'model_context_window_exceeded'])
const REFUSED: ReadonlySet<string> = new Set(['content_filter', 'refusal', 'safety'])
const CALLS: ReadonlySet<string> = new Set(['tool_calls', 'tool_use', 'function_call'])
const MAX_BY = 200

/** What to store of a reply, or in one or two words why nothing is. Never throws, whatever the reply is. */
export function keep(
  call: Pick<Call<'model.invoke'>, 'request'>,
  frames: readonly Uint8Array[],
  settings: Settings,
  maxReplyBytes: number,
): Kept {
  try {
    return judged(call, frames, settings, maxReplyBytes)
  } catch {
    return refused('malformed')
  }
}

function judged(
  { request }: Pick<Call<'model.invoke'>, 'request'>,
  frames: readonly Uint8Array[],
  settings: Settings,
  maxReplyBytes: number,
): Kept {
  const [first, last] = [frames[0], frames.at(-1)]
  if (first === undefined || last === undefined || frameKind(first) !== 'head' || frameKind(last) !== 'end')
    return refused('not-complete')
  const head = headIn(first)
  const ending = endIn(last)
  if (ending.outcome !== 'complete') return refused('not-complete')
  // 246 is how Portkey says that a guardrail objected.
  if (head.status !== 200) return refused('status')
  if (head.headers[DEGRADED] !== undefined) return refused('degraded')
  if (head.cached === true) return refused('cached')
  const chunks = frames.slice(1, -1).map(bodyIn)
  if (chunks.reduce((sum, { byteLength }) => sum + byteLength, 0) > maxReplyBytes) return refused('too-large')
  const { endpoint } = request
  const reply = head.stream ? fromStream(endpoint, chunks, ending) : fromWhole(chunks)
  if (reply === undefined) return refused('malformed')
  const verdict = verdictOn(endpoint, reply.body, ending, settings)
  if (typeof verdict === 'string') return refused(verdict)
  // It may be asked for as a stream next.
  if (!head.stream && !COMPUTED.has(endpoint) && streamOfWhole(endpoint, reply.body, { includeUsage: false }) === undefined)
    return refused('malformed')
  const payload = encodePayload(
    {
      endpoint,
      headers: headersOf(head),
      ending,
      ...(reply.pieces !== undefined && { pieces: reply.pieces }),
      ...(verdict.cut && { cut: true }),
    },
    anonymous(endpoint, reply.body, reply.bytes),
  )
  const { model } = reply.body
  return { payload, by: (typeof model === 'string' && model !== '' ? model : request.model).slice(0, MAX_BY) }
}

interface Stored {
  readonly body: Json
  readonly bytes: Uint8Array
  readonly pieces: readonly number[] | undefined
}

function fromWhole(chunks: readonly Uint8Array[]): Stored | undefined {
  const bytes = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
  const body = parseExact(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  return body === undefined ? undefined : { body, bytes, pieces: undefined }
}

function fromStream(endpoint: ModelEndpoint, chunks: readonly Uint8Array[], ending: ModelEnding): Stored | undefined {
  const whole = wholeOfStream(endpoint, chunks)
  if (whole === undefined) return undefined
  const { pieces } = whole
  // A client that did not ask for the usage has not been told it: whole replies always do.
  const lacksUsage = whole.body.usage === undefined && Array.isArray(whole.body.choices) && ending.usageSource === 'reported'
  const body = lacksUsage ? { ...whole.body, usage: chatUsage(ending.usage) } : whole.body
  return { body, bytes: Buffer.from(JSON.stringify(body)), pieces }
}

/** Why it may not be stored, or whether it was cut by its limit. */
function verdictOn(
  endpoint: ModelEndpoint,
  body: Json,
  { finishReason }: ModelEnding,
  { tools }: Settings,
): string | { readonly cut: boolean } {
  if (body.error !== undefined && body.error !== null) return 'error'
  if (!provesSuccess(endpoint, body)) return 'malformed'
  if (hasVerdict(body.hook_results)) return 'guard'
  if (COMPUTED.has(endpoint)) return { cut: false }
  if (Array.isArray(body.choices) && body.choices.length !== 1) return 'many-answers'
  if (finishReason === undefined) return 'no-finish-reason'
  if (REFUSED.has(finishReason)) return 'refused'
  const cut = CUT.has(finishReason)
  if (!cut && !isWholeReason(finishReason)) return 'finish-reason'
  const said = saidIn(body)
  if (said === undefined) return 'refused'
  if ((said.calls.length > 0 || CALLS.has(finishReason)) && !tools) return 'tools'
  if (said.text.trim() === '' && said.calls.length === 0) return 'empty'
  return { cut }
}

/** A guardrail of Portkey's that objected and let the reply pass. */
function hasVerdict(hooks: unknown): boolean {
  if (typeof hooks !== 'object' || hooks === null) return false
  return Object.values(hooks).some(
    (list) => Array.isArray(list) && list.some((one: unknown) => (one as Json | null)?.verdict === false),
  )
}

function headersOf({ headers, stream }: Head): Readonly<Record<string, string>> {
  return stream ? { ...headers, 'content-type': 'application/json' } : headers
}

/** The body without the upstream's id of it, and without what a response repeats of the one request that it answered. */
function anonymous(endpoint: ModelEndpoint, body: Json, bytes: Uint8Array): Uint8Array {
  const edits: Record<string, string> = {}
  if (typeof body.id === 'string') edits.id = '""'
  if (endpoint === 'responses') for (const name of REPEATED) if (Object.hasOwn(body, name)) edits[name] = 'null'
  return editTopLevel(bytes, edits)
}

function refused(reason: string): Kept {
  return { refused: reason }
}
