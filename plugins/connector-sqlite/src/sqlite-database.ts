import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { type CallOptions, type Clock, type SqlDatabase, type SqlResult, SwitchyardError } from '@switchyard/contract'
import { type Connection, openConnection, type Row } from './connection.ts'
import { closedError, sqliteCode, throwIfAborted, toSwitchyardError } from './errors.ts'
import { type LaneStats, lane } from './lane.ts'
import type { SqliteOptions } from './options.ts'
import { type Held, readers as makeReaders } from './readers.ts'
import { isRead } from './statement-text.ts'
import { runTransaction, type TransactionOptions } from './transaction.ts'

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (cause) {
    throw new SwitchyardError('UPSTREAM_UNAVAILABLE', `sqlite: the folder ${folder} cannot be made`, {
      retryable: false,
      cause,
    })
  }
}

/** First wait for another process's lock; each further wait is twice as long, up to the second number. */
const BUSY_WAIT_MS = { first: 2, longest: 100 } as const
/** A stream lets other work run after so many rows, since SQLite itself never does. */
const ROWS_BETWEEN_TURNS = 256

export interface SqliteStats {
  readonly writer: LaneStats
  readonly readers: LaneStats
}

/** The `sql` port on one SQLite file, and what its owner needs beside it. */
export interface SqliteDatabase extends SqlDatabase {
  /** Turns held and waited for, now. */
  stats(): SqliteStats
  /** Runs a statement that touches no table. */
  probe(): void
  /** Refuses what waits and what comes with `CLOSED`, rolls an open transaction back, closes the file. Idempotent. */
  close(): void
}

export interface Surroundings {
  readonly clock: Clock
  readonly random: () => number
}

/**
 * Opens the file and brings it into WAL mode. One connection writes, its turns taken in order; others only read. Rejects as SQLite
 * does when the file cannot be opened, with `OVERLOADED` when another process holds it for longer than `busyTimeoutMs`.
 */
export async function openSqlite(options: SqliteOptions, { clock, random }: Surroundings): Promise<SqliteDatabase> {
  const inMemory = options.path === ':memory:'
  const turns = { maxWaiting: options.maxWaiting, acquireTimeoutMs: options.acquireTimeoutMs, clock }
  const writerLane = lane({ ...turns, name: 'the writer', capacity: 1 })
  const readerLane = lane({ ...turns, name: 'a reader', capacity: options.maxReaders })
  const open = (readOnly: boolean): Connection =>
    openConnection(options.path, { readOnly, cacheSize: options.statementCacheSize })
  let closed = false

  async function attempt<T>(step: () => T, signal: AbortSignal | undefined): Promise<T> {
    const deadline = clock.monotonic() + options.busyTimeoutMs
    for (let wait: number = BUSY_WAIT_MS.first; ; wait = Math.min(wait * 2, BUSY_WAIT_MS.longest)) {
      try {
        if (closed) throw closedError()
        return step()
      } catch (error) {
        if (sqliteCode(error) !== 5 || clock.monotonic() >= deadline) throw toSwitchyardError(error)
      }
      await clock.sleep(wait * (0.5 + random() / 2), signal).catch(() => throwIfAborted(signal))
    }
  }

  const writer = await start()
  const readers = makeReaders(readerLane, () => open(true))

  async function start(): Promise<Connection> {
    try {
      if (!inMemory && !options.readOnly) makeFolder(dirname(options.path))
      const connection = open(options.readOnly && !inMemory)
      try {
        if (!inMemory && !options.readOnly) await attempt(() => connection.run('PRAGMA journal_mode = WAL', []), undefined)
        await attempt(() => connection.run(`PRAGMA synchronous = ${options.synchronous}`, []), undefined)
        return connection
      } catch (error) {
        connection.close()
        throw error
      }
    } catch (error) {
      throw toSwitchyardError(error)
    }
  }

  async function holdWriter(holder: string, signal: AbortSignal | undefined): Promise<Held> {
    const release = writerLane.tryAcquire(holder) ?? (await writerLane.acquire(holder, signal))
    return { connection: writer, release }
  }

  /** A transaction that a lone statement has opened would swallow what comes next. */
  function refuseLeftOpen(connection: Connection): void {
    if (closed || !connection.inTransaction) return
    connection.rollback()
    const message = 'sqlite: the statement left a transaction open, which was rolled back; use transaction()'
    throw new SwitchyardError('INVALID_REQUEST', message)
  }

  async function runOn(held: Held, text: string, params: readonly unknown[], signal: AbortSignal | undefined) {
    try {
      return await attempt(() => {
        const result = held.connection.run(text, params)
        refuseLeftOpen(held.connection)
        return result
      }, signal)
    } finally {
      held.release()
    }
  }

  async function query<R>(text: string, params: readonly unknown[] = [], { signal }: CallOptions = {}): Promise<SqlResult<R>> {
    throwIfAborted(signal)
    const release = writerLane.tryAcquire('query')
    const held =
      release !== undefined
        ? { connection: writer, release }
        : !inMemory && isRead(text)
          ? await readers.acquire('query', signal)
          : await holdWriter('query', signal)
    return (await runOn(held, text, params, signal)) as SqlResult<R>
  }

  async function transaction<T>(
    work: Parameters<SqlDatabase['transaction']>[0],
    transactionOptions: TransactionOptions = {},
  ): Promise<T> {
    throwIfAborted(transactionOptions.signal)
    const held = await holdWriter('transaction', transactionOptions.signal)
    try {
      const begin = options.readOnly ? 'BEGIN' : 'BEGIN IMMEDIATE'
      return (await runTransaction(writer, begin, attempt, work, transactionOptions)) as T
    } finally {
      held.release()
    }
  }

  function advance(rows: Iterator<Row> | undefined): IteratorResult<Row> {
    if (closed || rows === undefined) throw closedError()
    try {
      return rows.next()
    } catch (error) {
      throw toSwitchyardError(error)
    }
  }

  async function* stream(text: string, params: readonly unknown[] = [], { signal }: CallOptions = {}): AsyncGenerator<Row> {
    throwIfAborted(signal)
    const held = await (!inMemory && isRead(text) ? readers.acquire('stream', signal) : holdWriter('stream', signal))
    let rows: Iterator<Row> | undefined
    const end = (): void => {
      signal?.removeEventListener('abort', end)
      if (!closed) rows?.return?.()
      rows = undefined
      held.release()
    }
    signal?.addEventListener('abort', end, { once: true })
    try {
      let step = await attempt(() => {
        rows?.return?.()
        rows = held.connection.iterate(text, params)
        return rows.next()
      }, signal)
      for (let count = 1; step.done !== true; count++) {
        yield step.value
        if (count % ROWS_BETWEEN_TURNS === 0) await new Promise(setImmediate)
        throwIfAborted(signal)
        step = advance(rows)
      }
      refuseLeftOpen(held.connection)
    } finally {
      end()
    }
  }

  return {
    capabilities: Object.freeze({ dialect: 'sqlite', transactions: true, streaming: true, cancel: false }),
    query,
    transaction: transaction as SqlDatabase['transaction'],
    stream: stream as SqlDatabase['stream'],
    stats: () => ({ writer: writerLane.stats(), readers: readerLane.stats() }),
    probe() {
      if (closed) throw closedError()
      try {
        writer.run('SELECT 1', [])
      } catch (error) {
        throw toSwitchyardError(error)
      }
    },
    close() {
      if (closed) return
      closed = true
      writerLane.close()
      readers.close()
      writer.close()
    },
  }
}
