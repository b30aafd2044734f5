import type { Usage } from '@switchyard/contract'
import type { Json } from '../dialect/fields.ts'
import { isObject, textOf, upstreamInvalid } from '../dialect/lenient.ts'
import { inBandError } from '../openai-error.ts'
import { normaliseUsage, type UsageRoute } from '../usage/normalise.ts'

export interface ToolCall {
  readonly id: string
  readonly name: string
  /** JSON text. */
  readonly arguments: string
}

/** What a chat reply's first choice says, whatever its target's habits. */
export interface ChatAnswer {
  readonly id: string
  readonly model: string
  /** Epoch seconds. */
  readonly created: number | undefined
  readonly reasoning: string
  readonly text: string
  readonly refusal: string
  readonly toolCalls: readonly ToolCall[]
  readonly finishReason: string | undefined
  /** The stop sequence that was met, which some targets tell. */
  readonly stopSequence: string | undefined
  readonly usage: Usage | undefined
}

/** Reads a whole reply of `chat/completions` leniently. Throws `UPSTREAM_INVALID` for what is none, and its error where it holds one. */
export function readChatReply(reply: Json, route: UsageRoute | undefined): ChatAnswer {
  if (isObject(reply.error)) throw inBandError(reply.error, 'translation')
  const choice: unknown = Array.isArray(reply.choices) ? reply.choices[0] : undefined
  if (!isObject(choice) || !isObject(choice.message)) throw upstreamInvalid('it holds no choice with a message')
  const { message } = choice
  const calls: unknown[] = Array.isArray(message.tool_calls) ? message.tool_calls : []
  const id = textOf(reply.id)
  const { text, reasoning } = contentTexts(message.content)
  return {
    id,
    model: textOf(reply.model),
    created: typeof reply.created === 'number' ? reply.created : undefined,
    reasoning: reasoningOf(message) + reasoning,
    text,
    refusal: textOf(message.refusal),
    toolCalls: calls.map((call, index) => readCall(call, `call_${id}_${index}`)),
    finishReason: typeof choice.finish_reason === 'string' ? choice.finish_reason : undefined,
    stopSequence: typeof choice.stop_reason === 'string' ? choice.stop_reason : undefined,
    usage: normaliseUsage(reply.usage, route)?.usage,
  }
}

function readCall(call: unknown, ownId: string): ToolCall {
  const made = isObject(call) ? call.function : undefined
  if (!isObject(call) || !isObject(made) || textOf(made.name) === '') throw upstreamInvalid('a tool call names no function')
  return { id: textOf(call.id) || ownId, name: textOf(made.name), arguments: textOf(made.arguments) }
}

/** Reasoning beside the content, in either of the two names that targets give it. */
export function reasoningOf(message: Json): string {
  return textOf(message.reasoning_content) || textOf(message.reasoning)
}

/** Content is a text, or, at some targets, a list of parts. */
export function contentTexts(content: unknown): { readonly text: string; readonly reasoning: string } {
  if (!Array.isArray(content)) return { text: textOf(content), reasoning: '' }
  let text = ''
  let reasoning = ''
  for (const part of content as unknown[]) {
    if (!isObject(part)) continue
    if (part.type === 'thinking') reasoning += contentTexts(part.thinking).text
    else text += textOf(part.text)
  }
  return { text, reasoning }
}
