import { type ModelEnding, type ModelReply, SwitchyardError } from '@switchyard/contract'
import { inBandError, throwErrorReason } from '../openai-error.ts'
import { type RelayOptions, replyHeaders } from '../relay-options.ts'
import { bookedUsage } from '../usage/booked.ts'
import { normaliseUsage } from '../usage/normalise.ts'

type Json = Readonly<Record<string, unknown>>

/** Which member proves a success, by endpoint; endpoints without a row are handed on unread. */
const PROOF: Readonly<Record<string, 'choices' | 'data'>> = {
  'chat/completions': 'choices',
  completions: 'choices',
  embeddings: 'data',
}

/**
 * A whole reply with a 2xx status. Throws for a success that is none: an error object, a page for people, JSON that does not parse or
 * lacks what its endpoint promises. The bytes are handed on as they came.
 */
export function relayWhole(
  upstream: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
  body: Uint8Array,
  options: RelayOptions,
): ModelReply {
  const proof = PROOF[options.request.endpoint]
  const ending: ModelEnding =
    proof === undefined
      ? { outcome: 'complete', usage: { inputTokens: 0, outputTokens: 0 }, usageSource: 'none' }
      : endingOf(successOf(body, proof, options), body.byteLength, options)
  return { status: upstream.status, headers: replyHeaders(upstream.headers), body, ended: Promise.resolve(ending) }
}

function successOf(body: Uint8Array, proof: 'choices' | 'data', { plugin, secrets }: RelayOptions): Json {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    throw invalid(plugin, 'the upstream answered 200 with something that is not JSON')
  }
  const reply = (typeof parsed === 'object' && parsed !== null ? parsed : {}) as Json
  if (reply.error !== undefined && reply.error !== null) throw inBandError(reply.error, plugin, secrets)
  if (reply['html-message'] !== undefined) throw invalid(plugin, 'the upstream answered 200 with text or HTML')
  if (!Array.isArray(reply[proof])) throw invalid(plugin, `the upstream answered 200 without "${proof}"`)
  return reply
}

function endingOf(reply: Json, bytes: number, options: RelayOptions): ModelEnding {
  const choices = Array.isArray(reply.choices) ? (reply.choices as (Json | null)[]) : []
  for (const choice of choices)
    if (typeof choice?.finish_reason === 'string') throwErrorReason(choice.finish_reason, options.plugin, options.secrets)
  const message = choices[0]?.message as { tool_calls?: unknown } | null | undefined
  const reason = choices[0]?.finish_reason
  const called = Array.isArray(message?.tool_calls) && message.tool_calls.length > 0
  const outputBytes = options.request.endpoint === 'embeddings' ? 0 : bytes
  return {
    outcome: 'complete',
    ...bookedUsage(normaliseUsage(reply.usage, options.dialect), options.request, outputBytes),
    ...(typeof reason === 'string' && { finishReason: called && reason === 'stop' ? 'tool_calls' : reason }),
  }
}

function invalid(plugin: string, what: string): SwitchyardError {
  return new SwitchyardError('UPSTREAM_INVALID', `${plugin}: ${what}`, { plugin })
}
