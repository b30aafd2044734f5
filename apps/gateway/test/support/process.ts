import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface CliProcess {
  readonly child: ChildProcess
  out(): string
  /** Standard error, the log among it. */
  err(): string
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>
}

/** The real command line as a process of its own. The test sees to its end. */
export function spawnCli(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): CliProcess {
  const child = spawn(process.execPath, ['--conditions=@switchyard/source', MAIN, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (bytes) => {
    out += bytes
  })
  child.stderr.on('data', (bytes) => {
    err += bytes
  })
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals | null)
  return { child, out: () => out, err: () => err, exited }
}

/** Starts the gateway on a free port; resolves with its URL when it said that it is ready. */
export async function spawnGateway(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<CliProcess & { readonly url: string }> {
  const started = spawnCli(['start', '--port', '0', ...args], options)
  await new Promise<void>((resolve, reject) => {
    started.child.stdout?.on('data', () => {
      if (started.out().includes('Stop with Ctrl-C')) resolve()
    })
    void started.exited.then((code) => reject(new Error(`the gateway left with ${code}: ${started.err()}`)))
  })
  const url = /API +(\S+)\/v1\n/.exec(started.out())?.[1] as string
  return { ...started, url }
}
