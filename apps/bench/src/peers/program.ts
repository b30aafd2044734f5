import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { guarded } from './guard.ts'

export interface Program {
  readonly pid: number
  /** Without effect once it has ended. */
  signal(name: NodeJS.Signals): void
  /** Ends it, also where it is stopped by a signal. Idempotent. */
  stop(): Promise<void>
}

/** What a program of the bench itself says to it, and hears from it, where `onMessage` is given. */
export interface Spoken {
  readonly env?: NodeJS.ProcessEnv
  readonly onMessage?: (message: unknown) => void
}

export interface SpokenProgram extends Program {
  send(message: object): void
}

/** Starts a program and waits until `url` answers anything. Rejects with the last lines it printed. */
export async function startProgram(
  command: string,
  args: readonly string[],
  url: string,
  { env = process.env, onMessage }: Spoken = {},
): Promise<SpokenProgram> {
  const child = spawn(command, args, {
    stdio: onMessage === undefined ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe', 'ipc'],
    env,
  })
  if (onMessage !== undefined) child.on('message', onMessage)
  // Also where the bench breaks off: a program that stays behind takes its processor from every later run.
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const unguard = child.pid === undefined ? undefined : guarded(child.pid)
  child.once('exit', () => {
    process.off('exit', kill)
    unguard?.()
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => {
      lines.push(...bytes.toString('utf8').split('\n'))
      lines.splice(0, Math.max(0, lines.length - 15))
    })
  }
  const stop = (): Promise<void> => end(child)
  const until = performance.now() + 30_000
  for (;;) {
    const answered = await answers(url)
    // An answer counts only from our own child: where its port was taken, somebody else speaks.
    if (answered && child.exitCode === null) break
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > until) {
      await stop()
      throw new Error(`${command} ${args.join(' ')} did not answer at ${url}:\n${lines.join('\n')}`)
    }
    await delay(50)
  }
  return {
    pid: child.pid as number,
    signal: (name) => void child.kill(name),
    send: (message) => void child.send(message, () => {}),
    stop,
  }
}

const FIRST_PORT = 20_000
const LAST_PORT = 32_000

/** A free port on loopback, below those that systems give to outgoing connections, so that none of these takes it meanwhile. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT))
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url, { signal: AbortSignal.timeout(1_000) })).arrayBuffer()
    return true
  } catch {
    return false
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  // A stopped process heeds no signal but these two.
  child.kill('SIGCONT')
  await Promise.race([exited, delay(5_000)])
  child.kill('SIGKILL')
}
