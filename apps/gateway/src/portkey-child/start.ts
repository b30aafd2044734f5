import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Logger, SwitchyardError } from '@switchyard/contract'
import { locatePortkey } from './locate.ts'
import { PRELOAD } from './preload.ts'

const READY_WITHIN_MS = 30_000
const RESTART_FROM_MS = 250
const RESTART_UP_TO_MS = 10_000
const STABLE_AFTER_MS = 30_000

export interface PortkeyChild {
  /** `http://127.0.0.1:PORT/v1`; the same over restarts. */
  readonly baseUrl: string
  readonly version: string
  /** Process id at the moment; changes with a restart. */
  pid(): number | undefined
  /** Stops it for good; idempotent. */
  close(): Promise<void>
}

/**
 * Starts the real Portkey gateway on a free loopback port, headless, with an environment that holds none of our secrets.
 * Restarts it with growing pauses if it dies; it leaves when this process does, however that ends.
 * Rejects `STARTUP_FAILED` with the last lines it printed if it does not answer within 30 s.
 */
export async function startPortkey(options: {
  readonly log: Logger
  readonly trustedHosts?: readonly string[]
}): Promise<PortkeyChild> {
  const { log } = options
  const program = locatePortkey()
  const port = await freePort()
  const lastLines: string[] = []
  let child: ChildProcess | undefined
  let closing = false
  let pauseMs = RESTART_FROM_MS
  let restart: NodeJS.Timeout | undefined

  function launch(): void {
    const startedAt = performance.now()
    const started = spawn(process.execPath, ['--import', PRELOAD, program.path, `--port=${port}`, '--headless'], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: childEnvironment(options.trustedHosts),
    })
    child = started
    log.debug({ port, pid: started.pid, version: program.version }, 'portkey started')
    for (const stream of [started.stdout, started.stderr]) stream?.on('data', (bytes: Buffer) => remember(lastLines, bytes))
    started.once('error', (error) => log.error({ err: error }, 'portkey could not be started'))
    started.once('exit', (code, signal) => {
      if (closing) return
      if (performance.now() - startedAt > STABLE_AFTER_MS) pauseMs = RESTART_FROM_MS
      log.error({ code, signal, restartInMs: pauseMs, lastLines: lastLines.slice(-5) }, 'portkey died; starting it again')
      restart = setTimeout(launch, pauseMs)
      pauseMs = Math.min(pauseMs * 2, RESTART_UP_TO_MS)
    })
  }

  async function close(): Promise<void> {
    closing = true
    clearTimeout(restart)
    await stop(child)
  }

  launch()
  try {
    await answers(`http://127.0.0.1:${port}/`, () => lastLines)
  } catch (error) {
    await close()
    throw error
  }
  return { baseUrl: `http://127.0.0.1:${port}/v1`, version: program.version, pid: () => child?.pid, close }
}

function childEnvironment(trustedHosts: readonly string[] | undefined): NodeJS.ProcessEnv {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'] as const
  const env: NodeJS.ProcessEnv = { NODE_ENV: 'production' }
  for (const name of kept) if (process.env[name] !== undefined) env[name] = process.env[name]
  if (trustedHosts !== undefined) env.TRUSTED_CUSTOM_HOSTS = trustedHosts.join(',')
  return env
}

function remember(lines: string[], bytes: Buffer): void {
  lines.push(...bytes.toString('utf8').split('\n').filter(Boolean))
  lines.splice(0, Math.max(0, lines.length - 20))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function answers(url: string, lastLines: () => readonly string[]): Promise<void> {
  const until = performance.now() + READY_WITHIN_MS
  while (performance.now() < until) {
    try {
      if ((await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok) return
    } catch {
      // not listening yet
    }
    await delay(50)
  }
  throw new SwitchyardError(
    'STARTUP_FAILED',
    `portkey did not answer within ${READY_WITHIN_MS / 1000} s. It printed: ${lastLines().join(' | ')}`,
  )
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const patience = setTimeout(() => child.kill('SIGKILL'), 3_000)
  await exited
  clearTimeout(patience)
}
