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
export type { Import } from './feeds/feed.ts'
export { importingLiteLlm, importLiteLlm } from './feeds/litellm.ts'
export { importingModelsDev, importModelsDev } from './feeds/models-dev.ts'
export { importPortkeyGeneral } from './feeds/portkey-general.ts'
export { importPortkeyPricing, type PortkeyPricingOptions } from './feeds/portkey-pricing.ts'
export { baseModelKey, isMoving } from './identity/model-names.ts'
export { canonicalProvider, NATIVE as NATIVE_PROVIDERS } from './identity/providers.ts'
export type { SourceName, SourceRow } from './merge/source-row.ts'
export { applyOverrides } from './overrides/apply-overrides.ts'
export { type Override, type OverrideRows, overridesFromRows } from './overrides/override-rows.ts'
export { type CatalogSource, catalog } from './port.ts'
export { basePrice, type Cost, type CostPart, microUsd, type PriceOptions, price, reservedPico } from './price/price.ts'
export type { Bound, Conditions } from './price/select-row.ts'
export { tierOf } from './price/tier-of.ts'
export { type CatalogQuery, hasCapability } from './query.ts'
export { seedCatalog } from './seed.ts'
export { finish, inSlices, type Slicing, type Work } from './slices.ts'
export { type Completer, completePrice, completer, type StoredEntry, type StoredPrice } from './stored-entry.ts'
export { feedRefusal } from './update/check-feed.ts'
export type { Quarantined } from './update/quarantine.ts'
export {
  type CatalogChange,
  type CatalogUpdate,
  changeBetween,
  type UpdateInput,
  updateCatalog,
  updatingCatalog,
} from './update/update.ts'
