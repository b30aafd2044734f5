import { type Answer, argumentPieces, type MadeCall } from './answer.ts'
import { type Fault, find } from './faults.ts'
import { event, type Frame, streamedReply, type WireReply, wholeReply } from './wire-reply.ts'

/** A number that JSON.parse rounds: in every reply, so that a client which re-encodes bodies shows. */
export const BIG_INTEGER = '9007199254740993'

/** Made of every chat request: 7 input tokens and one word of output a token. */
export interface FakeUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly prompt_tokens_details: { readonly cached_tokens: number }
  readonly completion_tokens_details: { readonly reasoning_tokens: number }
}

/** What was asked of the fake model, at any of its endpoints. */
export interface ModelRequested extends Answer {
  readonly index: number
  /** As it was asked for, less its fault. */
  readonly model: string
  readonly body: Readonly<Record<string, unknown>>
  readonly faults: readonly Fault[]
}

/** Answers `POST /v1/chat/completions`, whole or as a stream, as the request asks. */
export function chatReply(request: ModelRequested): WireReply {
  return request.body.stream === true ? streamedChat(request) : wholeChat(request)
}

function wholeChat(request: ModelRequested): WireReply {
  const { calls } = request
  const message =
    calls.length === 0
      ? { role: 'assistant', content: pieces(request).join(''), refusal: null }
      : { role: 'assistant', content: null, tool_calls: calls.map((call) => toolCall(call, call.arguments)) }
  const usage = usageOf(request)
  return wholeReply(
    encode({
      ...envelope(request, 'chat.completion'),
      choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(request) }],
      ...(usage === undefined ? {} : { usage }),
    }),
  )
}

function streamedChat(request: ModelRequested): WireReply {
  const base = envelope(request, 'chat.completion.chunk')
  const asked = (request.body.stream_options as { include_usage?: unknown } | undefined)?.include_usage === true
  const nulled = asked ? { usage: null } : {}
  const chunk = (delta: object, content: boolean, finish: string | null = null): Frame =>
    event(encode({ ...base, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...nulled }), content)

  const frames: Frame[] = [chunk({ role: 'assistant', content: '' }, false)]
  if (request.calls.length === 0) for (const token of pieces(request)) frames.push(chunk({ content: token }, true))
  for (const [index, call] of request.calls.entries()) {
    frames.push(chunk({ tool_calls: [{ index, ...toolCall(call, '') }] }, true))
    for (const part of argumentPieces(call)) {
      frames.push(chunk({ tool_calls: [{ index, function: { arguments: part } }] }, true))
    }
  }
  frames.push(chunk({}, false, finishReason(request)))
  const usage = usageOf(request)
  if (asked && usage !== undefined) frames.push(event(encode({ ...base, choices: [], usage }), false))
  if (find(request.faults, 'no-done') === undefined) frames.push(event('[DONE]', false))
  return streamedReply(frames, 'openai')
}

function envelope(request: ModelRequested, object: string): object {
  return {
    id: `chatcmpl-fake-${request.index}`,
    object,
    created: 1_700_000_000,
    model: request.model,
    system_fingerprint: 'fp_fake',
    ...EXTENSION,
  }
}

/** The answer, piece by piece. */
export function pieces({ tokens, faults }: ModelRequested): readonly string[] {
  const huge = find(faults, 'huge')
  if (huge === undefined) return tokens
  const half = Math.ceil(tokens.length / 2)
  return [...tokens.slice(0, half), 'x'.repeat(huge.bytes), ...tokens.slice(half)]
}

function toolCall({ id, name }: MadeCall, given: string): object {
  return { id, type: 'function', function: { name, arguments: given } }
}

/** Why the answer ended, as chat says it. */
export function finishReason(request: ModelRequested): string {
  const finish = find(request.faults, 'finish')
  return finish?.reason ?? (request.calls.length === 0 ? 'stop' : 'tool_calls')
}

/** What the answer cost, as chat tells it; undefined where a fault leaves it out. */
export function usageOf({ tokens, faults }: ModelRequested): FakeUsage | undefined {
  const flaw = find(faults, 'usage')?.flaw
  if (flaw === 'absent') return undefined
  const negative = flaw === 'negative'
  return {
    prompt_tokens: negative ? -1 : 7,
    completion_tokens: negative ? -1 : tokens.length,
    total_tokens: negative ? -1 : 7 + tokens.length + (flaw === 'inconsistent' ? 4 : 0),
    prompt_tokens_details: { cached_tokens: negative ? 0 : 3 },
    completion_tokens_details: { reasoning_tokens: negative ? 0 : 2 },
  }
}

const BIG_MARK = '@big-integer@'

/** A field that no client knows, in every reply. */
export const EXTENSION: { readonly x_fake_extension: object } = { x_fake_extension: { keep: 'this', big: BIG_MARK } }

/** JSON text, the big integer written out. */
export function encode(value: object): string {
  return JSON.stringify(value).replace(`"${BIG_MARK}"`, BIG_INTEGER)
}
