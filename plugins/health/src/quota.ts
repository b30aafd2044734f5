import { retryAfterMs } from '@switchyard/egress'

/** What is left of the quota that is nearest to its end. */
export interface Quota {
  /** Share of it that is left, in [0, 1]. */
  readonly left: number
  /** As the headers name it: `tokens`. */
  readonly of: string
  /** Milliseconds until it is whole again; undefined where the headers do not say. */
  readonly resetMs: number | undefined
}

interface Names {
  readonly of: string
  readonly remaining: string
  readonly limit: string
  readonly reset: string
}

const openAi = (of: string): Names => ({
  of,
  remaining: `x-ratelimit-remaining-${of}`,
  limit: `x-ratelimit-limit-${of}`,
  reset: `x-ratelimit-reset-${of}`,
})

const anthropic = (of: string): Names => ({
  of,
  remaining: `anthropic-ratelimit-${of}-remaining`,
  limit: `anthropic-ratelimit-${of}-limit`,
  reset: `anthropic-ratelimit-${of}-reset`,
})

/** Spellings, the first that a reply has deciding for the others: those of OpenAI, Azure and Groq; Anthropic's; plain ones. */
const FAMILIES: readonly (readonly Names[])[] = [
  [openAi('requests'), openAi('tokens')],
  [anthropic('requests'), anthropic('tokens'), anthropic('input-tokens'), anthropic('output-tokens')],
  [{ of: 'requests', remaining: 'x-ratelimit-remaining', limit: 'x-ratelimit-limit', reset: 'x-ratelimit-reset' }],
]

/**
 * The least that is left of any quota that a reply's headers state (names in lower case); undefined where they state none that can
 * be read. A reset may be seconds, an instant or a duration (`6m0s`); it is read against the reply's own `date`.
 */
export function leastQuota(headers: Readonly<Record<string, string>>, now: number, capMs: number): Quota | undefined {
  let least: Names | undefined
  let left = Number.POSITIVE_INFINITY
  for (const family of FAMILIES) {
    for (const names of family) {
      const remaining = headers[names.remaining]
      if (remaining === undefined) continue
      const share = shareOf(remaining, headers[names.limit])
      if (share >= left) continue
      left = share
      least = names
    }
    if (least !== undefined) break
  }
  if (least === undefined) return undefined
  return { left, of: least.of, resetMs: left > LOOKED_AT ? undefined : resetOf(headers, least.reset, now, capMs) }
}

/** Reading the reset costs more than the rest, and nobody asks for it while much is left. */
const LOOKED_AT = 0.5

/** Infinity for what cannot be read; 1 where something is left of a limit that is not stated. */
function shareOf(remaining: string, limit: string | undefined): number {
  const left = remaining === '' ? Number.NaN : Number(remaining)
  if (!(left >= 0)) return Number.POSITIVE_INFINITY
  if (left === 0) return 0
  const whole = Number(limit)
  return whole > 0 ? Math.min(1, left / whole) : 1
}

function resetOf(headers: Readonly<Record<string, string>>, name: string, now: number, capMs: number): number | undefined {
  const reset = headers[name]
  return reset === undefined ? undefined : retryAfterMs({ 'retry-after': reset, date: headers.date }, now, capMs)
}
