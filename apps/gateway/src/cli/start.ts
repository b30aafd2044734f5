import { findConfig } from '../config/read.ts'
import { createLog } from '../log.ts'
import { type Running, run } from '../run.ts'
import { banner } from './banner.ts'
import { orFail } from './failure.ts'
import { type Flags, withFlags } from './flags.ts'

export interface StartOptions extends Flags {
  readonly config?: string
  readonly watch: boolean
}

/** `switchyard start`: runs until SIGTERM or SIGINT; SIGHUP reloads; a second signal leaves at once with exit code 1. */
export async function start(options: StartOptions): Promise<void> {
  await orFail(async () => {
    const startedAt = performance.now()
    const configPath = options.config ?? (await findConfig(process.cwd()))
    const log = createLog(options.logLevel ?? 'info')
    process.once('exit', () => log.flush())
    const running = await run({
      configPath,
      env: process.env,
      log,
      watch: options.watch,
      override: (settings) => withFlags(settings, options, process.env),
    })
    handleSignals(running, () => log.flush())
    const { gateway } = running
    const { directory } = gateway.live()
    process.stdout.write(
      banner({
        url: gateway.url,
        providers: running.providers,
        models: directory.known,
        env: process.env,
        keyNeeded: gateway.live().keyNeeded(),
        startedInMs: performance.now() - startedAt,
      }),
    )
  })
}

function handleSignals(running: Running, flush: () => void): void {
  let leaving = false
  const leave = async (signal: NodeJS.Signals): Promise<void> => {
    if (leaving) process.exit(1)
    leaving = true
    const { drainDelayMs } = running.gateway.live().settings.server
    // A person at a terminal waits for no load balancer.
    await running.close({ drainDelayMs: signal === 'SIGTERM' ? drainDelayMs : 0 })
    flush()
    process.exit(0)
  }
  process.on('SIGTERM', leave)
  process.on('SIGINT', leave)
  process.on('SIGHUP', () => void running.reload())
}
