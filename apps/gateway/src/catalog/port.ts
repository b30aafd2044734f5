import type { CatalogChange } from '@switchyard/catalog'
import { definePort, type Port } from '@switchyard/contract'

declare module '@switchyard/contract' {
  interface KernelEvents {
    /** After the catalog was replaced; `version` is that of the catalog in force, overrides included. */
    'catalog:updated': CatalogChange
  }
}

/** How one feed stands. */
export interface FeedStatus {
  readonly feed: string
  /** Rows in force; 0 before the first good content. */
  readonly rows: number
  /** Epoch ms at which the content in force was last known to be the feed's; undefined before the first. */
  readonly goodAt: number | undefined
  /** How old that is, in ms. */
  readonly ageMs: number | undefined
  /** Rounds that failed since the last one that did not. */
  readonly failures: number
  /** What was wrong in the last round; undefined where nothing was. */
  readonly error: string | undefined
}

export interface CatalogStatus {
  readonly version: string
  readonly models: number
  readonly updates: boolean
  readonly feeds: readonly FeedStatus[]
  /** Prices that keep their old value until a person accepts the new one by an override: what the last update held back. */
  readonly quarantined: CatalogChange['quarantined']
}

/** Tells how the catalog is kept up to date. */
export interface CatalogKeeper {
  status(): CatalogStatus
}

/** Port of the gateway's own, for its admin API. */
export const catalogKeeper: Port<CatalogKeeper> = definePort<CatalogKeeper>('switchyard/catalog-keeper', 1)
