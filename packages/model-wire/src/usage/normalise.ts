import type { Usage } from '@switchyard/contract'

/** By which rule a provider's counts become totals. `openai` is every provider without a row of its own. */
export type UsageRoute = 'openai' | 'anthropic' | 'vertex-claude' | 'bedrock' | 'gemini' | 'cohere'

export interface NormalisedUsage {
  readonly usage: Usage
  /** The provider counted no output: its `outputTokens` of 0 means that nothing was said, as for embeddings. */
  readonly inputOnly?: true
  /** The provider's numbers fit no rule; its total was booked as it stands. */
  readonly unreconciled?: true
}

type Raw = Readonly<Record<string, unknown>>

const COUNTS = [
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'prompt_tokens_details',
  'completion_tokens_details',
  'input_tokens_details',
  'output_tokens_details',
] as const

/** Counts that a stream tells piece by piece: by field, the later wins. Fields that nobody reads are left out, so it cannot grow. */
export function mergeCounts(earlier: Raw | undefined, later: Raw): Raw {
  const merged: Record<string, unknown> = { ...earlier }
  for (const name of COUNTS) if (later[name] !== undefined && later[name] !== null) merged[name] = later[name]
  return merged
}

/** Routes whose `prompt_tokens` leave the cache out. */
const CACHE_OUTSIDE: ReadonlySet<UsageRoute> = new Set(['anthropic', 'vertex-claude'])

/**
 * Token counts of any dialect as totals: cached tokens are part of the input, reasoning tokens part of the output. Undefined where the
 * counts are missing, negative or all zero, which some providers send for "unknown".
 *
 * Providers differ in what `prompt_tokens` holds; the total tells: what it has beyond prompt and completion is either the cache's or
 * the reasoning's, and where both fit, or there is no total, the route decides. A part larger than its whole was left out of it.
 */
export function normaliseUsage(raw: unknown, route: UsageRoute = 'openai'): NormalisedUsage | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined
  const counts = countsOf(raw as Raw)
  if (counts === undefined) return undefined
  const totals = totalsOf(counts, route)
  const { input, output } = totals
  if (input + output === 0) return undefined
  const fits = counts.read + totals.write <= input && counts.reasoning <= output
  const reconciled = totals.reconciled && fits
  return {
    usage: usageOf(counts, totals),
    ...(counts.completion === undefined && output === 0 && { inputOnly: true }),
    ...(!reconciled && { unreconciled: true }),
  }
}

interface Counts {
  /** A native dialect's: OpenAI's `responses`, Anthropic's `messages`. */
  readonly native: boolean
  /** The cache is told in Anthropic's fields. */
  readonly namesCache: boolean
  readonly prompt: number
  readonly completion: number | undefined
  readonly total: number | undefined
  readonly read: number
  readonly write: number
  readonly reasoning: number
  readonly audioIn: number
  readonly audioOut: number
}

function countsOf(fields: Raw): Counts | undefined {
  const native = fields.input_tokens !== undefined && fields.prompt_tokens === undefined
  const prompt = count(native ? fields.input_tokens : fields.prompt_tokens)
  if (prompt === undefined) return undefined
  const inputDetails = record(fields.prompt_tokens_details) ?? record(fields.input_tokens_details) ?? {}
  const outputDetails = record(fields.completion_tokens_details) ?? record(fields.output_tokens_details) ?? {}
  return {
    native,
    namesCache: fields.cache_read_input_tokens !== undefined || fields.cache_creation_input_tokens !== undefined,
    prompt,
    completion: count(native ? fields.output_tokens : fields.completion_tokens),
    total: count(fields.total_tokens),
    read: count(fields.cache_read_input_tokens) ?? count(inputDetails.cached_tokens) ?? 0,
    write: count(fields.cache_creation_input_tokens) ?? count(inputDetails.cache_write_tokens) ?? 0,
    reasoning: count(outputDetails.reasoning_tokens) ?? count(outputDetails.thinking_tokens) ?? 0,
    audioIn: count(inputDetails.audio_tokens) ?? 0,
    audioOut: count(outputDetails.audio_tokens) ?? 0,
  }
}

interface Totals {
  readonly input: number
  readonly output: number
  readonly write: number
  readonly reconciled: boolean
}

function totalsOf(counts: Counts, route: UsageRoute): Totals {
  const { prompt, completion = 0, total, read, write, reasoning } = counts
  const cached = read + write
  if (total === undefined) {
    const cacheOutside = CACHE_OUTSIDE.has(route) || (counts.native && counts.namesCache) || cached > prompt
    const reasoningOutside = route === 'gemini' || reasoning > completion
    return {
      input: prompt + (cacheOutside ? cached : 0),
      output: completion + (reasoningOutside ? reasoning : 0),
      write,
      reconciled: true,
    }
  }
  const extra = total - prompt - completion
  if (extra === 0) return { input: prompt, output: completion, write, reconciled: true }
  const asCache = extra === cached
  const asReasoning = extra === reasoning
  if (asCache && !(asReasoning && route === 'gemini'))
    return { input: prompt + cached, output: completion, write, reconciled: true }
  if (asReasoning) return { input: prompt, output: completion + reasoning, write, reconciled: true }
  // Strict replies of Claude at Vertex name no write: it is what the total has beyond.
  if (route === 'vertex-claude' && write === 0 && extra > read)
    return { input: prompt + extra, output: completion, write: extra - read, reconciled: true }
  return { input: prompt + Math.max(0, extra), output: completion, write, reconciled: false }
}

/** No part is larger than its whole, whatever was sent: prices are reckoned from both. */
function usageOf(counts: Counts, { input, output, write: written }: Totals): Usage {
  const read = Math.min(counts.read, input)
  const write = Math.min(written, input - read)
  const reasoning = Math.min(counts.reasoning, output)
  const audioIn = Math.min(counts.audioIn, input)
  const audioOut = Math.min(counts.audioOut, output)
  return {
    inputTokens: input,
    outputTokens: output,
    ...(read > 0 && { cacheReadTokens: read }),
    ...(write > 0 && { cacheWriteTokens: write }),
    ...(reasoning > 0 && { reasoningTokens: reasoning }),
    ...(audioIn > 0 && { audioInputTokens: audioIn }),
    ...(audioOut > 0 && { audioOutputTokens: audioOut }),
  }
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function record(value: unknown): Raw | undefined {
  return typeof value === 'object' && value !== null ? (value as Raw) : undefined
}
