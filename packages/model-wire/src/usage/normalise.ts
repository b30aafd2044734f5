import type { Usage } from '@switchyard/contract'
import { type Counts, countsOf, type RawUsage } from './counts.ts'
import { tierWord } from './service-tier.ts'
import { usageUnits } from './units.ts'

/** By which rule a provider's counts become totals. `openai` is every provider without a row of its own. */
export type UsageRoute = 'openai' | 'anthropic' | 'vertex-claude' | 'bedrock' | 'gemini' | 'xai' | 'cohere'

export interface NormalisedUsage {
  readonly usage: Usage
  /** The provider counted no output: its `outputTokens` of 0 means that nothing was said, as for embeddings. */
  readonly inputOnly?: true
  /** The provider's numbers fit no rule; its total was booked as it stands. */
  readonly unreconciled?: true
  /** The service tier that the counts name, in the provider's words. */
  readonly serviceTier?: string
}

/** Routes whose `prompt_tokens` leave the cache out. */
const CACHE_OUTSIDE: ReadonlySet<UsageRoute> = new Set(['anthropic', 'vertex-claude'])
/** Routes whose `completion_tokens` leave the reasoning out. */
const REASONING_OUTSIDE: ReadonlySet<UsageRoute> = new Set(['gemini', 'xai'])

/**
 * Counts of any dialect as totals: cached, audio and image tokens are parts of the input, reasoning, audio and image tokens parts of
 * the output, and no token is in two parts. Undefined where nothing was counted; a reported zero is a count.
 *
 * Providers differ in what `prompt_tokens` holds; the total tells: what it has beyond prompt and completion is either the cache's or
 * the reasoning's, and where both fit, or there is no total, the route decides. A part larger than its whole was left out of it.
 */
export function normaliseUsage(raw: unknown, route: UsageRoute = 'openai'): NormalisedUsage | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined
  const fields = raw as RawUsage
  const counts = countsOf(fields)
  const units = usageUnits(fields)
  if (counts === undefined) return units && { usage: { inputTokens: 0, outputTokens: 0, units } }
  const totals = totalsOf(counts, route)
  const { input, output, reasoning } = totals
  const fits = counts.read + totals.write <= input && reasoning <= output
  const serviceTier = tierWord(fields)
  return {
    usage: usageOf(counts, totals, units),
    ...(counts.completion === undefined && output === 0 && { inputOnly: true }),
    ...(!(totals.reconciled && fits) && { unreconciled: true }),
    ...(serviceTier !== undefined && { serviceTier }),
  }
}

interface Totals {
  readonly input: number
  readonly output: number
  readonly write: number
  readonly reasoning: number
  readonly reconciled: boolean
}

function totalsOf(counts: Counts, route: UsageRoute): Totals {
  const { prompt, completion = 0, total, read, write, reasoning } = counts
  const cached = read + write
  const outside = REASONING_OUTSIDE.has(route)
  const rest = { write, reasoning, reconciled: true }
  if (total === undefined) {
    const cacheOutside = CACHE_OUTSIDE.has(route) || (counts.native && counts.namesCache) || cached > prompt
    const reasoningOutside = outside || reasoning > completion
    const input = prompt + (cacheOutside ? cached : 0)
    return { ...rest, input, output: completion + (reasoningOutside ? reasoning : 0) }
  }
  const extra = total - prompt - completion
  if (extra === 0) return { ...rest, input: prompt, output: completion }
  const asCache = extra === cached
  const asReasoning = extra === reasoning
  if (asCache && !(asReasoning && outside)) return { ...rest, input: prompt + cached, output: completion }
  if (asReasoning) return { ...rest, input: prompt, output: completion + reasoning }
  // Strict replies of Claude at Vertex name no write: it is what the total has beyond.
  if (route === 'vertex-claude' && write === 0 && extra > read)
    return { ...rest, input: prompt + extra, output: completion, write: extra - read }
  if (outside && extra > 0) {
    // Gemini's OpenAI dialect counts thoughts into the total and names them nowhere.
    const unnamed = reasoning === 0
    return { ...rest, input: prompt, output: completion + extra, reasoning: unnamed ? extra : reasoning, reconciled: unnamed }
  }
  return { ...rest, input: prompt + Math.max(0, extra), output: completion, reconciled: false }
}

/**
 * No part is larger than its whole, and parts together are not, whatever was sent: prices are reckoned from both. Where parts overlap
 * and nobody says by how much, a token that was cached counts as cached, and one that was reasoned as that.
 */
function usageOf(counts: Counts, { input, output, write: written, reasoning: reasoned }: Totals, units: Usage['units']): Usage {
  const read = Math.min(counts.read, input)
  const write = Math.min(written, input - read)
  const hour = Math.min(counts.writeHour, write)
  const audioIn = Math.min(counts.audioIn, input - read - write)
  const imageIn = Math.min(counts.imageIn, input - read - write - audioIn)
  const reasoning = Math.min(reasoned, output)
  const audioOut = Math.min(counts.audioOut, output - reasoning)
  const imageOut = Math.min(counts.imageOut, output - reasoning - audioOut)
  return {
    inputTokens: input,
    outputTokens: output,
    ...(read > 0 && { cacheReadTokens: read }),
    ...(write > 0 && { cacheWriteTokens: write }),
    ...(hour > 0 && { cacheWrite1hTokens: hour }),
    ...(reasoning > 0 && { reasoningTokens: reasoning }),
    ...(audioIn > 0 && { audioInputTokens: audioIn }),
    ...(audioOut > 0 && { audioOutputTokens: audioOut }),
    ...(imageIn > 0 && { imageInputTokens: imageIn }),
    ...(imageOut > 0 && { imageOutputTokens: imageOut }),
    ...(units !== undefined && { units }),
  }
}
