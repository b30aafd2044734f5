import type { Call, ModelEnding, ModelEndpoint, Usage, WellKnownAttributes } from '@switchyard/contract'
import { estimateRequest, outputLimit, tokenFamily } from '@switchyard/model-wire'
import type { Quota } from './quota.ts'
import { modelRequestOf } from './subject.ts'

/** Tokens that a call is expected to take: whole numbers >= 0. */
export interface TokenNeed {
  readonly input: number
  readonly output: number
}

/** Endpoints whose output is text, of unknown length. */
const TEXTUAL: ReadonlySet<ModelEndpoint> = new Set(['chat/completions', 'completions', 'responses', 'messages'])

/** What a model call is expected to take, its output never above `expectedOutputTokens`; nothing for any other operation. */
export function tokenNeed(call: Call, expectedOutputTokens: number): TokenNeed {
  const request = modelRequestOf(call)
  if (request === undefined) return { input: 0, output: 0 }
  const { body, endpoint, model, raw } = request
  const { inputTokens } = call.attributes as WellKnownAttributes
  const input =
    typeof inputTokens === 'number'
      ? inputTokens
      : estimateRequest(body, endpoint, { family: tokenFamily(model), bytes: raw?.byteLength }).inputTokens
  const output = outputLimit(body, endpoint) ?? (TEXTUAL.has(endpoint) ? expectedOutputTokens : 0)
  return { input: whole(input), output: Math.min(whole(output), expectedOutputTokens) }
}

/** The call with what its input was estimated at, so that nobody further in estimates it again. */
export function withEstimate(call: Call, need: TokenNeed): Call {
  const known = (call.attributes as WellKnownAttributes).inputTokens
  if (known !== undefined || call.operation !== 'model.invoke') return call
  return { ...call, attributes: { ...call.attributes, inputTokens: need.input } }
}

/**
 * What a call reserves of a quota: 1 unless it counts tokens. Never above `limit` for the sake of an output that is only expected: such
 * a call needs the whole window, and one whose input alone passes the limit will be refused.
 */
export function amountOf({ tokens }: Pick<Quota, 'tokens'>, need: TokenNeed, limit: bigint): bigint {
  if (tokens === undefined) return 1n
  const input = tokens.of === 'output' ? 0n : BigInt(need.input)
  const total = tokens.of === 'input' ? input : input + BigInt(need.output)
  return total > limit && input <= limit ? limit : total
}

/** What a call that ended took of a quota of tokens, at least 0; undefined where nobody knows and the reservation stays. */
export function takenOf({ tokens }: Pick<Quota, 'tokens'>, ending: ModelEnding): bigint | undefined {
  const usage: Usage | undefined = ending.usage
  if (tokens === undefined || usage === undefined || ending.usageSource === 'none') return undefined
  const cached = tokens.cachedInput === 'free' ? whole(usage.cacheReadTokens) : 0
  const input = tokens.of === 'output' ? 0 : Math.max(0, whole(usage.inputTokens) - cached)
  return BigInt(input + (tokens.of === 'input' ? 0 : whole(usage.outputTokens)))
}

/** Above every real figure, and small enough that sums stay exact. */
const MOST_TOKENS = 2 ** 50

function whole(tokens: unknown): number {
  return typeof tokens === 'number' && tokens > 0 ? Math.min(Math.ceil(tokens), MOST_TOKENS) : 0
}
