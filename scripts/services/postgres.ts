import pg from 'pg'
import type { Service, Started } from './contract.ts'
import { freePort } from './ports.ts'
import { postgresProgramFolders, programVersion } from './postgres-programs.ts'
import { launchPostgres, type PostgresSettings, preparePostgres } from './postgres-server.ts'
import { endProcess } from './processes.ts'
import { type Recorded, record, serverFolder, stopRecorded } from './records.ts'

const VERIFIED = ['15'] as const

/** A server that one test has for itself, to kill, fill up or reconfigure. */
export interface PrivatePostgres extends Started {
  readonly port: number
  /** Path of the authority's certificate, where it was started with TLS. */
  readonly ca: string | undefined
  /** Paths of the certificate and key of the user `certified`, where it was started with TLS. */
  readonly client: { readonly cert: string; readonly key: string } | undefined
  /** Folder of its socket, where it was started with one. */
  readonly socket: string | undefined
  readonly user: string
  readonly password: string | undefined
  /** Ends it at once, as a crash would, and starts it again on the same port and data. */
  restart(): Promise<void>
}

export interface PrivateOptions {
  readonly tls?: boolean
  /** Listens on a socket in a folder of its own too. */
  readonly socket?: boolean
  readonly password?: string
  /** Lines of pg_hba.conf, before the one that lets in. */
  readonly rules?: readonly string[]
  /** Lines of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string | number>>
}

export const postgres: Service = {
  name: 'postgres',
  urlVariable: 'POSTGRES_URL',
  usualUrl: 'postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable',
  verified: VERIFIED,
  systemPackage: 'postgresql',
  async probe(url) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
    client.on('error', () => {})
    await client.connect()
    try {
      const { rows } = await client.query<{ readonly server_version: string }>('SHOW server_version')
      return rows[0]?.server_version.split(' ')[0] ?? 'unknown'
    } finally {
      await client.end()
    }
  },
  findPrograms,
  start: async (programs, { kept }) => startPostgres(programs, kept, {}),
}

/** Folder of the programs to start, of a verified version where there is one. */
export function findPrograms(): string | undefined {
  const folders = postgresProgramFolders(process.env.PATH ?? '')
  return folders.find((folder) => VERIFIED.some((version) => programVersion(folder).startsWith(version))) ?? folders[0]
}

/** Starts a server on a free port with a data folder of its own. */
export async function startPostgres(programs: string, kept: boolean, options: PrivateOptions): Promise<PrivatePostgres> {
  const folder = serverFolder('postgres')
  const { tls = false, socket = false, password, rules = [], settings = {} } = options
  const port = await freePort()
  const chosen: PostgresSettings = { programs, folder, port, tls, socket, password, rules, settings }
  const login = password === undefined ? 'app' : `app:${encodeURIComponent(password)}`
  const ca = tls ? `${folder}/tls/ca.crt` : undefined
  const mode = ca === undefined ? 'disable' : `verify-full&sslrootcert=${encodeURIComponent(ca)}`
  const facts = {
    name: 'postgres' as const,
    url: `postgres://${login}@127.0.0.1:${port}/postgres?sslmode=${mode}`,
    version: programVersion(programs),
    signal: 'SIGINT' as const,
    folder,
  }
  let entry: Omit<Recorded, 'owner'> | undefined
  const stop = async (): Promise<void> => {
    if (entry !== undefined) await stopRecorded(entry)
  }
  async function launch(): Promise<void> {
    await launchPostgres(chosen, (server) => {
      entry = { ...facts, server }
      record(entry, { kept })
    })
  }
  try {
    preparePostgres(chosen)
    await launch()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: facts.url,
    version: facts.version,
    port,
    ca,
    client: tls ? { cert: `${folder}/tls/client.crt`, key: `${folder}/tls/client.key` } : undefined,
    socket: socket ? folder : undefined,
    user: 'app',
    password,
    stop,
    async restart() {
      if (entry !== undefined) await endProcess(entry.server, 'SIGQUIT', 10_000)
      await launch()
    },
  }
}
