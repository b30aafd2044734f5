import { type Capability, type Entry, type EntryKind, type Modality, statusAt } from './entry.ts'
import { basePrice } from './price/price.ts'

/** What an entry must meet, all of it; absent members ask for nothing. */
export interface CatalogQuery {
  /** Each must be known to be true. Streaming that no source speaks of counts as true for chat and responses. */
  readonly capabilities?: readonly Capability[]
  /** Modalities it must take in, or give out, all of them. */
  readonly modalities?: { readonly input?: readonly Modality[]; readonly output?: readonly Modality[] }
  readonly kinds?: readonly EntryKind[]
  /**
   * USD per million tokens at the standard tier: a number bounds input and output alike. An unpriced entry never meets it, a free one
   * always does.
   */
  readonly maxPrice?: number | { readonly input?: number; readonly output?: number }
  /** Tokens; an unknown context never meets it. */
  readonly minContext?: number
  /** Left out: entries whose id or prices tie them to other regions only. */
  readonly region?: string
  /** Provider slugs. */
  readonly providers?: readonly string[]
  /** ISO date or epoch ms: left out is what is deprecated or retired by then. */
  readonly notDeprecatedBefore?: string | number
}

const PICO_PER_USD_PER_MILLION = 1_000_000

/** A predicate made of a query once. @throws TypeError for a date that is none. */
export function matcher(query: CatalogQuery): (entry: Entry) => boolean {
  const { capabilities = [], modalities, kinds, minContext, region } = query
  const providers = query.providers === undefined ? undefined : new Set(query.providers)
  const bounds = typeof query.maxPrice === 'number' ? { input: query.maxPrice, output: query.maxPrice } : query.maxPrice
  const until = instantOf(query.notDeprecatedBefore)
  return (entry) => {
    if (providers !== undefined && !providers.has(entry.provider)) return false
    if (kinds !== undefined && !kinds.includes(entry.kind)) return false
    if (minContext !== undefined && !((entry.limits.context ?? 0) >= minContext)) return false
    if (!capabilities.every((name) => hasCapability(entry, name))) return false
    if (modalities?.input?.some((one) => !entry.modalities.input.includes(one)) === true) return false
    if (modalities?.output?.some((one) => !entry.modalities.output.includes(one)) === true) return false
    if (until !== undefined && isGone(entry, until)) return false
    if (region !== undefined && !serves(entry, region)) return false
    return bounds === undefined || isWithin(entry, bounds, region)
  }
}

/** Whether an entry is known to be capable; streaming is taken for granted where a chat model's sources are silent. */
export function hasCapability(entry: Entry, name: Capability): boolean {
  const known = entry.caps[name]
  if (known === null && name === 'streaming') return entry.kind === 'chat' || entry.kind === 'responses'
  return known === true
}

function instantOf(value: string | number | undefined): number | undefined {
  if (value === undefined) return undefined
  const instant = typeof value === 'number' ? value : Date.parse(value)
  if (!Number.isFinite(instant)) throw new TypeError(`notDeprecatedBefore: ${JSON.stringify(value)} is not a date`)
  return instant
}

function isGone(entry: Entry, at: number): boolean {
  const status = statusAt(entry, at)
  if (status === 'retired') return true
  // A deprecation with a date still to come is no reason before that date.
  return status === 'deprecated' && entry.lifecycle.deprecatesOn === undefined
}

const REGION_PREFIX = /^(us-gov|us|eu|apac|au|jp|ca|sa|global)\./

function serves(entry: Entry, region: string): boolean {
  const prefix = REGION_PREFIX.exec(entry.model)?.[1]
  if (prefix !== undefined && prefix !== 'global' && !(region === prefix || region.startsWith(`${prefix}-`))) return false
  return entry.prices.length === 0 || entry.prices.some((row) => row.region === '*' || row.region === region)
}

function isWithin(
  entry: Entry,
  bounds: { readonly input?: number; readonly output?: number },
  region: string | undefined,
): boolean {
  if (entry.free) return true
  const { input, output } = basePrice(entry, { region }) ?? {}
  if (input === undefined) return false
  if (bounds.input !== undefined && input > bounds.input * PICO_PER_USD_PER_MILLION) return false
  const outputOnly = entry.kind === 'embedding' || entry.kind === 'rerank'
  if (bounds.output === undefined || (output === undefined && outputOnly)) return true
  return output !== undefined && output <= bounds.output * PICO_PER_USD_PER_MILLION
}
