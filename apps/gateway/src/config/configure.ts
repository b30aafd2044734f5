import { dirname, resolve } from 'node:path'
import { type Plugin, SwitchyardError } from '@switchyard/contract'
import type { EmbeddedOptions } from './embedded.ts'
import { loadPlugin } from './load-plugin.ts'
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
 * Rejects `CONFIG_INVALID` for a plugin that cannot be loaded and for an open host without keys.
 */
export async function choose(settings: Settings, configPath: string | undefined, env: NodeJS.ProcessEnv): Promise<Choice> {
  refuseOpenHost(settings)
  const own = await Promise.all((settings.plugins ?? []).map((entry) => loadPlugin(entry, configPath)))
  const wanted = settings.embedded ?? settings.plugins === undefined
  if (wanted === false) return { settings, own, embedded: undefined }
  const parts = wanted === true ? { portkey: true, demo: true } : wanted
  const folder = configPath === undefined ? '.' : dirname(configPath)
  return { settings, own, embedded: { ...parts, env, dataDir: resolve(folder, settings.dataDir) } }
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/

function refuseOpenHost({ server, auth }: Settings): void {
  if (auth.keys.length > 0 || LOOPBACK.test(server.host)) return
  throw new SwitchyardError(
    'CONFIG_INVALID',
    `server.host ${server.host} lets other machines in, but auth.keys is empty: list at least one key, or listen on 127.0.0.1`,
  )
}
