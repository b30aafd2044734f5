import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { guarded } from '../peers/guard.ts'
import { freePort } from '../peers/program.ts'

/** A Redis of the bench's own, which keeps nothing on disk. */
export interface OwnRedis {
  readonly url: string
  /** Kills it and starts it again, empty, on the same port; `awayMs` in between. */
  restart(awayMs: number): Promise<void>
  stop(): Promise<void>
}

const READY_MS = 15_000
const MISSING =
  'redis-server is not installed, and this bench needs one of its own: `apt-get install redis-server`, `brew install redis`, ' +
  'or https://redis.io/docs/latest/operate/oss_and_stack/install/'

/** Starts it on a free port of loopback, its files in `folder`. Rejects where it is not installed, saying how to get it. */
export async function startRedis(folder: string): Promise<OwnRedis> {
  const port = await freePort()
  let child = await launch(port, folder)
  return {
    url: `redis://127.0.0.1:${port}`,
    async restart(awayMs) {
      await end(child)
      await delay(awayMs)
      child = await launch(port, folder)
    },
    stop: () => end(child),
  }
}

async function launch(port: number, folder: string): Promise<ChildProcess> {
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', [...words, '--maxmemory-policy', 'noeviction'], { stdio: 'ignore' })
  await Promise.race([
    once(child, 'spawn'),
    once(child, 'error').then(([error]) => {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? new Error(MISSING) : error
    }),
  ])
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const unguard = guarded(child.pid as number)
  child.once('exit', () => {
    process.off('exit', kill)
    unguard()
  })
  const until = performance.now() + READY_MS
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() > until) {
      kill()
      throw new Error(`redis-server did not become ready on port ${port}`)
    }
    await delay(20)
  }
  return child
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    const done = (answered: boolean): void => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (bytes) => done(bytes.toString('latin1').startsWith('+PONG')))
    socket.once('error', () => done(false))
    socket.setTimeout(1_000, () => done(false))
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
