import { SwitchyardError, type Usage } from '@switchyard/contract'
import { digestOf } from './digest.ts'
import type { Entry } from './entry.ts'
import { spellingKey } from './identity/model-names.ts'
import { canonicalProvider } from './identity/providers.ts'
import { neighbours } from './nearest.ts'
import { type Cost, type PriceOptions, price } from './price/price.ts'
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
  /** Exact, then case-folded, then by alias (other spellings of the provider and of dates included). Never a merely similar name. */
  lookup(name: string): Entry | undefined
  /** As `lookup`. @throws SwitchyardError `NOT_FOUND` for an unknown name; message and `details.nearest` give the three most alike. */
  resolve(name: string): Entry
  /** Entries that meet all of the query, in order of id. @throws TypeError for a date that is none. */
  find(query?: CatalogQuery): readonly Entry[]
  /** Entries of the same weights at all providers. */
  sameModel(baseModel: string): readonly Entry[]
  /** `price` with this catalog's version written into the cost. */
  price(entry: Entry, usage: Usage, options?: PriceOptions): Cost | null
}

/**
 * Indexes entries. Of two with the same id the later one wins.
 * @param options.version Version that the content is known to have; otherwise it is computed when first asked for.
 */
export function createCatalog(all: readonly Entry[], options: { readonly version?: string } = {}): Catalog {
  const byId = new Map<string, Entry>()
  for (const entry of all) byId.set(entry.id, entry)
  const entries = Object.freeze(inOrder([...byId.values()]))
  const byProvider = Map.groupBy(entries, ({ provider }) => provider)
  const providers = Object.freeze([...byProvider.keys()].sort())
  let bySpelling: ReadonlyMap<string, Entry> | undefined
  const alike = neighbours(entries.map(({ id }) => id))
  let byBase: Map<string, Entry[]> | undefined
  let version = options.version

  const lookup = (name: string): Entry | undefined => {
    const exact = byId.get(name)
    if (exact !== undefined) return exact
    const slash = name.indexOf('/')
    if (slash === -1) return undefined
    bySpelling ??= spellings(entries)
    return bySpelling.get(spelt(canonicalProvider(name.slice(0, slash)), name.slice(slash + 1)))
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

/** Sorted by id; a seed is already, and finding that out is cheaper than sorting. */
function inOrder(entries: Entry[]): Entry[] {
  const isSorted = entries.every((entry, at) => at === 0 || (entries[at - 1] as Entry).id < entry.id)
  return isSorted ? entries : entries.sort((a, b) => (a.id < b.id ? -1 : 1))
}

function spelt(provider: string, model: string): string {
  return `${provider}/${spellingKey(model)}`
}

/** Entries by the folded spelling of their own name, then of their aliases: an alias never hides a name. */
function spellings(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  const found = new Map<string, Entry>()
  for (const entry of entries) {
    const key = spelt(entry.provider, entry.model)
    if (!found.has(key)) found.set(key, entry)
  }
  for (const entry of entries) {
    for (const alias of entry.aliases) {
      const key = spelt(entry.provider, alias)
      if (!found.has(key)) found.set(key, entry)
    }
  }
  return found
}
