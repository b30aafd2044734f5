import type { ModelRequest } from '@switchyard/contract'
import type { RawUsage } from './counts.ts'
import type { NormalisedUsage } from './normalise.ts'
import { joinUnits, replyUnits } from './units.ts'

/** Counts with what the reply itself shows in units; where nothing but these was counted, they are all there is. */
export function withUnits(
  reported: NormalisedUsage | undefined,
  reply: RawUsage,
  request: ModelRequest,
): NormalisedUsage | undefined {
  const tokens = reported !== undefined && reported.usage.inputTokens + reported.usage.outputTokens > 0
  const shown = replyUnits(reply, request, tokens)
  if (shown === undefined) return reported
  const { usage } = reported ?? { usage: { inputTokens: 0, outputTokens: 0 } }
  return { ...reported, usage: { ...usage, units: joinUnits(shown, usage.units) as Readonly<Record<string, number>> } }
}
