import type { ModelEndpoint } from '@switchyard/contract'
import { createSseFramer } from '../sse/framer.ts'
import { dataOf } from '../stream/event-data.ts'
import { chatAssembly } from './chat-whole.ts'
import { type Json, parseExact } from './exact-json.ts'
import { messagesAssembly } from './messages-whole.ts'
import { responsesAssembly } from './responses-whole.ts'

/** A reply that came as events, as its endpoint says it whole. */
export interface WholeReply {
  /** Unknown fields included. Whole numbers beyond a double's are raw JSON, which `JSON.stringify` writes as they came. */
  readonly body: Json
  /** Lengths of the pieces that its text came in, in UTF-16 code units: of the first choice where there are several. */
  readonly pieces: readonly number[]
}

/** Puts the events of one stream together. */
export interface Assembly {
  readonly pieces: readonly number[]
  /** Takes an event that needs no parsing, since it differs from an earlier one in its text alone. */
  knows?(text: string): boolean
  /** Takes an event, parsed and as it came. False: nothing will become of the stream. */
  add(event: Json, text: string): boolean
  /** Undefined where it has not come to its end. */
  whole(): Json | undefined
}

/**
 * Puts a stream together. Undefined for one that has not come to its end, that tells of an error, or whose endpoint has no such streams.
 * @param chunks Bytes of the events, split anywhere.
 */
export function wholeOfStream(endpoint: ModelEndpoint, chunks: Iterable<Uint8Array>): WholeReply | undefined {
  const assembly = assemblyOf(endpoint)
  if (assembly === undefined) return undefined
  const framer = createSseFramer()
  try {
    for (const chunk of chunks) {
      const frames = framer.push(chunk)
      if (frames === undefined) continue
      const bytes = Buffer.from(frames.bytes.buffer, frames.bytes.byteOffset, frames.bytes.byteLength)
      let start = 0
      for (const end of frames.ends) {
        if (!take(assembly, bytes.toString('utf8', start, end))) return undefined
        start = end
      }
    }
  } catch {
    // No events, or one above the limit of events.
    return undefined
  }
  const body = assembly.whole()
  return body === undefined ? undefined : { body, pieces: assembly.pieces }
}

function assemblyOf(endpoint: ModelEndpoint): Assembly | undefined {
  switch (endpoint) {
    case 'chat/completions':
      return chatAssembly(true)
    case 'completions':
      return chatAssembly(false)
    case 'messages':
      return messagesAssembly()
    case 'responses':
      return responsesAssembly()
    default:
      return undefined
  }
}

function take(assembly: Assembly, text: string): boolean {
  if (assembly.knows?.(text) === true) return true
  const data = dataOf(text, 'replay', undefined)
  if (data === undefined || data === '' || data === '[DONE]') return true
  const event = parseExact(data)
  return event !== undefined && assembly.add(event, text)
}
