import type { Entry } from '../src/entry.ts'
import { NATIVE } from '../src/identity/providers.ts'

/** How many entries there are, priced, fully described, and of the latter on providers of Portkey's own. */
export interface Tally {
  readonly entries: number
  readonly priced: number
  readonly full: number
  readonly fullNative: number
}

/** Counts as the README states them. */
export function tally(entries: readonly Entry[]): Tally {
  const full = entries.filter(isFull)
  return {
    entries: entries.length,
    priced: entries.filter(({ prices }) => prices.length > 0).length,
    full: full.length,
    fullNative: full.filter(({ provider }) => NATIVE.has(provider)).length,
  }
}

/** Input and output price (input alone for embeddings and rerankers), context, and the flags for reasoning and vision all known. */
export function isFull({ prices, kind, limits, caps }: Entry): boolean {
  const inputOnly = kind === 'embedding' || kind === 'rerank'
  const priced = prices.some(({ perToken }) => perToken.input !== undefined && (inputOnly || perToken.output !== undefined))
  return priced && limits.context !== undefined && caps.reasoning !== null && caps.vision !== null
}
