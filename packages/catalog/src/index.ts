export { type Catalog, createCatalog } from './catalog.ts'
export {
  CAPABILITIES,
  type Capabilities,
  type Capability,
  type Confidence,
  type Conflict,
  type Entry,
  type EntryKind,
  type Lifecycle,
  type LifecycleStatus,
  type Limits,
  type Modality,
  type PriceHours,
  type PriceRow,
  type Provenance,
  type Route,
  statusAt,
  TIERS,
  type Tier,
  type TokenPrices,
  type UnitPrices,
} from './entry.ts'
export { canonicalProvider, NATIVE as NATIVE_PROVIDERS } from './identity/providers.ts'
export { type CatalogSource, catalog } from './port.ts'
export { basePrice, type Cost, type CostPart, microUsd, type PriceOptions, price, reservedPico } from './price/price.ts'
export type { Bound, Conditions } from './price/select-row.ts'
export type { PricedUsage } from './price/usage.ts'
export { type CatalogQuery, hasCapability } from './query.ts'
export { seedCatalog } from './seed.ts'
export { type Completer, completePrice, completer, type StoredEntry, type StoredPrice } from './stored-entry.ts'
