import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { guarded } from '../peers/guard.ts'
import { freePort } from '../peers/program.ts'
import { ask } from './ask.ts'

/** A Redis of the bench's own, which keeps nothing on disk. */
export interface OwnServer {
  readonly port: number
  /** What it replies to one command. */
  ask(...words: string[]): Promise<string>
  /** Resolves once a reply is as wanted; rejects after a while, with what it said last. */
  until(words: readonly string[], is: (said: string) => boolean): Promise<void>
  kill(): Promise<void>
  /** Kills it where it lives, and removes its files. */
  stop(): Promise<void>
}

const READY_MS = 20_000
const MISSING =
  'redis-server is not installed, and this bench needs some of its own: `apt-get install redis-server`, `brew install redis`, ' +
  'or https://redis.io/docs/latest/operate/oss_and_stack/install/'

/** Starts one on a free port of loopback, with further words of its command line; `configuration` is a file that it may rewrite. */
export async function startServer(words: readonly string[], configuration?: string): Promise<OwnServer> {
  const [port, folder] = [await freePort(), await mkdtemp(join(tmpdir(), 'switchyard-bench-redis-'))]
  const file = join(folder, 'redis.conf')
  if (configuration !== undefined) await writeFile(file, configuration)
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
  // A master waits 5 s for further replicas before it sends its data, unless told not to.
  const all = [...(configuration === undefined ? [] : [file]), ...own, '--repl-diskless-sync-delay', '0', ...words]
  const child = spawn('redis-server', all, { stdio: 'ignore' })
  const unguard = await guardedChild(child)
  const until: OwnServer['until'] = async (wanted, is) => {
    const deadline = performance.now() + READY_MS
    for (;;) {
      // It refuses connections until it listens.
      const said = await ask(port, wanted).catch((error: Error) => error.message)
      if (is(said)) return
      if (performance.now() > deadline) throw new Error(`redis-server on port ${port} did not get ready: ${said}`)
      await delay(20)
    }
  }
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    unguard()
  }
  const stop = async (): Promise<void> => {
    await kill()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await Promise.race([
      until(['PING'], (said) => said === 'PONG'),
      once(child, 'exit').then(() => Promise.reject(new Error(`redis-server ended at once; its port was ${port}`))),
    ])
  } catch (error) {
    await stop()
    throw error
  }
  return { port, ask: (...wanted) => ask(port, wanted), until, kill, stop }
}

/** Resolves once it runs, and sees to it that it ends with the bench. */
async function guardedChild(child: ChildProcess): Promise<() => void> {
  await Promise.race([
    once(child, 'spawn'),
    once(child, 'error').then(([error]) => {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? new Error(MISSING) : error
    }),
  ])
  return guarded(child.pid as number)
}
