import type { ModelEnding, ModelRequest } from '@switchyard/contract'
import { estimateUsage, tokensOfBytes } from './estimate.ts'
import type { NormalisedUsage } from './normalise.ts'

/** What an answer has said. */
export interface Said {
  readonly bytes: number
  /** Of these, those that came after the last count. */
  readonly uncounted: number
  /** Its end was proved. A count is final only then. */
  readonly whole: boolean
}

/**
 * What an ending books: the counts that were reported, and an estimate, marked as one, of those that were not. What came after the last
 * count of an answer that was broken off is estimated on top of it.
 */
export function bookedUsage(
  reported: NormalisedUsage | undefined,
  request: ModelRequest,
  said: Said,
): Pick<ModelEnding, 'usage' | 'usageSource' | 'unreconciled'> {
  if (reported === undefined) return { usage: estimateUsage(request, said.bytes), usageSource: 'estimated' }
  const { usage, inputOnly, unreconciled } = reported
  const brokenOff = !said.whole && said.uncounted > 0
  // Some count nothing before the end, and say 0 until then.
  if (brokenOff && usage.inputTokens === 0) return { usage: estimateUsage(request, said.bytes), usageSource: 'estimated' }
  if (inputOnly && said.bytes > 0)
    return { usage: { ...usage, outputTokens: tokensOfBytes(said.bytes) }, usageSource: 'estimated' }
  if (brokenOff) {
    const outputTokens = usage.outputTokens + tokensOfBytes(said.uncounted)
    return { usage: { ...usage, outputTokens }, usageSource: 'estimated' }
  }
  const impossible = said.bytes > 0 && usage.inputTokens + usage.outputTokens === 0
  if (impossible && usage.units !== undefined)
    return { usage: { ...estimateUsage(request, said.bytes), units: usage.units }, usageSource: 'estimated' }
  // Something said of no input cannot be: a reported zero is booked as told all the same, and marked.
  return { usage, usageSource: 'reported', ...((unreconciled || impossible) && { unreconciled: true }) }
}
