import type { Usage } from '@switchyard/contract'
import type { Json } from '../dialect/fields.ts'
import { isObject, textOf, upstreamInvalid } from '../dialect/lenient.ts'
import type { ReplyOptions } from '../dialect/options.ts'
import { chatUsage } from '../dialect/usage-words.ts'
import { inBandError } from '../openai-error.ts'
import { normaliseUsage } from '../usage/normalise.ts'

/**
 * A whole reply of `messages` as one of `chat/completions`. Throws `UPSTREAM_INVALID` for what is no such reply. Thinking is
 * `reasoning_content`, and, with its signature, `thinking_blocks`: a client that hands the message back keeps it.
 */
export function messagesReplyToChat(reply: Json, options: ReplyOptions): Record<string, unknown> {
  if (isObject(reply.error)) throw inBandError(reply.error, 'translation')
  if (!Array.isArray(reply.content)) throw upstreamInvalid('it holds no content')
  let text = ''
  let reasoning = ''
  const thinking: Json[] = []
  const calls: unknown[] = []
  for (const block of reply.content as unknown[]) {
    if (!isObject(block)) throw upstreamInvalid('a content block is no object')
    if (block.type === 'text') text += textOf(block.text)
    else if (block.type === 'thinking' || block.type === 'redacted_thinking') {
      reasoning += textOf(block.thinking)
      thinking.push(block)
    } else if (block.type === 'tool_use') calls.push(callOf(block))
    else throw upstreamInvalid(`it holds a block of type ${JSON.stringify(textOf(block.type))}`)
  }
  const usage = normaliseUsage(reply.usage, options.usage ?? 'anthropic')?.usage
  return {
    id: textOf(reply.id),
    object: 'chat.completion',
    created: options.created,
    model: textOf(reply.model),
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text === '' && calls.length > 0 ? null : text,
          refusal: null,
          ...(reasoning !== '' && { reasoning_content: reasoning }),
          ...(thinking.length > 0 && { thinking_blocks: thinking }),
          ...(calls.length > 0 && { tool_calls: calls }),
        },
        logprobs: null,
        finish_reason: finishReasonOf(textOf(reply.stop_reason)),
        ...stopSequenceOf(reply.stop_sequence),
      },
    ],
    ...usageOf(usage),
  }
}

/** The stop sequence that was met, by the name that chat targets which tell it use. */
export function stopSequenceOf(sequence: unknown): { readonly stop_reason?: string } {
  return typeof sequence === 'string' ? { stop_reason: sequence } : {}
}

function usageOf(usage: Usage | undefined): { readonly usage?: unknown } {
  return usage === undefined ? {} : { usage: chatUsage(usage) }
}

function callOf(block: Json): unknown {
  const made = { name: textOf(block.name), arguments: JSON.stringify(block.input ?? {}) }
  return { id: textOf(block.id), type: 'function', function: made }
}

const FINISH_REASONS: Readonly<Record<string, string>> = {
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
}

export function finishReasonOf(stopReason: string): string {
  return FINISH_REASONS[stopReason] ?? 'stop'
}
