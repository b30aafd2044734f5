import { definePort, type Port } from '@switchyard/contract'
import type { Catalog } from './catalog.ts'

/** Gives the catalog that holds now. */
export interface CatalogSource {
  /** Synchronous and cheap. Take it once a call and keep it: an update replaces it between two questions. */
  current(): Catalog
}

/** Port by which plugins ask for the catalog; the assembly provides it. */
export const catalog: Port<CatalogSource> = definePort<CatalogSource>('catalog', 1)
