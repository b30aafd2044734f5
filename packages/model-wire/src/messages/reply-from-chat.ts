import { type ChatAnswer, readChatReply } from '../chat/chat-answer.ts'
import type { Json } from '../dialect/fields.ts'
import { upstreamInvalid } from '../dialect/lenient.ts'
import { messagesUsage } from '../dialect/usage-words.ts'
import type { UsageRoute } from '../usage/normalise.ts'

/**
 * A whole reply of `chat/completions` as one of `messages`. Throws `UPSTREAM_INVALID` for what is no such reply.
 * @param usage By which rule the target's usage becomes totals. Default `openai`.
 */
export function chatReplyToMessages(reply: Json, usage?: UsageRoute): Record<string, unknown> {
  const answer = readChatReply(reply, usage)
  const { stop_reason, stop_sequence } = stopOf(answer)
  const content: unknown[] = []
  if (answer.reasoning !== '') content.push(thinkingBlock(answer.reasoning))
  const text = answer.text + answer.refusal
  if (text !== '') content.push(textBlock(text))
  for (const { id, name, arguments: given } of answer.toolCalls)
    content.push(toolUseBlock(id, name, inputOf(given, stop_reason === 'max_tokens')))
  return {
    ...emptyMessage(answer.id, answer.model),
    content,
    stop_reason,
    stop_sequence,
    usage: fullUsage(answer.usage),
  }
}

/** A message as its stream begins it. */
export function emptyMessage(id: string, model: string): Record<string, unknown> {
  return {
    id: id.startsWith('msg_') ? id : `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    container: null,
    diagnostics: null,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: fullUsage(undefined),
  }
}

export function textBlock(text: string): Record<string, unknown> {
  return { type: 'text', text, citations: null }
}

/** Without a signature: no Anthropic model thought it. */
export function thinkingBlock(thinking: string): Record<string, unknown> {
  return { type: 'thinking', thinking, signature: '' }
}

export function toolUseBlock(id: string, name: string, input: unknown): Record<string, unknown> {
  return { type: 'tool_use', id, name, input, caller: { type: 'direct' } }
}

const STOP_REASONS: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  content_filter: 'refusal',
}
/** Some chat targets hand their own word on. */
const OWN_REASONS: ReadonlySet<string> = new Set([
  'end_turn',
  'max_tokens',
  'stop_sequence',
  'tool_use',
  'pause_turn',
  'refusal',
  'model_context_window_exceeded',
])

export function stopOf(
  answer: Pick<ChatAnswer, 'finishReason' | 'stopSequence' | 'refusal'> & { readonly toolCalls: { readonly length: number } },
): { readonly stop_reason: string; readonly stop_sequence: string | null } {
  const reason = answer.finishReason ?? 'stop'
  const told = OWN_REASONS.has(reason) ? reason : (STOP_REASONS[reason] ?? 'end_turn')
  if (told !== 'end_turn') return { stop_reason: told, stop_sequence: null }
  if (answer.toolCalls.length > 0) return { stop_reason: 'tool_use', stop_sequence: null }
  if (answer.refusal !== '') return { stop_reason: 'refusal', stop_sequence: null }
  if (answer.stopSequence !== undefined) return { stop_reason: 'stop_sequence', stop_sequence: answer.stopSequence }
  return { stop_reason: 'end_turn', stop_sequence: null }
}

function fullUsage(usage: ChatAnswer['usage']): Record<string, unknown> {
  return { ...messagesUsage(usage), cache_creation: null, inference_geo: null, service_tier: null, speed: null }
}

/** Arguments that the output limit cut off are no object: the client is told by `max_tokens` that the call is not whole. */
function inputOf(text: string, cutOff: boolean): unknown {
  if (text.trim() === '') return {}
  try {
    const input: unknown = JSON.parse(text)
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input
  } catch {
    // told below
  }
  if (cutOff) return {}
  throw upstreamInvalid('the arguments of a tool call are no JSON object')
}
