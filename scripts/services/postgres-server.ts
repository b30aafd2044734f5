import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, chownSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { makeCertificates } from './certificates.ts'
import type { ProcessId } from './contract.ts'
import { identify, isAlive } from './processes.ts'

export interface PostgresSettings {
  readonly programs: string
  readonly folder: string
  readonly port: number
  /** Accepts TCP only under TLS, with a certificate for localhost and 127.0.0.1. */
  readonly tls: boolean
  /** Listens on a socket in `folder` too. */
  readonly socket: boolean
  /** `trust`: anybody is let in; `scram`: user `app` with this password. */
  readonly password: string | undefined
  /** Lines of pg_hba.conf before the rest. */
  readonly rules: readonly string[]
  /** Further lines of postgresql.conf. */
  readonly settings: Readonly<Record<string, string | number>>
}

const READY_MS = 30_000

/** The system's user whom the server runs as: PostgreSQL refuses root. */
function runAs(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const number = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: number('-u'), gid: number('-g') }
}

/** Fills an empty folder with a data folder and its settings. */
export function preparePostgres(settings: PostgresSettings): void {
  const { programs, folder, port, tls, socket, password, rules } = settings
  const user = runAs()
  const own = (path: string): void => {
    if (user.uid !== undefined && user.gid !== undefined) chownSync(path, user.uid, user.gid)
  }
  own(folder)
  const data = join(folder, 'data')
  const login: string[] = []
  if (password === undefined) login.push('-A', 'trust')
  else {
    const file = join(folder, 'password')
    writeFileSync(file, password, { mode: 0o600 })
    own(file)
    login.push('-A', 'scram-sha-256', `--pwfile=${file}`)
  }
  execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'app', '-E', 'UTF8', '--locale=C', '--no-sync', ...login], {
    ...user,
    cwd: folder,
    stdio: 'pipe',
  })
  const lines: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: socket ? folder : '',
    fsync: 'off',
    ...settings.settings,
  }
  if (tls) {
    const certificates = join(folder, 'tls')
    mkdirSync(certificates)
    makeCertificates(certificates)
    for (const name of ['', 'ca.crt', 'server.crt', 'server.key']) own(join(certificates, name))
    Object.assign(lines, {
      ssl: 'on',
      ssl_cert_file: join(certificates, 'server.crt'),
      ssl_key_file: join(certificates, 'server.key'),
      ssl_ca_file: join(certificates, 'ca.crt'),
    })
  }
  const method = password === undefined ? 'trust' : 'scram-sha-256'
  const usual = [`${tls ? 'hostssl' : 'host'} all all 127.0.0.1/32 ${method}`, `local all all ${method}`]
  writeFileSync(join(data, 'pg_hba.conf'), [...rules, ...usual, ''].join('\n'))
  const text = Object.entries(lines).map(([name, value]) => `${name} = '${value}'\n`)
  appendFileSync(join(data, 'postgresql.conf'), text.join(''))
}

/**
 * Starts the server of a prepared folder and waits until it answers by protocol. `onSpawned` is told of the process before that,
 * so that it is on record while it starts. Throws with the end of its log.
 */
export async function launchPostgres(settings: PostgresSettings, onSpawned: (server: ProcessId) => void): Promise<void> {
  const { programs, folder } = settings
  const log = openSync(join(folder, 'postgres.log'), 'a')
  const child = spawn(join(programs, 'postgres'), ['-D', join(folder, 'data')], {
    ...runAs(),
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
  if (child.pid === undefined) throw new Error(`${programs}/postgres could not be started`)
  const server = identify(child.pid)
  onSpawned(server)
  const deadline = Date.now() + READY_MS
  for (;;) {
    if (await answers(settings.port)) return
    if (failed !== undefined || !isAlive(server) || Date.now() > deadline) {
      const words = readFileSync(join(folder, 'postgres.log'), 'utf8').trim().split('\n').slice(-5).join('\n')
      throw new Error(`PostgreSQL did not become ready on port ${settings.port}:\n${failed?.message ?? words}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A server that is starting refuses with 57P03; one that is ready asks for TLS or a password, or lets in. */
async function answers(port: number): Promise<boolean> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'app', database: 'postgres', password: () => '', ssl: false })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.end()
    return true
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: string }
    return code?.startsWith('28') === true || message.includes('SASL')
  }
}
