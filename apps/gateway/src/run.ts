import { SwitchyardError } from '@switchyard/contract'
import { type Choice, choose } from './config/configure.ts'
import { type Embedded, type EmbeddedOptions, startEmbedded, withOwn } from './config/embedded.ts'
import { readSettings } from './config/read.ts'
import type { Settings } from './config/settings.ts'
import { watchFile } from './config/watch.ts'
import { type Configured, type Gateway, startGateway } from './gateway.ts'
import type { ServerLog } from './log.ts'

export interface RunOptions {
  readonly configPath: string | undefined
  readonly env: NodeJS.ProcessEnv
  readonly log: ServerLog
  /** Reload when the configuration file changes. */
  readonly watch: boolean
  /** Command-line flags, which win over the file, also after a reload. */
  override(settings: Settings): Settings
}

export interface Running {
  readonly gateway: Gateway
  /** What the embedded default reaches, for the start-up message; undefined where it is off. */
  readonly providers: readonly string[] | undefined
  /** Reads the configuration again. Never rejects: a configuration that fails is logged and changes nothing. */
  reload(): Promise<void>
  close(options?: { readonly drainDelayMs?: number }): Promise<void>
}

/** The gateway with what it stands on: settings read, embedded processes started, file watched. */
export async function run(options: RunOptions): Promise<Running> {
  const { log, configPath, env } = options
  let embedded: (Embedded & { readonly options: EmbeddedOptions }) | undefined
  let reloading: Promise<void> = Promise.resolve()
  let closing = false

  async function read(): Promise<Choice> {
    return choose(options.override(await readSettings(configPath, env)), configPath, env)
  }
  async function configured(choice: Choice): Promise<Configured> {
    const wanted = choice.embedded
    if (wanted !== undefined) {
      embedded ??= { ...(await startEmbedded(wanted, log)), options: wanted }
      const { options } = embedded
      const fixed = (['portkey', 'demo', 'dataDir', 'catalog'] as const).filter(
        (name) => JSON.stringify(wanted[name]) !== JSON.stringify(options[name]),
      )
      if (fixed.length > 0) log.warn({ embedded: fixed }, 'changed in the configuration, but only a restart applies it')
    }
    const plugins = withOwn(wanted === undefined ? [] : (embedded?.plan.plugins ?? []), choice.own)
    return { settings: choice.settings, assembly: { plugins } }
  }

  let gateway: Gateway
  try {
    const choice = await read()
    log.setLevel(choice.settings.log.level)
    gateway = await startGateway(await configured(choice), { log })
  } catch (error) {
    await embedded?.close()
    throw error
  }
  const reload = (): Promise<void> => {
    reloading = reloading.then(async () => {
      if (closing) return
      try {
        const next = await configured(await read())
        await gateway.reload(next)
        log.setLevel(next.settings.log.level)
        log.info({}, 'configuration reloaded')
      } catch (error) {
        const message = SwitchyardError.is(error) ? error.message : String(error)
        log.error({ err: error }, `configuration not reloaded, the running one stays: ${message}`)
      }
    })
    return reloading
  }
  const unwatch = options.watch && configPath !== undefined ? watchOrWarn(configPath, () => void reload(), log) : undefined
  return {
    gateway,
    providers: embedded?.plan.providers,
    reload,
    async close(how) {
      closing = true
      unwatch?.()
      // Both at once: closing breaks off a reload that is starting plugins.
      await Promise.all([gateway.close(how), reloading])
      await embedded?.close()
    },
  }
}

/** A gateway that cannot watch still serves, and still reloads on SIGHUP. */
function watchOrWarn(path: string, changed: () => void, log: ServerLog): (() => void) | undefined {
  const lost = (error: unknown): void =>
    log.warn({ err: error, path }, 'the configuration file is not watched; SIGHUP reads it again')
  try {
    return watchFile(path, changed, lost)
  } catch (error) {
    lost(error)
    return undefined
  }
}
