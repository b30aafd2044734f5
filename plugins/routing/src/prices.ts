import { basePrice, type Catalog, type Entry, price } from '@switchyard/catalog'
import type { TurnPrices } from './session/regret.ts'

/** Expected cost in pico-USD at an instant (epoch ms); undefined for a model without a price. Exact up to 9,007 USD. */
export function expectedCost(
  entry: Entry,
  usage: { readonly inputTokens: number; readonly outputTokens: number },
  at: number,
): number | undefined {
  const cost = price(entry, usage, { at })
  return cost === null ? undefined : Number(cost.pico)
}

/** Expected cost with a part of the prompt read from the cache. In pico-USD; undefined for a model without a price. */
export function warmCost(
  entry: Entry,
  usage: { readonly inputTokens: number; readonly outputTokens: number; readonly cacheReadTokens: number },
  at: number,
): number | undefined {
  const cost = price(entry, usage, { at })
  return cost === null ? undefined : Number(cost.pico)
}

/** What a turn of a session costs a token at a model, in pico-USD; undefined where that is not known. */
export function turnPrices(entry: Entry | undefined, at: number): TurnPrices | undefined {
  if (entry === undefined) return undefined
  if (entry.free) return { input: 0, output: 0, read: 0, write: 0 }
  const prices = basePrice(entry, { at })
  if (prices?.input === undefined || prices.output === undefined) return undefined
  const { input, output, cacheRead = input, cacheWrite5m = input } = prices
  return { input, output, read: cacheRead, write: cacheWrite5m }
}

/** The model with the smallest window that has room for so many tokens, of these providers; the first by name among equals. */
export function nearestRoom(catalog: Catalog, providers: readonly string[], tokens: number): string | undefined {
  let best: Entry | undefined
  for (const entry of catalog.find({ providers, minContext: tokens, kinds: ['chat', 'responses'] })) {
    if (best === undefined || (entry.limits.context ?? 0) < (best.limits.context ?? 0)) best = entry
  }
  return best?.id
}
