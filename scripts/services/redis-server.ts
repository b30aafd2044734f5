import { execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProcessId } from './contract.ts'
import { identify, isAlive } from './processes.ts'
import { askRedis } from './redis-ask.ts'

export interface RedisSettings {
  readonly programs: string
  readonly folder: string
  readonly port: number
  /** Path of a configuration that the server may rewrite, as a sentinel's must be. */
  readonly configuration?: string | undefined
  /** Further words of the command line. */
  readonly settings: readonly string[]
}

const READY_MS = 15_000

/** The version that the programs of a folder say they are, `7.0.15`. */
export function redisVersion(programs: string): string {
  const said = execFileSync(join(programs, 'redis-server'), ['--version'], { encoding: 'utf8' })
  return /v=(\S+)/.exec(said)?.[1] ?? said.trim()
}

/**
 * Starts a server that keeps nothing on disk and waits until it answers by protocol. `onSpawned` is told of the process before
 * that, so that it is on record while it starts. Throws with the end of its log.
 */
export async function launchRedis(settings: RedisSettings, onSpawned: (server: ProcessId) => void): Promise<void> {
  const { programs, folder, port, configuration } = settings
  const words = [
    ...(configuration === undefined ? [] : [configuration]),
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
  ]
  const log = openSync(join(folder, 'redis.log'), 'a')
  const child = spawn(join(programs, 'redis-server'), [...words, ...settings.settings], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  let failed: Error | undefined
  child.on('error', (error) => {
    failed = error
  })
  if (child.pid === undefined) throw new Error(`${programs}/redis-server could not be started`)
  const server = identify(child.pid)
  onSpawned(server)
  const deadline = Date.now() + READY_MS
  for (;;) {
    if (await answers(port)) return
    if (failed !== undefined || !isAlive(server) || Date.now() > deadline) {
      const said = readFileSync(join(folder, 'redis.log'), 'utf8').trim().split('\n').slice(-5).join('\n')
      throw new Error(`Redis did not become ready on port ${port}:\n${failed?.message ?? said}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** One that asks for a password answers too. */
async function answers(port: number): Promise<boolean> {
  return askRedis(`redis://127.0.0.1:${port}`, ['PING']).then(
    () => true,
    (error: Error) => error.message.startsWith('NOAUTH'),
  )
}
