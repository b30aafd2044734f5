import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { makeCertificates } from './certificates.ts'
import type { ProcessId, Service, Started } from './contract.ts'
import { freePort } from './ports.ts'
import { endProcess, signalProcess } from './processes.ts'
import { type Recorded, record, serverFolder, stopRecorded } from './records.ts'
import { askRedis } from './redis-ask.ts'
import { launchRedis, redisVersion } from './redis-server.ts'

const VERIFIED = ['7'] as const

/** A server that one test has for itself, to kill, halt, fill up or reconfigure. It keeps nothing on disk. */
export interface PrivateRedis extends Started {
  readonly port: number
  /** Where it listens under TLS, and the path of the authority's certificate, where it was started so. */
  readonly tls: { readonly port: number; readonly ca: string } | undefined
  /** Asks it one command as its default user; what it replies, as text. Rejects with an error reply. */
  ask(...words: string[]): Promise<string>
  /** Halts it, as a stalled machine would; its sockets stay open. */
  pause(): void
  resume(): void
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>
  /** Starts it again on the same port after `kill`, empty. */
  restart(): Promise<void>
}

export interface PrivateRedisOptions {
  /** Further words of its command line, such as `--maxmemory 1mb`. */
  readonly settings?: readonly string[]
  /** Text of a configuration file of its own, which it may rewrite. */
  readonly configuration?: string
  /** Listens under TLS too, with a certificate for localhost and 127.0.0.1. */
  readonly tls?: boolean
}

export const redis: Service = {
  name: 'redis',
  urlVariable: 'REDIS_URL',
  usualUrl: 'redis://127.0.0.1:6379',
  verified: VERIFIED,
  systemPackage: 'redis-server',
  async probe(url) {
    const info = await askRedis(url, ['INFO', 'server'])
    return /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown'
  },
  findPrograms: findRedisPrograms,
  start: async (programs, { kept }) => startRedis(programs, kept, {}),
}

/** Folder of `redis-server`, of the PATH. */
export function findRedisPrograms(): string | undefined {
  return (process.env.PATH ?? '').split(delimiter).find((folder) => existsSync(join(folder, 'redis-server')))
}

/** Starts a server on a free port with a folder of its own. */
export async function startRedis(programs: string, kept: boolean, options: PrivateRedisOptions): Promise<PrivateRedis> {
  const folder = serverFolder('redis')
  const port = await freePort()
  const tls = options.tls === true ? { port: await freePort(), ca: join(folder, 'tls', 'ca.crt') } : undefined
  const settings = [...(options.settings ?? []), ...(tls === undefined ? [] : underTls(folder, tls.port))]
  const configuration = options.configuration === undefined ? undefined : join(folder, 'redis.conf')
  if (configuration !== undefined) writeFileSync(configuration, options.configuration as string)
  const version = redisVersion(programs)
  const facts = { name: 'redis' as const, url: `redis://127.0.0.1:${port}`, version, signal: 'SIGTERM' as const, folder }
  let entry: Omit<Recorded, 'owner'> | undefined
  const server = (): ProcessId => {
    if (entry === undefined) throw new Error('it was never started')
    return entry.server
  }
  const stop = async (): Promise<void> => {
    if (entry === undefined) return
    signalProcess(entry.server, 'SIGCONT')
    await stopRecorded(entry)
  }
  const launch = (): Promise<void> =>
    launchRedis({ programs, folder, port, configuration, settings }, (started) => {
      entry = { ...facts, server: started }
      record(entry, { kept })
    })
  try {
    await launch()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: facts.url,
    version,
    port,
    tls,
    stop,
    ask: (...words) => askRedis(facts.url, words),
    pause: () => signalProcess(server(), 'SIGSTOP'),
    resume: () => signalProcess(server(), 'SIGCONT'),
    kill: () => endProcess(server(), 'SIGKILL', 10_000),
    restart: launch,
  }
}

function underTls(folder: string, port: number): readonly string[] {
  const certificates = join(folder, 'tls')
  mkdirSync(certificates)
  makeCertificates(certificates)
  const file = (name: string): string => join(certificates, name)
  return [
    ...['--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-ca-cert-file', file('ca.crt')],
    ...['--tls-cert-file', file('server.crt'), '--tls-key-file', file('server.key')],
  ]
}
