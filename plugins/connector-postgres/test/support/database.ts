import { randomBytes } from 'node:crypto'
import { type Clock, type SqlSession, sql } from '@switchyard/contract'
import { type StartedPlugin, startPlugin, systemClock } from '@switchyard/testkit'
import { expect, onTestFinished } from 'vitest'
import { type PostgresDatabase, type PostgresInput, postgres } from '../../src/index.ts'
import { aside, serverUrl } from './server.ts'

/** What the server tells of one session. */
export interface Session {
  readonly pid: number
  /** `active` while a statement runs, `idle`, `idle in transaction`. */
  readonly state: string
  readonly query: string
}

export interface Opened {
  readonly db: PostgresDatabase
  readonly plugin: StartedPlugin
  /** Name that its sessions, and no others, have at the server. */
  readonly name: string
  /** Its sessions, as the server sees them. */
  sessions(): Promise<Session[]>
  /** Resolves with the process of the one session that runs a statement of this text. */
  untilRunning(text: string): Promise<number>
}

/** How long what the server does by itself may take on a busy machine. */
export const PATIENCE = { timeout: 15_000, interval: 10 } as const

/** Starts the plugin on the run's server, or where the options say, and closes it when the test ends. */
export async function open(options: PostgresInput = {}, clock: Clock = systemClock(), watch?: string): Promise<Opened> {
  const name = `switchyard_${randomBytes(6).toString('hex')}`
  const where = options.url === undefined && options.host === undefined ? { url: serverUrl } : {}
  const plugin = await startPlugin(postgres({ ...where, applicationName: name, ...options }), { clock })
  onTestFinished(() => plugin.close())
  const sessions = (): Promise<Session[]> =>
    aside<Session & Record<string, unknown>>(
      'SELECT pid, state, query FROM pg_stat_activity WHERE application_name = $1 ORDER BY pid',
      [name],
      watch,
    )
  return {
    db: plugin.port(sql) as PostgresDatabase,
    plugin,
    name,
    sessions,
    async untilRunning(text) {
      const running = async (): Promise<number[]> =>
        (await sessions()).filter(({ state, query }) => state === 'active' && query === text).map(({ pid }) => pid)
      await expect.poll(running, PATIENCE).toHaveLength(1)
      return (await running())[0] as number
    },
  }
}

/** The first column of the first row. */
export async function firstValue(session: SqlSession, text: string, params: readonly unknown[] = []): Promise<unknown> {
  const { rows } = await session.query(text, params)
  return Object.values(rows[0] ?? {})[0]
}

/** The server process that answers. */
export async function pidOf(session: SqlSession): Promise<number> {
  return (await firstValue(session, 'SELECT pg_backend_pid()')) as number
}

/** A promise and its resolve: what a test holds work up with. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

/** What a promise rejects with; fails where it resolves. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => expect.unreachable(`it resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
}
