import type { Ending, Lasting } from '../call.ts'
import { definePort, type Port } from '../port.ts'
import type { CallOptions } from '../runtime.ts'

/** Every wire dialect route, named as OpenAI and Anthropic name them. A later minor may add some. */
export const MODEL_ENDPOINTS: readonly [
  'chat/completions',
  'completions',
  'responses',
  'messages',
  'embeddings',
  'rerank',
  'moderations',
  'images/generations',
  'audio/speech',
  'audio/transcriptions',
] = Object.freeze([
  'chat/completions',
  'completions',
  'responses',
  'messages',
  'embeddings',
  'rerank',
  'moderations',
  'images/generations',
  'audio/speech',
  'audio/transcriptions',
] as const)

export type ModelEndpoint = (typeof MODEL_ENDPOINTS)[number]

export interface ModelRequest {
  readonly endpoint: ModelEndpoint
  /** Catalog id, `provider/model`. It wins over the `model` inside `body`. */
  readonly model: string
  /** As the client sent it, unknown fields included. */
  readonly body: Readonly<Record<string, unknown>>
  /** The bytes `body` was parsed from; absent once a policy changed the body. */
  readonly raw?: Uint8Array
  readonly stream: boolean
  /** The client's headers, names in lower case, for providers that honour some of them. May hold secrets: never log them. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface ModelReply extends Lasting {
  /** 2xx: anything else rejects `invoke`. */
  readonly status: number
  /** Lower-case names. Hop-by-hop headers, content-length and content-encoding are not among them. */
  readonly headers: Readonly<Record<string, string>>
  /**
   * A whole body, or server-sent events as they come: each chunk holds whole events. `invoke` resolves a stream when its first
   * content event was seen, so a fault before it rejects `invoke` and may be retried. Iteration rejects with SwitchyardError when the
   * stream breaks (`UPSTREAM_TRUNCATED` if it ends without its terminator). Breaking off iteration aborts the upstream.
   */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
  /** Settles once, at the last byte, in every ending. Never rejects. */
  readonly ended: Promise<ModelEnding>
}

export interface ModelEnding extends Ending {
  readonly usage: Usage
  /** `reported` by the upstream, `estimated` by us, or `none` where neither could be had. */
  readonly usageSource: 'reported' | 'estimated' | 'none'
  /** The upstream's counts do not add up to its total: the total was booked. */
  readonly unreconciled?: true
  /** The service tier that the reply says it was served at, in the provider's words, such as `priority`: it decides the price. */
  readonly serviceTier?: string
  readonly finishReason?: string
}

/**
 * Tokens, whole numbers >= 0. `inputTokens` and `outputTokens` are totals: cached, reasoning, audio and image tokens are parts of
 * them, in every dialect, and no token is in two parts of one total: a cached token of sound counts as cached.
 */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens?: number
  /** All writes, the one-hour ones included. */
  readonly cacheWriteTokens?: number
  /** Part of `cacheWriteTokens`: written to be kept an hour, at a price of its own. */
  readonly cacheWrite1hTokens?: number
  readonly reasoningTokens?: number
  readonly audioInputTokens?: number
  readonly audioOutputTokens?: number
  readonly imageInputTokens?: number
  readonly imageOutputTokens?: number
  /** What is not counted in tokens, by the catalog's names of units, such as `image:hd/1024x1024`. Seconds may be fractions. */
  readonly units?: Readonly<Record<string, number>>
}

export interface ModelCard {
  /** `provider/model`. */
  readonly id: string
  readonly ownedBy: string
  /** Epoch seconds, as OpenAI's `created`. */
  readonly createdAt?: number
}

export interface ModelProvider {
  readonly capabilities: {
    readonly endpoints: readonly ModelEndpoint[]
    readonly streaming: boolean
    /** `any`, or ids and `provider/*` patterns. */
    readonly models: 'any' | readonly string[]
    /** `models()` works. */
    readonly listing: boolean
    /** Our leaving stops the upstream's work, not just our socket. */
    readonly cancels: boolean
    /** Request headers (lower case) by which a client picks the upstream itself: a request with one of them may name any model. */
    readonly selectors?: readonly string[]
    /** Request headers (lower case) that it hands on as they are, so that a reply may depend on what they say. */
    readonly forwards?: readonly string[]
    /** `probe` costs nothing at the provider, so that it may be called without being asked for. */
    readonly freeProbe?: boolean
  }
  /**
   * Rejects: `UNSUPPORTED` for an undeclared endpoint or stream, before a byte leaves; `NOT_FOUND` for a model it does not serve;
   * `UPSTREAM_*`, `RATE_LIMITED`, `TIMEOUT`, `ABORTED`.
   */
  invoke(request: ModelRequest, options: CallOptions & { readonly deadline?: number | undefined }): Promise<ModelReply>
  /** Models that can be named now. Undeclared (`listing: false`) rejects `UNSUPPORTED`. */
  models(options?: CallOptions): Promise<readonly ModelCard[]>
  /** The cheapest call that proves the target alive; rejects as `invoke` does. */
  probe(target: { readonly model?: string }, options?: CallOptions): Promise<void>
}

export const model: Port<ModelProvider> = definePort<ModelProvider>('model', 1)
