import type { Usage } from '@switchyard/contract'

/** Tokens of each kind, none counted twice. */
export interface TokenParts {
  readonly input: number
  readonly cacheRead: number
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
  readonly audioIn: number
  readonly imageIn: number
  readonly output: number
  readonly reasoning: number
  readonly audioOut: number
  readonly imageOut: number
}

/**
 * Takes a usage apart. Parts that exceed their total are kept and the plain rest is 0: what was counted is billed.
 * @throws TypeError for a count that is not a safe whole number from 0, or more one-hour writes than writes.
 */
export function tokenParts(usage: Usage): TokenParts {
  const total = count(usage.inputTokens, 'inputTokens')
  const out = count(usage.outputTokens, 'outputTokens')
  const cacheRead = count(usage.cacheReadTokens, 'cacheReadTokens')
  const writes = count(usage.cacheWriteTokens, 'cacheWriteTokens')
  const cacheWrite1h = count(usage.cacheWrite1hTokens, 'cacheWrite1hTokens')
  const audioIn = count(usage.audioInputTokens, 'audioInputTokens')
  const imageIn = count(usage.imageInputTokens, 'imageInputTokens')
  const reasoning = count(usage.reasoningTokens, 'reasoningTokens')
  const audioOut = count(usage.audioOutputTokens, 'audioOutputTokens')
  const imageOut = count(usage.imageOutputTokens, 'imageOutputTokens')
  if (cacheWrite1h > writes) throw new TypeError(`cacheWrite1hTokens (${cacheWrite1h}) exceed cacheWriteTokens (${writes})`)
  return {
    input: Math.max(0, total - cacheRead - writes - audioIn - imageIn),
    cacheRead,
    cacheWrite5m: writes - cacheWrite1h,
    cacheWrite1h,
    audioIn,
    imageIn,
    output: Math.max(0, out - reasoning - audioOut - imageOut),
    reasoning,
    audioOut,
    imageOut,
  }
}

function count(value: number | undefined, name: string): number {
  if (value === undefined) return 0
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`${name} must be a whole number from 0, not ${value}`)
  return value
}
