import { type ModelEndpoint, SwitchyardError } from '@switchyard/contract'
import type { RelayOptions } from '../relay-options.ts'
import type { NormalisedUsage } from '../usage/normalise.ts'
import { ChatEvents } from './chat-events.ts'
import { MediaEvents } from './media-events.ts'
import { MessagesEvents } from './messages-events.ts'
import { ResponsesEvents } from './responses-events.ts'

/** What one event means for the stream: hand it on, keep it back, or hand it on as the last. */
export type Verdict = 'pass' | 'hide' | 'done'

/** Reads a stream's events as they pass, and remembers what its ending needs. */
export interface StreamEvents {
  /** Something that the model said has come: from here on the call cannot be repeated. */
  readonly contentSeen: boolean
  /** Bytes of what the model said, to estimate by where no usage is told. */
  readonly outputBytes: number
  /** Bytes of what was said after the last count of it. */
  readonly uncountedBytes: number
  readonly usage: NormalisedUsage | undefined
  /** As the reply says it, in the provider's words. */
  readonly serviceTier: string | undefined
  /** In the dialect's own words. */
  readonly finishReason: string | undefined
  /** The answer is whole by its finish reason, for upstreams that send no terminator. */
  readonly allFinished: boolean
  /** Throws SwitchyardError for an error event, and for what is no event of the dialect. */
  read(text: string): Verdict
}

const WITHOUT_STREAMS: ReadonlySet<ModelEndpoint> = new Set(['embeddings', 'rerank', 'moderations'])

/** Whether an endpoint's replies can come as events: ask before anything is sent. */
export function hasStreams(endpoint: ModelEndpoint): boolean {
  return !WITHOUT_STREAMS.has(endpoint)
}

/** The reader of the endpoint's dialect. Throws `UNSUPPORTED` for an endpoint that has no streams. */
export function streamEvents(options: RelayOptions): StreamEvents {
  const { endpoint } = options.request
  switch (endpoint) {
    case 'chat/completions':
    case 'completions':
      return new ChatEvents(options)
    case 'messages':
      return new MessagesEvents(options)
    case 'responses':
      return new ResponsesEvents(options)
    case 'images/generations':
    case 'audio/speech':
    case 'audio/transcriptions':
      return new MediaEvents(options)
    default:
      throw new SwitchyardError('UNSUPPORTED', `${options.plugin}: ${endpoint} has no streams`, { plugin: options.plugin })
  }
}
