/** Headers in which providers state how many requests, and tokens, may still be sent now; OpenAI's names, then Anthropic's. */
const REQUESTS = ['x-ratelimit-remaining-requests', 'anthropic-ratelimit-requests-remaining'] as const
const TOKENS = ['x-ratelimit-remaining-tokens', 'anthropic-ratelimit-tokens-remaining'] as const

/**
 * How many more calls of `inputTokens` a target has room for by its own headers, whole and >= 0; undefined where it does not say.
 * Names are in lower case.
 */
export function statedRoom(headers: unknown, inputTokens: unknown): number | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined
  const requests = first(headers as Readonly<Record<string, unknown>>, REQUESTS)
  const tokens = first(headers as Readonly<Record<string, unknown>>, TOKENS)
  const byTokens =
    tokens !== undefined && typeof inputTokens === 'number' && inputTokens > 0 ? Math.floor(tokens / inputTokens) : undefined
  if (requests === undefined || byTokens === undefined) return requests ?? byTokens
  return Math.min(requests, byTokens)
}

function first(headers: Readonly<Record<string, unknown>>, names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = headers[name]
    if (typeof value !== 'string' || value.trim() === '') continue
    const number = Number(value)
    if (Number.isFinite(number) && number >= 0) return Math.floor(number)
  }
  return undefined
}
