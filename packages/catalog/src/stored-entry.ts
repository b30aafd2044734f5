import type { ModelEndpoint } from '@switchyard/contract'
import type { Limits, Modality, PriceRow, Provenance, Route } from './entry.ts'
import { CAPABILITIES, type Capabilities, type Capability, type Entry, type EntryKind, type Lifecycle } from './entry.ts'
import { NATIVE } from './identity/providers.ts'

/** An entry as it is written down: what is absent takes the default that `completeEntry` gives it. */
export interface StoredEntry {
  readonly provider: string
  readonly model: string
  readonly name?: string
  readonly aliases?: readonly string[]
  readonly moving?: true
  readonly baseModel?: string
  readonly kind?: EntryKind
  readonly route?: Route
  readonly limits?: Limits
  readonly modalities?: { readonly input: readonly Modality[]; readonly output: readonly Modality[] }
  readonly caps?: Readonly<Partial<Record<Capability, boolean>>>
  readonly prices?: readonly StoredPrice[]
  readonly free?: true
  readonly lifecycle?: Lifecycle
  readonly provenance?: Partial<Provenance>
}

/** A price row as it is written down: standard, everywhere, by the token, unless it says otherwise. */
export type StoredPrice = Partial<PriceRow>

const NONE: readonly never[] = Object.freeze([])
const NO_PRICES = Object.freeze({})
const NO_CAPS: NonNullable<StoredEntry['caps']> = Object.freeze({})
const NO_LIMITS: Limits = Object.freeze({})
const UNKNOWN: Lifecycle = Object.freeze({ status: 'unknown' })
const TEXT: readonly Modality[] = Object.freeze(['text'] as const)
const NO_MODALITIES = Object.freeze({ input: NONE, output: NONE })
const TEXT_ONLY = Object.freeze({ input: TEXT, output: TEXT })

const ENDPOINTS: Readonly<Record<EntryKind, readonly ModelEndpoint[]>> = {
  chat: ['chat/completions'],
  responses: ['responses'],
  completion: ['completions'],
  embedding: ['embeddings'],
  image: ['images/generations'],
  image_edit: NONE,
  transcription: ['audio/transcriptions'],
  speech: ['audio/speech'],
  rerank: ['rerank'],
  moderation: ['moderations'],
  video: NONE,
  realtime: NONE,
  ocr: NONE,
  search: NONE,
}

/** Providers whose chat models also speak another dialect of their own. */
const CHAT_DIALECTS: Readonly<Record<string, readonly ModelEndpoint[]>> = {
  openai: ['chat/completions', 'responses'],
  'azure-openai': ['chat/completions', 'responses'],
  anthropic: ['chat/completions', 'messages'],
}

/** Makes the parts that many entries share one object: a seed of 11,000 entries has some hundred different sets of flags. */
export interface Completer {
  complete(stored: StoredEntry): Entry
}

/**
 * Fills stored entries up to whole ones. `routes` holds the way to each provider that is not Portkey's own; `asOf` is the date of an
 * entry that names none.
 */
export function completer(options: { readonly asOf: string; readonly routes?: Readonly<Record<string, Route>> }): Completer {
  const caps = new Map<string, Capabilities>()
  const modalities = new Map<string, Entry['modalities']>()
  const routes = new Map<string, Route>()

  // A file's decoder hands the same object to many entries: looking that up is cheaper than spelling a key out of it.
  const seen = new WeakMap<object, unknown>()
  const once = <T extends object, R>(given: T, make: (given: T) => R): R => {
    const before = seen.get(given) as R | undefined
    if (before !== undefined) return before
    const made = make(given)
    seen.set(given, made)
    return made
  }
  const capsOf = (stored: NonNullable<StoredEntry['caps']>): Capabilities => {
    const key = CAPABILITIES.map((name) => stored[name] ?? '-').join()
    let found = caps.get(key)
    if (found === undefined) {
      const made: Partial<Record<Capability, boolean | null>> = {}
      for (const name of CAPABILITIES) made[name] = stored[name] ?? null
      found = Object.freeze(made) as Capabilities
      caps.set(key, found)
    }
    return found
  }
  const modalitiesOf = (stored: NonNullable<StoredEntry['modalities']>): Entry['modalities'] => {
    const key = `${stored.input.join()}>${stored.output.join()}`
    let found = modalities.get(key)
    if (found === undefined) {
      found = Object.freeze({ input: Object.freeze([...stored.input]), output: Object.freeze([...stored.output]) })
      modalities.set(key, found)
    }
    return found
  }
  const routeOf = (stored: StoredEntry): Route => {
    if (stored.route !== undefined) return stored.route
    let found = routes.get(stored.provider)
    if (found === undefined) {
      const native: Route = { via: 'portkey', slug: stored.provider }
      found = Object.freeze(NATIVE.has(stored.provider) ? native : (options.routes?.[stored.provider] ?? { via: 'unknown' }))
      routes.set(stored.provider, found)
    }
    return found
  }

  return {
    complete(stored) {
      const { provider, model, kind = 'chat', name, prices = NONE, provenance } = stored
      const textual = kind === 'chat' || kind === 'completion'
      const entry: { -readonly [K in keyof Entry]: Entry[K] } = {
        id: `${provider}/${model}`,
        provider,
        model,
        aliases: stored.aliases ?? NONE,
        moving: stored.moving ?? false,
        baseModel: stored.baseModel ?? model.toLowerCase(),
        kind,
        endpoints: (kind === 'chat' ? CHAT_DIALECTS[provider] : undefined) ?? ENDPOINTS[kind],
        route: routeOf(stored),
        limits: stored.limits ?? NO_LIMITS,
        modalities:
          stored.modalities === undefined ? (textual ? TEXT_ONLY : NO_MODALITIES) : once(stored.modalities, modalitiesOf),
        caps: once(stored.caps ?? NO_CAPS, capsOf),
        prices: prices.length === 0 ? NONE : prices.map(completePrice),
        free: stored.free ?? false,
        lifecycle: stored.lifecycle ?? UNKNOWN,
        provenance: {
          asOf: provenance?.asOf ?? options.asOf,
          sources: provenance?.sources ?? NONE,
          confidence: provenance?.confidence ?? (prices.length === 0 ? 'none' : 'single'),
          conflicts: provenance?.conflicts ?? NONE,
          inherited: provenance?.inherited ?? NONE,
        },
      }
      if (name !== undefined) entry.name = name
      return Object.freeze(entry)
    },
  }
}

/** Fills a stored price row: tier standard, region `*`, no prices. */
export function completePrice(stored: StoredPrice): PriceRow {
  return { tier: 'standard', region: '*', perToken: NO_PRICES, perUnit: NO_PRICES, ...stored }
}

/** The opposite of `completePrice`. */
export function storePrice({ tier, region, perToken, perUnit, ...rest }: PriceRow): StoredPrice {
  return {
    ...(tier === 'standard' ? {} : { tier }),
    ...(region === '*' ? {} : { region }),
    ...rest,
    ...(Object.keys(perToken).length === 0 ? {} : { perToken }),
    ...(Object.keys(perUnit).length === 0 ? {} : { perUnit }),
  }
}
