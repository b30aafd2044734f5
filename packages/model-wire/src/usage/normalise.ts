import type { Usage } from '@switchyard/contract'

/** By which rule a provider's counts become totals. `openai` is every provider without a row of its own. */
export type UsageRoute = 'openai' | 'anthropic' | 'vertex-claude' | 'bedrock' | 'gemini' | 'cohere'

export interface NormalisedUsage {
  readonly usage: Usage
  /** The provider's total fits no rule; the total was booked as it stands. */
  readonly unreconciled?: true
}

type Raw = Readonly<Record<string, unknown>>

/**
 * Token counts of any dialect as totals: cached tokens are part of the input, reasoning tokens part of the output. Undefined where the
 * counts are missing or negative, which some providers send for "unknown".
 *
 * Providers differ in what `prompt_tokens` holds; the total tells: what it has beyond prompt and completion is either the cache's or
 * the reasoning's, and where both fit, the route decides.
 */
export function normaliseUsage(raw: unknown, route: UsageRoute = 'openai'): NormalisedUsage | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined
  const fields = raw as Raw
  const native = fields.input_tokens !== undefined && fields.prompt_tokens === undefined
  const prompt = count(native ? fields.input_tokens : fields.prompt_tokens)
  if (prompt === undefined) return undefined
  const completion = count(native ? fields.output_tokens : fields.completion_tokens) ?? 0
  const inputDetails = record(fields.prompt_tokens_details) ?? record(fields.input_tokens_details) ?? {}
  const outputDetails = record(fields.completion_tokens_details) ?? record(fields.output_tokens_details) ?? {}
  const read = count(fields.cache_read_input_tokens) ?? count(inputDetails.cached_tokens) ?? 0
  const write = count(fields.cache_creation_input_tokens) ?? 0
  const reasoning = count(outputDetails.reasoning_tokens) ?? 0
  const total = count(fields.total_tokens)
  const extra = total === undefined ? undefined : total - prompt - completion
  const parts = {
    read,
    write,
    reasoning,
    audioIn: count(inputDetails.audio_tokens) ?? 0,
    audioOut: count(outputDetails.audio_tokens) ?? 0,
  }

  if (native && extra === undefined) {
    // Anthropic's own dialect leaves the cache out; `responses` names it in the details and has it inside.
    const outside = fields.cache_read_input_tokens !== undefined || fields.cache_creation_input_tokens !== undefined
    return { usage: usageOf(prompt + (outside ? read + write : 0), completion, parts) }
  }
  if (extra === undefined || extra === 0) return { usage: usageOf(prompt, completion, parts) }
  const cached = read + write
  const asCache = extra === cached && cached > 0
  const asReasoning = extra === reasoning && reasoning > 0
  if (asCache && !(asReasoning && route === 'gemini')) return { usage: usageOf(prompt + cached, completion, parts) }
  if (asReasoning) return { usage: usageOf(prompt, completion + reasoning, parts) }
  if (route === 'vertex-claude' && extra > read)
    return { usage: usageOf(prompt + extra, completion, { ...parts, write: extra - read }) }
  if (extra < 0) return { usage: usageOf(prompt, completion, parts), unreconciled: true }
  return { usage: usageOf(prompt + extra, completion, parts), unreconciled: true }
}

interface Parts {
  readonly read: number
  readonly write: number
  readonly reasoning: number
  readonly audioIn: number
  readonly audioOut: number
}

function usageOf(inputTokens: number, outputTokens: number, parts: Parts): Usage {
  return {
    inputTokens,
    outputTokens,
    ...(parts.read > 0 && { cacheReadTokens: parts.read }),
    ...(parts.write > 0 && { cacheWriteTokens: parts.write }),
    ...(parts.reasoning > 0 && { reasoningTokens: parts.reasoning }),
    ...(parts.audioIn > 0 && { audioInputTokens: parts.audioIn }),
    ...(parts.audioOut > 0 && { audioOutputTokens: parts.audioOut }),
  }
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function record(value: unknown): Raw | undefined {
  return typeof value === 'object' && value !== null ? (value as Raw) : undefined
}
