import type { ModelEnding, ModelEndpoint, ModelReply } from '@switchyard/contract'
import { isObject } from '../dialect/lenient.ts'
import { type RelayOptions, replyHeaders } from '../relay-options.ts'
import { bookedUsage } from '../usage/booked.ts'
import { normaliseUsage } from '../usage/normalise.ts'
import { routeOf } from '../usage/route-of.ts'
import { tierWord } from '../usage/service-tier.ts'
import { askedUnits } from '../usage/units.ts'
import { withUnits } from '../usage/with-units.ts'
import { finishReasonOf, successOf } from './success.ts'

type Json = Readonly<Record<string, unknown>>

/** Endpoints whose usage can be estimated from bytes, and whether what comes back counts. */
const ESTIMATED: Readonly<Partial<Record<ModelEndpoint, boolean>>> = {
  'chat/completions': true,
  completions: true,
  responses: true,
  messages: true,
  embeddings: false,
}

const NO_USAGE = Object.freeze({ usage: Object.freeze({ inputTokens: 0, outputTokens: 0 }), usageSource: 'none' as const })

/**
 * A whole reply with a 2xx status. Throws for a success that is none: an error object, a page for people, JSON that does not parse or
 * lacks what its endpoint promises. The bytes are handed on as they came, be they JSON, text or sound.
 */
export function relayWhole(
  upstream: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
  body: Uint8Array,
  options: RelayOptions,
): ModelReply {
  const reply = successOf(body, upstream.headers['content-type'] ?? '', options)
  const ending = endingOf(reply ?? {}, body.byteLength, options)
  return { status: upstream.status, headers: replyHeaders(upstream.headers), body, ended: Promise.resolve(ending) }
}

function endingOf(reply: Json, bytes: number, options: RelayOptions): ModelEnding {
  const finishReason = finishReasonOf(reply, options)
  const serviceTier = (isObject(reply.usage) ? tierWord(reply.usage) : undefined) ?? tierWord(reply)
  return {
    outcome: 'complete',
    ...usageOf(reply, bytes, options),
    ...(serviceTier !== undefined && { serviceTier }),
    ...(finishReason !== undefined && { finishReason }),
  }
}

function usageOf(
  reply: Json,
  bytes: number,
  options: RelayOptions,
): Pick<ModelEnding, 'usage' | 'usageSource' | 'unreconciled'> {
  const { request } = options
  const reported = withUnits(normaliseUsage(countsOf(reply), routeOf(options)), reply, request)
  const outputCounts = ESTIMATED[request.endpoint]
  if (reported === undefined && outputCounts === undefined) {
    const units = askedUnits(request)
    return units === undefined ? NO_USAGE : { usage: { inputTokens: 0, outputTokens: 0, units }, usageSource: 'estimated' }
  }
  return bookedUsage(reported, request, { bytes: outputCounts === true ? bytes : 0, uncounted: 0, whole: true })
}

/** Where the counts are. Rerankers put them into `meta`, or tell a total only, all of which went in. */
function countsOf(reply: Json): unknown {
  const counts = reply.usage ?? (isObject(reply.meta) ? reply.meta.tokens : undefined)
  if (!isObject(counts) || counts.prompt_tokens !== undefined || counts.input_tokens !== undefined) return counts
  return counts.total_tokens === undefined ? counts : { ...counts, prompt_tokens: counts.total_tokens }
}
