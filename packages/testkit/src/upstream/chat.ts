import { type Fault, find } from './faults.ts'
import { event, type Frame, streamedReply, type WireReply, wholeReply } from './wire-reply.ts'

/** What the fake model says, piece by piece; several bytes a character, so that splits fall inside characters. */
export const DEFAULT_TOKENS: readonly string[] = ['Grüße', ' aus', ' dem', ' 🚃', '-Depot', ': 你好', ', "\\n"', ' quoted', '.']

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
export interface ModelRequested {
  readonly index: number
  /** As it was asked for, less its fault. */
  readonly model: string
  readonly body: Readonly<Record<string, unknown>>
  readonly tokens: readonly string[]
  readonly faults: readonly Fault[]
}

/** Answers `POST /v1/chat/completions`, whole or as a stream, as the request asks. */
export function chatReply(request: ModelRequested): WireReply {
  return request.body.stream === true ? streamedChat(request) : wholeChat(request)
}

function wholeChat(request: ModelRequested): WireReply {
  const calls = toolCall(request)
  const message =
    calls === undefined
      ? { role: 'assistant', content: pieces(request).join(''), refusal: null }
      : { role: 'assistant', content: null, tool_calls: [{ ...calls.head, function: calls.function }] }
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
  const calls = toolCall(request)
  if (calls === undefined) {
    for (const token of pieces(request)) frames.push(chunk({ content: token }, true))
  } else {
    frames.push(
      chunk({ tool_calls: [{ index: 0, ...calls.head, function: { name: calls.function.name, arguments: '' } }] }, true),
    )
    for (const part of calls.function.arguments.match(/.{1,6}/gsu) ?? []) {
      frames.push(chunk({ tool_calls: [{ index: 0, function: { arguments: part } }] }, true))
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

/** What the first tool is called with. */
export const TOOL_INPUT: object = { city: 'Zürich', days: 3 }

interface ToolCall {
  readonly head: { readonly id: string; readonly type: string }
  readonly function: { readonly name: string; readonly arguments: string }
}

/** The call that a fault asks for; undefined without one, or without a tool to call. */
export function toolCall(request: ModelRequested): ToolCall | undefined {
  if (find(request.faults, 'tool-call') === undefined) return undefined
  const [tool] = (request.body.tools ?? []) as readonly {
    readonly name?: string
    readonly function?: { readonly name?: string }
  }[]
  const name = tool?.function?.name ?? tool?.name
  if (name === undefined) return undefined
  return {
    head: { id: `call_fake_${request.index}`, type: 'function' },
    function: { name, arguments: JSON.stringify(TOOL_INPUT) },
  }
}

/** Why the answer ended, as chat says it. */
export function finishReason(request: ModelRequested): string {
  const finish = find(request.faults, 'finish')
  return finish?.reason ?? (toolCall(request) === undefined ? 'stop' : 'tool_calls')
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
