import { type ModelEndpoint, type ModelReply, type ModelRequest, SwitchyardError } from '@switchyard/contract'
import { finishReasonOf, messagesReplyToChat } from './chat/reply-from-messages.ts'
import { chatToMessages } from './chat/request-to-messages.ts'
import { messagesStreamToChat } from './chat/stream-from-messages.ts'
import type { Json } from './dialect/fields.ts'
import type { ReplyOptions, TranslateOptions } from './dialect/options.ts'
import type { StreamTranslator } from './dialect/stream-translator.ts'
import { type ReplyTranslation, translateReply } from './dialect/translate-reply.ts'
import { chatReplyToMessages, stopOf } from './messages/reply-from-chat.ts'
import { messagesToChat } from './messages/request-to-chat.ts'
import { chatStreamToMessages } from './messages/stream-from-chat.ts'
import { chatReplyToResponses, endingOf } from './responses/reply-from-chat.ts'
import { responsesToChat } from './responses/request-to-chat.ts'
import { chatStreamToResponses } from './responses/stream-from-chat.ts'

export interface TranslationOptions extends TranslateOptions, ReplyOptions {}

/** A request in the target's dialect, and the way back. */
export interface Translation {
  readonly request: ModelRequest
  /** The target's reply in the client's dialect. @see translateReply */
  readonly reply: (reply: ModelReply) => ModelReply
}

/** By the client's endpoint, those that a target may speak instead, the better first. */
const ROUTES: Partial<Readonly<Record<ModelEndpoint, readonly ModelEndpoint[]>>> = {
  'chat/completions': ['messages'],
  messages: ['chat/completions'],
  responses: ['chat/completions', 'messages'],
}

/** The endpoints that a request for `from` can be translated for, the better first; empty where there is none. */
export function translatableTo(from: ModelEndpoint): readonly ModelEndpoint[] {
  return ROUTES[from] ?? []
}

/**
 * Translates a request for a target that speaks `to`. Throws `UNSUPPORTED` naming the field in `details.param` that cannot be carried,
 * or the endpoints where there is no such translation, and `INVALID_REQUEST`.
 */
export function translation(request: ModelRequest, to: ModelEndpoint, options: TranslationOptions): Translation {
  const made = bodyAndReply(request, to, options)
  if (made === undefined) {
    const what = `a request for ${request.endpoint} cannot be translated for a target that speaks ${to}`
    throw new SwitchyardError('UNSUPPORTED', what, { details: { from: request.endpoint, to } })
  }
  const { model, stream, headers } = request
  return {
    request: { endpoint: to, model, stream, body: made.body, ...(headers !== undefined && { headers }) },
    reply: (reply) => translateReply(reply, made),
  }
}

interface Made extends ReplyTranslation {
  readonly body: Json
}

function bodyAndReply({ endpoint, body }: ModelRequest, to: ModelEndpoint, options: TranslationOptions): Made | undefined {
  if (!translatableTo(endpoint).includes(to)) return undefined
  if (endpoint === 'messages') {
    return {
      body: messagesToChat(body, options),
      whole: (reply) => chatReplyToMessages(reply, options.usage),
      stream: () => chatStreamToMessages(options.usage),
      reason: stopReason,
    }
  }
  if (endpoint === 'chat/completions') {
    const wanted = body.stream_options as { include_usage?: unknown } | null | undefined
    return {
      body: chatToMessages(body, options),
      whole: (reply) => messagesReplyToChat(reply, options),
      stream: () => messagesStreamToChat({ ...options, includeUsage: wanted?.include_usage === true }),
      reason: finishReasonOf,
    }
  }
  const chat = responsesToChat(body, options)
  if (to === 'chat/completions') {
    return {
      body: chat,
      whole: (reply) => chatReplyToResponses(reply, body, options),
      stream: () => chatStreamToResponses(body, options),
      reason: responseReason,
    }
  }
  // Between the two, usage is told by chat's rule.
  const asChat: ReplyOptions = { created: options.created }
  return {
    body: chatToMessages(chat, options),
    whole: (reply) => chatReplyToResponses(messagesReplyToChat(reply, options), body, asChat),
    stream: () => chained(messagesStreamToChat({ ...options, includeUsage: true }), chatStreamToResponses(body, asChat)),
    reason: (reason) => responseReason(finishReasonOf(reason)),
  }
}

function stopReason(finishReason: string): string {
  return stopOf({ finishReason, toolCalls: [], refusal: '', stopSequence: undefined }).stop_reason
}

function responseReason(finishReason: string): string {
  const { status, incomplete_details } = endingOf(finishReason)
  return incomplete_details?.reason ?? status
}

function chained(first: StreamTranslator, second: StreamTranslator): StreamTranslator {
  return {
    push(chunk) {
      try {
        first.push(chunk)
      } finally {
        second.push(first.take())
      }
    },
    end() {
      first.end()
      second.push(first.take())
      second.end()
    },
    take: () => second.take(),
  }
}
