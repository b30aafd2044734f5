export type { CatalogInput, FeedUrls, UpdateInput } from './catalog/options.ts'
export { modelCatalog } from './catalog/plugin.ts'
export { type CatalogKeeper, type CatalogStatus, catalogKeeper, type FeedStatus } from './catalog/port.ts'
export {
  type CatalogSettings,
  defineConfig,
  type EmbeddedParts,
  type LogLevel,
  type NamedPlugin,
  type ServerSettings,
  type Settings,
  type SettingsInput,
} from './config/settings.ts'
export { type Configured, type Gateway, type Live, startGateway } from './gateway.ts'
export { createLog, type ServerLog } from './log.ts'
export { type Running, type RunOptions, run } from './run.ts'
