import type { ModelEndpoint } from '@switchyard/contract'
import { streamOfChat } from './chat-stream.ts'
import type { Json } from './exact-json.ts'
import { streamOfMessages } from './messages-stream.ts'
import { cutter } from './pieces.ts'
import { streamOfResponses } from './responses-stream.ts'

export interface StreamOfWholeOptions {
  /** Tell the usage of `chat/completions` and `completions` in an event of its own, as `stream_options.include_usage` asks. Default false. */
  readonly includeUsage?: boolean | undefined
  /** Lengths of the pieces of text, in UTF-16 code units. Default: what `pieceLength` makes. */
  readonly pieces?: readonly number[] | undefined
  /** Length of the pieces beyond those. Default: one piece. */
  readonly pieceLength?: number | undefined
}

/**
 * A whole reply as the events of its stream, each as it goes on the wire; put together again they are equal to it. Undefined for what is
 * no reply of the endpoint, and for an endpoint that has no such streams.
 */
export function streamOfWhole(
  endpoint: ModelEndpoint,
  body: Json,
  { includeUsage = false, pieces, pieceLength }: StreamOfWholeOptions = {},
): readonly string[] | undefined {
  const cut = cutter(pieces, pieceLength)
  switch (endpoint) {
    case 'chat/completions':
      return plain(streamOfChat(body, true, includeUsage, cut))
    case 'completions':
      return plain(streamOfChat(body, false, includeUsage, cut))
    case 'messages':
      return streamOfMessages(body, cut)?.map(named)
    case 'responses':
      return streamOfResponses(body, cut)?.map(named)
    default:
      return undefined
  }
}

function plain(events: readonly Json[] | undefined): readonly string[] | undefined {
  if (events === undefined) return undefined
  return [...events.map((event) => `data: ${JSON.stringify(event)}\n\n`), 'data: [DONE]\n\n']
}

function named(event: Json): string {
  return `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`
}
