import { type Clock, SwitchyardError, secret } from '@switchyard/contract'
import pg from 'pg'
import { toSwitchyardError } from './errors.ts'
import type { PostgresOptions } from './options.ts'
import type { Target } from './target.ts'
import { tlsOptions } from './tls.ts'
import { types } from './values.ts'

/** What the server is told at the start of a session, so that text means one thing whatever the role's or database's defaults. */
function startOptions(options: PostgresOptions): string {
  const settings: Record<string, string | number> = {
    client_encoding: 'UTF8',
    DateStyle: 'ISO',
    bytea_output: 'hex',
    statement_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: options.idleTransactionTimeoutMs,
  }
  if (options.searchPath.length > 0) settings.search_path = options.searchPath.join(',')
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
}

/**
 * Logs in. Every setting that the driver would else take from PG... variables or a password file is given. Rejects with
 * SwitchyardError, `UPSTREAM_UNAVAILABLE` after `connectTimeoutMs`, whatever it hangs in; its socket is destroyed by then.
 */
export async function openClient(target: Target, options: PostgresOptions, clock: Clock): Promise<pg.Client> {
  const ssl = tlsOptions(target)
  let passwordFailure: unknown
  const client = new pg.Client({
    host: target.host,
    port: target.port,
    database: target.database,
    user: target.user,
    password: (async () => {
      try {
        return await reveal(target)
      } catch (error) {
        passwordFailure = error
        throw error
      }
    }) as () => Promise<string>,
    ssl,
    sslnegotiation: 'postgres',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: target.applicationName,
    types: types as unknown as NonNullable<pg.ClientConfig['types']>,
    ...(options.pgbouncer ? {} : { options: startOptions(options) }),
  })
  // Without a listener, the loss of an idle connection would end the process.
  client.on('error', () => {})
  let late = false
  const cancelTimer = clock.schedule(options.connectTimeoutMs, () => {
    late = true
    client.connection.stream.destroy()
  })
  try {
    await client.connect()
    return client
  } catch (error) {
    client.connection.stream.destroy()
    if (late) {
      const message = `postgres: no connection to ${target.host}:${target.port} within ${options.connectTimeoutMs} ms (connectTimeoutMs)`
      throw new SwitchyardError('UPSTREAM_UNAVAILABLE', message, { details: { sent: false } })
    }
    if (passwordFailure !== undefined) {
      throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'postgres: the `password` function failed; see its cause', {
        cause: passwordFailure,
        details: { sent: false },
      })
    }
    const { code, message, retryable, cause, details } = toSwitchyardError(error)
    throw new SwitchyardError(code, message, { retryable, cause, details: { ...details, sent: false } })
  } finally {
    cancelTimer()
  }
}

async function reveal({ password }: Target): Promise<string | undefined> {
  const given = typeof password === 'function' ? await password() : password
  return given === undefined ? undefined : secret(given).reveal()
}
