import { applyOverrides, type Catalog, type CatalogChange, type Override, updateCatalog } from '@switchyard/catalog'
import type { FeedKeeper } from './feed-keeper.ts'
import type { CatalogStatus } from './port.ts'

export interface LiveCatalogParts {
  readonly seed: Catalog
  readonly overrides: readonly Override[]
  readonly keepers: readonly FeedKeeper[]
}

/** The catalog in force, replaced whole by an update. */
export interface LiveCatalog {
  current(): Catalog
  /** Makes a new one of the seed, the feeds' last good content and the overrides. The present one stays where this throws. */
  rebuild(): CatalogChange
  status(): Omit<CatalogStatus, 'updates'>
}

/** Begins with the seed under the overrides. */
export function liveCatalog({ seed, overrides, keepers }: LiveCatalogParts): LiveCatalog {
  let base = seed
  let current = applyOverrides(seed, overrides)
  let quarantined: CatalogChange['quarantined'] = []
  return {
    current: () => current,
    rebuild() {
      const feeds = keepers.flatMap(({ content }) => (content === undefined ? [] : [content]))
      const { catalog, change } = updateCatalog({ seed, feeds, previous: base })
      current = applyOverrides(catalog, overrides)
      base = catalog
      quarantined = change.quarantined
      return { ...change, version: current.version }
    },
    status: () => ({
      version: current.version,
      models: current.size,
      feeds: keepers.map((keeper) => keeper.status()),
      quarantined,
    }),
  }
}
