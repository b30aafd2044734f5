import {
  applyOverrides,
  type Catalog,
  type CatalogChange,
  inSlices,
  type Override,
  type Slicing,
  updatingCatalog,
} from '@switchyard/catalog'
import type { FeedKeeper } from './feed-keeper.ts'
import type { CatalogStatus } from './port.ts'

export interface LiveCatalogParts {
  readonly seed: Catalog
  readonly overrides: readonly Override[]
  readonly keepers: readonly FeedKeeper[]
  /** How an update is cut, so that calls in flight go on. */
  readonly slicing: Slicing
}

/** The catalog in force, replaced whole by an update. */
export interface LiveCatalog {
  current(): Catalog
  /**
   * Makes a new one of the seed, the feeds' last good content and the overrides; one at a time. The present one stays until the new one
   * is whole, and where this rejects.
   */
  rebuild(): Promise<CatalogChange>
  status(): Omit<CatalogStatus, 'updates'>
}

/** Begins with the seed under the overrides. */
export function liveCatalog({ seed, overrides, keepers, slicing }: LiveCatalogParts): LiveCatalog {
  let base = seed
  let current = applyOverrides(seed, overrides)
  let quarantined: CatalogChange['quarantined'] = []
  return {
    current: () => current,
    async rebuild() {
      const feeds = keepers.flatMap(({ content }) => (content === undefined ? [] : [content]))
      const { catalog, change } = await inSlices(updatingCatalog({ seed, feeds, previous: base }), slicing)
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
