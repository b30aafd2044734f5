import type { ModelEnding, ModelRequest } from '@switchyard/contract'
import { estimateUsage, tokensOfBytes } from './estimate.ts'
import type { NormalisedUsage } from './normalise.ts'

/** What an ending books: the counts that were reported, and an estimate, marked as one, of those that were not. */
export function bookedUsage(
  reported: NormalisedUsage | undefined,
  request: ModelRequest,
  outputBytes: number,
): Pick<ModelEnding, 'usage' | 'usageSource' | 'unreconciled'> {
  if (reported === undefined) return { usage: estimateUsage(request, outputBytes), usageSource: 'estimated' }
  const { usage, inputOnly, unreconciled } = reported
  if (inputOnly && outputBytes > 0)
    return { usage: { ...usage, outputTokens: tokensOfBytes(outputBytes) }, usageSource: 'estimated' }
  return { usage, usageSource: 'reported', ...(unreconciled && { unreconciled }) }
}
