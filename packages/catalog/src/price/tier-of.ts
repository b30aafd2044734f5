import type { Tier } from '../entry.ts'

const WORDS: ReadonlyMap<string, Tier> = new Map([
  ['default', 'standard'],
  ['standard', 'standard'],
  ['standard_only', 'standard'],
  ['on_demand', 'standard'],
  ['batch', 'batch'],
  ['flex', 'flex'],
  ['priority', 'priority'],
  ['fast', 'fast'],
])

/**
 * The tier that a provider's word for it stands for, as replies and requests have it in `service_tier` and `speed`. Undefined for `auto`
 * and for words that are not known: then what the request asked for counts, else `standard`.
 */
export function tierOf(word: string | undefined): Tier | undefined {
  return word === undefined ? undefined : WORDS.get(word)
}
