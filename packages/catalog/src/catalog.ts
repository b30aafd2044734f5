import { SwitchyardError } from '@switchyard/contract'
import { digestOf } from './digest.ts'
import type { Entry } from './entry.ts'
import { canonicalProvider } from './identity/providers.ts'
import { neighbours } from './nearest.ts'
import { type Cost, type PriceOptions, price } from './price/price.ts'
import type { PricedUsage } from './price/usage.ts'
import { type CatalogQuery, matcher } from './query.ts'

/** All entries under one version: immutable, indexed by name and provider. */
export interface Catalog {
  /** Hash of the normalised content: equal content, equal version. Every record of a cost carries it. */
  readonly version: string
  readonly size: number
  /** In order of id. */
  readonly entries: readonly Entry[]
  /** Slugs of providers with an entry, sorted. */
  readonly providers: readonly string[]
  /** By the exact id `provider/model`. */
  get(id: string): Entry | undefined
  /** Exact, then case-folded, then by alias (other spellings of the provider included). Never a merely similar name. */
  lookup(name: string): Entry | undefined
  /** As `lookup`. @throws SwitchyardError `NOT_FOUND` for an unknown name; message and `details.nearest` give the three most alike. */
  resolve(name: string): Entry
  /** Entries that meet all of the query, in order of id. @throws TypeError for a date that is none. */
  find(query?: CatalogQuery): readonly Entry[]
  /** Entries of the same weights at all providers. */
  sameModel(baseModel: string): readonly Entry[]
  /** `price` with this catalog's version written into the cost. */
  price(entry: Entry, usage: PricedUsage, options?: PriceOptions): Cost | null
}

/**
 * Indexes entries. Of two with the same id the later one wins.
 * @param options.version Version that the content is known to have; otherwise it is computed when first asked for.
 */
export function createCatalog(all: readonly Entry[], options: { readonly version?: string } = {}): Catalog {
  const byId = new Map<string, Entry>()
  for (const entry of all) byId.set(entry.id, entry)
  const entries = Object.freeze([...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1)))
  const byFolded = new Map<string, Entry>()
  const byAlias = new Map<string, Entry>()
  const byProvider = new Map<string, Entry[]>()
  for (const entry of entries) {
    const folded = entry.id.toLowerCase()
    if (!byFolded.has(folded)) byFolded.set(folded, entry)
    for (const alias of entry.aliases) {
      const name = `${entry.provider}/${alias}`.toLowerCase()
      if (!byAlias.has(name)) byAlias.set(name, entry)
    }
    const siblings = byProvider.get(entry.provider)
    if (siblings === undefined) byProvider.set(entry.provider, [entry])
    else siblings.push(entry)
  }
  const providers = Object.freeze([...byProvider.keys()].sort())
  const alike = neighbours(entries.map(({ id }) => id))
  let byBase: Map<string, Entry[]> | undefined
  let version = options.version

  const lookup = (name: string): Entry | undefined => {
    const exact = byId.get(name)
    if (exact !== undefined) return exact
    const folded = name.toLowerCase()
    const found = byFolded.get(folded) ?? byAlias.get(folded)
    if (found !== undefined) return found
    const slash = folded.indexOf('/')
    if (slash === -1) return undefined
    const canonical = canonicalProvider(folded.slice(0, slash)) + folded.slice(slash)
    return byFolded.get(canonical) ?? byAlias.get(canonical)
  }

  const catalog: Catalog = {
    get version() {
      version ??= digestOf(entries)
      return version
    },
    size: entries.length,
    entries,
    providers,
    get: (id) => byId.get(id),
    lookup,
    resolve(name) {
      const found = lookup(name)
      if (found !== undefined) return found
      const nearest = alike.nearest(name, 3)
      const hint = nearest.length === 0 ? '' : `; the nearest names are ${nearest.join(', ')}`
      throw new SwitchyardError('NOT_FOUND', `The catalog has no model ${JSON.stringify(name.slice(0, 200))}${hint}`, {
        details: { nearest },
      })
    },
    find(query = {}) {
      const { providers: among, ...rest } = query
      const meets = matcher(rest)
      if (among === undefined) return entries.filter(meets)
      const slugs = [...new Set(among.map(canonicalProvider))].sort()
      return slugs.flatMap((slug) => (byProvider.get(slug) ?? []).filter(meets))
    },
    sameModel(baseModel) {
      byBase ??= Map.groupBy(entries, (entry) => entry.baseModel)
      return byBase.get(baseModel) ?? []
    },
    price: (entry, usage, given = {}) => price(entry, usage, { ...given, version: catalog.version }),
  }
  return Object.freeze(catalog)
}
