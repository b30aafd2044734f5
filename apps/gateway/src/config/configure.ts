import { dirname, resolve } from 'node:path'
import { type Plugin, SwitchyardError } from '@switchyard/contract'
import type { EmbeddedOptions } from './embedded.ts'
import { loadPlugin } from './load-plugin.ts'
import { keepsKeys, refuseOpenHost } from './open-host.ts'
import type { Settings } from './settings.ts'

export interface Choice {
  readonly settings: Settings
  /** What the embedded default is to hold, or undefined where it is off. */
  readonly embedded: EmbeddedOptions | undefined
  /** The plugins that the configuration lists itself. */
  readonly own: readonly Plugin[]
}

/**
 * What the settings choose; starts nothing. The embedded default is on where no plugins are listed, unless `embedded` says.
 * Rejects `CONFIG_INVALID` for an open host without keys, and for plugins that cannot be loaded, all of them at once.
 */
export async function choose(settings: Settings, configPath: string | undefined, env: NodeJS.ProcessEnv): Promise<Choice> {
  const own = await loadAll(settings.plugins ?? [], configPath)
  const wanted = settings.embedded ?? settings.plugins === undefined
  refuseOpenHost(settings.server.host, settings.auth, wanted !== false || keepsKeys(own))
  if (wanted === false) return { settings, own, embedded: undefined }
  const parts = wanted === true ? { portkey: true, demo: true } : wanted
  const folder = configPath === undefined ? '.' : dirname(configPath)
  const { overrides, update } = settings.catalog
  const catalog = { update, ...(overrides !== undefined && { overrides: resolve(folder, overrides) }) }
  return { settings, own, embedded: { ...parts, env, catalog, dataDir: resolve(folder, settings.dataDir) } }
}

async function loadAll(entries: NonNullable<Settings['plugins']>, configPath: string | undefined): Promise<readonly Plugin[]> {
  const loaded = await Promise.allSettled(entries.map((entry) => loadPlugin(entry, configPath)))
  const failures = loaded.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []))
  const [only, another] = failures
  if (only === undefined) return loaded.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  if (another === undefined) throw only
  throw new SwitchyardError(
    'CONFIG_INVALID',
    `${failures.length} plugins cannot be had:\n${failures.map(({ message }) => `  ${message}`).join('\n')}`,
  )
}
