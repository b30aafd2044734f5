import type { ModelEndpoint } from '@switchyard/contract'
import { createSseDecoder } from '../sse/decoder.ts'
import { wholeOfChat } from './chat-whole.ts'
import { type Json, parseExact } from './exact-json.ts'
import { wholeOfMessages } from './messages-whole.ts'
import { wholeOfResponses } from './responses-whole.ts'

/** A reply that came as events, as its endpoint says it whole. */
export interface WholeReply {
  /** Unknown fields included. Whole numbers beyond a double's are raw JSON, which `JSON.stringify` writes as they came. */
  readonly body: Json
  /** Lengths of the pieces that its text came in, in UTF-16 code units: of the first choice where there are several. */
  readonly pieces: readonly number[]
}

/**
 * Puts a stream together. Undefined for one that has not come to its end, that tells of an error, or whose endpoint has no such streams.
 * @param chunks Bytes of the events, split anywhere.
 */
export function wholeOfStream(endpoint: ModelEndpoint, chunks: Iterable<Uint8Array>): WholeReply | undefined {
  const pieces: number[] = []
  const events = eventsIn(chunks)
  const body = events === undefined ? undefined : assembled(endpoint, events, pieces)
  return body === undefined ? undefined : { body, pieces }
}

function assembled(endpoint: ModelEndpoint, events: readonly Json[], pieces: number[]): Json | undefined {
  switch (endpoint) {
    case 'chat/completions':
      return wholeOfChat(events, true, pieces)
    case 'completions':
      return wholeOfChat(events, false, pieces)
    case 'messages':
      return wholeOfMessages(events, pieces)
    case 'responses':
      return wholeOfResponses(events, pieces)
    default:
      return undefined
  }
}

function eventsIn(chunks: Iterable<Uint8Array>): Json[] | undefined {
  const decoder = createSseDecoder()
  const events: Json[] = []
  try {
    for (const chunk of chunks)
      for (const { data } of decoder.push(chunk)) {
        if (data === '[DONE]' || data === '') continue
        const event = parseExact(data)
        if (event === undefined) return undefined
        events.push(event)
      }
  } catch {
    // An event above the limit of events.
    return undefined
  }
  return events
}
