import type { ModelReply, SwitchyardError } from '@switchyard/contract'
import type { ReadableBody, RelayOptions, Upstream } from './relay-options.ts'
import { relayStream } from './stream/relay-stream.ts'
import { relayWhole } from './whole/relay-whole.ts'

/** An upstream's reply whose body can be had whole or in chunks. */
export interface UpstreamReply extends Upstream {
  readonly body: ReadableBody
}

/** What a reply with a status other than 2xx means. `body` holds its first 64 KiB at most. */
export type ErrorOf = (reply: {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}) => SwitchyardError

const MAX_ERROR_BYTES = 65_536
const NOTHING = new Uint8Array(0)
/** Endpoints whose streams tell their usage only where they are asked to. */
const TELLS_ON_REQUEST: ReadonlySet<string> = new Set(['chat/completions', 'completions'])

/** Relays a success, streamed or whole as the request asked; rejects with `errorOf` for anything but a 2xx. */
export async function relayReply(upstream: UpstreamReply, options: RelayOptions, errorOf: ErrorOf): Promise<ModelReply> {
  const { status, headers, body } = upstream
  if (status < 200 || status > 299) {
    throw errorOf({ status, headers, body: await body.bytes(MAX_ERROR_BYTES).catch(() => NOTHING) })
  }
  if (options.request.stream) return relayStream(upstream, options)
  return relayWhole(upstream, await body.bytes(), options)
}

/** Top-level changes that make a stream of chat or completions report its usage, and whether the event that does so must be hidden from the client. */
export function usageChanges(request: RelayOptions['request']): { readonly stream_options: unknown } | undefined {
  if (!request.stream || !TELLS_ON_REQUEST.has(request.endpoint)) return undefined
  const given = request.body.stream_options ?? {}
  // What is no object is the client's mistake, for the upstream to tell.
  if (typeof given !== 'object' || (given as { include_usage?: unknown }).include_usage === true) return undefined
  return { stream_options: { ...given, include_usage: true } }
}
