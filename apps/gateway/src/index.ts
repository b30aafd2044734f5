export {
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
