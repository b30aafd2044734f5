import { type CallOptions, type Clock, type SqlDatabase, type SqlResult, SwitchyardError } from '@switchyard/contract'
import { type Connection, openConnection } from './connection.ts'
import { throwIfAborted } from './errors.ts'
import type { PostgresOptions } from './options.ts'
import { type PoolStats, pool } from './pool.ts'
import { streamRows } from './stream.ts'
import type { Target } from './target.ts'
import { runTransaction } from './transaction.ts'

/** The `sql` port on one PostgreSQL, and what its owner needs beside it. */
export interface PostgresDatabase extends SqlDatabase {
  /** The pool, now. */
  stats(): PoolStats
  /** Asks the server for an answer. */
  probe(signal?: AbortSignal): Promise<void>
  /** Refuses what waits and what comes with `CLOSED`, lets what runs end for a while, closes the connections. Idempotent. */
  close(): Promise<void>
}

export interface Surroundings {
  readonly clock: Clock
  readonly random: () => number
}

/** How long what still runs at close may go on. */
const CLOSE_GRACE_MS = 5_000

/** Makes the database. Connects when first used. */
export function postgresDatabase(target: Target, options: PostgresOptions, { clock, random }: Surroundings): PostgresDatabase {
  const connections = pool<Connection>({
    open: () => openConnection(target, options, clock),
    max: options.poolMax,
    maxConnecting: options.maxConnecting,
    maxWaiting: options.maxWaiting,
    acquireTimeoutMs: options.acquireTimeoutMs,
    idleTimeoutMs: options.idleTimeoutMs,
    maxLifetimeMs: options.maxLifetimeMs,
    clock,
    random,
  })

  async function query<R>(text: string, params: readonly unknown[] = [], { signal }: CallOptions = {}): Promise<SqlResult<R>> {
    throwIfAborted(signal)
    const lease = await connections.acquire('query', signal)
    try {
      const { rows, rowCount } = await lease.connection.run(text, params, signal)
      if (lease.connection.usable && lease.connection.status !== 'I') {
        await lease.connection.reset()
        const message = 'postgres: the statement left a transaction open, which was rolled back; use transaction()'
        throw new SwitchyardError('INVALID_REQUEST', message)
      }
      return { rows: rows as R[], rowCount }
    } finally {
      lease.release()
    }
  }

  return {
    capabilities: Object.freeze({ dialect: 'postgres', transactions: true, streaming: true, cancel: true }),
    query,
    async transaction(work, transactionOptions = {}) {
      throwIfAborted(transactionOptions.signal)
      const lease = await connections.acquire('transaction', transactionOptions.signal)
      try {
        return await runTransaction(lease.connection, work, transactionOptions)
      } finally {
        lease.release()
      }
    },
    stream: ((text, params = [], { signal } = {}) =>
      streamRows(() => connections.acquire('stream', signal), text, params, signal, options, clock)) as SqlDatabase['stream'],
    stats: () => connections.stats(),
    async probe(signal) {
      await query('SELECT 1', [], signal === undefined ? {} : { signal })
    },
    close: () => connections.close(CLOSE_GRACE_MS),
  }
}
