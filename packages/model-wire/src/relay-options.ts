import type { ModelRequest } from '@switchyard/contract'
import type { UsageRoute } from './usage/normalise.ts'

/** A reply's body as it comes; `destroy` closes the upstream. */
export interface UpstreamBody extends AsyncIterable<Uint8Array> {
  destroy(reason?: unknown): void
  /** Gives up a rest in which nothing more will come, and keeps the connection if it can be kept. Default: `destroy`. */
  drain?(): void
}

/** The same where it can also be had whole. */
export interface ReadableBody extends UpstreamBody {
  /** Rejects above `limit` bytes. */
  bytes(limit?: number): Promise<Uint8Array>
}

export interface Upstream {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: UpstreamBody
}

export interface RelayOptions {
  /** Plugin instance, for errors. */
  readonly plugin: string
  readonly request: ModelRequest
  /** By which rule usage becomes totals. Default `openai`. */
  readonly dialect?: UsageRoute | undefined
  /** Drop the usage-only event: we asked for it, the client did not. */
  readonly hideUsage?: boolean | undefined
  /** What proves that a stream is whole. `finish-reason` is for upstreams that never send `[DONE]`. Default `done`. */
  readonly terminator?: 'done' | 'finish-reason' | undefined
  readonly signal?: AbortSignal | undefined
  /** Credentials that were sent, left out of errors though the upstream repeats them. */
  readonly secrets?: readonly string[] | undefined
  /** Default 4 MiB. */
  readonly maxEventBytes?: number | undefined
}

const KEPT_BACK: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'trailer',
  'te',
  'proxy-authenticate',
  'content-length',
  'content-encoding',
])

/** The upstream's headers less those of its connection and of its body's encoding. */
export function replyHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name in headers) if (!KEPT_BACK.has(name)) kept[name] = headers[name] as string
  return kept
}
