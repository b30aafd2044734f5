import { type ChatAnswer, readChatReply } from '../chat/chat-answer.ts'
import type { Json } from '../dialect/fields.ts'
import type { ReplyOptions } from '../dialect/options.ts'
import { responsesUsage } from '../dialect/usage-words.ts'
import {
  callItem,
  type ItemStatus,
  messageItem,
  outputText,
  reasoningItem,
  reasoningPart,
  refusalPart,
} from './output-items.ts'

/**
 * A whole reply of `chat/completions` as one of `responses`. Throws `UPSTREAM_INVALID` for what is no such reply.
 * @param request The `responses` request, parts of which its response repeats.
 */
export function chatReplyToResponses(reply: Json, request: Json, options: ReplyOptions): Record<string, unknown> {
  const answer = readChatReply(reply, options.usage)
  const ending = endingOf(answer.finishReason)
  const status = ending.status
  const output: unknown[] = []
  const id = (prefix: string): string => itemId(prefix, answer.id, output.length)
  if (answer.reasoning !== '') output.push(reasoningItem(id('rs'), status, [reasoningPart(answer.reasoning)]))
  const parts = [
    ...(answer.text === '' ? [] : [outputText(answer.text)]),
    ...(answer.refusal === '' ? [] : [refusalPart(answer.refusal)]),
  ]
  if (parts.length > 0) output.push(messageItem(id('msg'), status, parts))
  for (const call of answer.toolCalls) output.push(callItem(id('fc'), status, call))
  return { ...responseOf(answer, request, options), ...ending, output, usage: responsesUsage(answer.usage) }
}

export function itemId(prefix: string, chatId: string, index: number): string {
  return `${prefix}_${chatId}_${index}`
}

export interface ResponseEnding {
  readonly status: Exclude<ItemStatus, 'in_progress'>
  readonly incomplete_details: { readonly reason: string } | null
}

export function endingOf(finishReason: string | undefined): ResponseEnding {
  if (finishReason === 'length') return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
  if (finishReason === 'content_filter') return { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }
  return { status: 'completed', incomplete_details: null }
}

/** What a response repeats of its request where that says nothing. */
const DEFAULTS: Json = {
  background: false,
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  service_tier: null,
  store: false,
  temperature: null,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_p: null,
  truncation: 'disabled',
  user: null,
}

/** A response that has begun. */
export function responseOf(
  head: Pick<ChatAnswer, 'id' | 'model' | 'created'>,
  request: Json,
  { created }: ReplyOptions,
): Record<string, unknown> {
  const response: Record<string, unknown> = {
    id: head.id.startsWith('resp_') ? head.id : `resp_${head.id}`,
    object: 'response',
    created_at: head.created ?? created,
    model: head.model,
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    output: [],
    usage: null,
  }
  for (const name in DEFAULTS) response[name] = request[name] ?? DEFAULTS[name]
  return response
}
