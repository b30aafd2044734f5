import { type Catalog, type Entry, price } from '@switchyard/catalog'

/** Expected cost in pico-USD at an instant (epoch ms); undefined for a model without a price. Exact up to 9,007 USD. */
export function expectedCost(
  entry: Entry,
  usage: { readonly inputTokens: number; readonly outputTokens: number },
  at: number,
): number | undefined {
  const cost = price(entry, usage, { at })
  return cost === null ? undefined : Number(cost.pico)
}

/** The model with the smallest window that has room for so many tokens, of these providers; the first by name among equals. */
export function nearestRoom(catalog: Catalog, providers: readonly string[], tokens: number): string | undefined {
  let best: Entry | undefined
  for (const entry of catalog.find({ providers, minContext: tokens, kinds: ['chat', 'responses'] })) {
    if (best === undefined || (entry.limits.context ?? 0) < (best.limits.context ?? 0)) best = entry
  }
  return best?.id
}
