import { SwitchyardError } from '@switchyard/contract'
import { type Choice, choose } from './config/configure.ts'
import { type Embedded, startEmbedded } from './config/embedded.ts'
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
  /** For the start-up message. */
  readonly providers: readonly string[]
  /** Reads the configuration again. Never rejects: a configuration that fails is logged and changes nothing. */
  reload(): Promise<void>
  close(options?: { readonly drainDelayMs?: number }): Promise<void>
}

/** The gateway with what it stands on: settings read, embedded processes started, file watched. */
export async function run(options: RunOptions): Promise<Running> {
  const { log, configPath, env } = options
  let embedded: Embedded | undefined
  let reloading: Promise<void> = Promise.resolve()

  async function read(): Promise<Choice> {
    return choose(options.override(await readSettings(configPath, env)), configPath, env)
  }
  async function configured(choice: Choice): Promise<Configured> {
    if (choice.embedded !== undefined) embedded ??= await startEmbedded(choice.embedded, log)
    const plugins = [...(choice.embedded === undefined ? [] : (embedded?.plan.plugins ?? [])), ...choice.own]
    return { settings: choice.settings, assembly: { plugins } }
  }

  let gateway: Gateway
  try {
    gateway = await startGateway(await configured(await read()), { log })
  } catch (error) {
    await embedded?.close()
    throw error
  }
  const reload = (): Promise<void> => {
    reloading = reloading.then(async () => {
      try {
        await gateway.reload(await configured(await read()))
        log.info({}, 'configuration reloaded')
      } catch (error) {
        const message = SwitchyardError.is(error) ? error.message : String(error)
        log.error({ err: error }, `configuration not reloaded, the running one stays: ${message}`)
      }
    })
    return reloading
  }
  const unwatch = options.watch && configPath !== undefined ? watchFile(configPath, () => void reload()) : undefined
  return {
    gateway,
    providers: embedded?.plan.providers ?? [],
    reload,
    async close(how) {
      unwatch?.()
      await reloading
      await gateway.close(how)
      await embedded?.close()
    },
  }
}
