import { type Clock, type SqlResult, SwitchyardError } from '@switchyard/contract'
import type pg from 'pg'
import Cursor from 'pg-cursor'
import { sendCancelRequest } from './cancel-request.ts'
import { abortError, sqlState, throwIfAborted, toSwitchyardError } from './errors.ts'
import { openClient } from './open-client.ts'
import type { PostgresOptions } from './options.ts'
import { preparedNames } from './prepared-names.ts'
import { changesSession, firstWord, isEmpty } from './statement-text.ts'
import type { Target } from './target.ts'
import { toPostgres, types } from './values.ts'

export type Row = Record<string, unknown>

/** A statement that hands its rows out by batches. */
export interface RowCursor {
  /** The next rows; none at the end. */
  read(most: number, signal: AbortSignal | undefined): Promise<readonly Row[]>
  close(): Promise<void>
}

/** One connection. One statement at a time; its users take turns. Errors are SwitchyardErrors. */
export interface Connection {
  readonly bornAt: number
  /** False once the connection is lost, dropped, or in a state that nobody should inherit. */
  readonly usable: boolean
  /** True where no transaction is open, no statement runs, and none has left anything in the session. */
  readonly clean: boolean
  /** `I` outside a transaction, `T` inside one, `E` inside one that has failed. */
  readonly status: 'I' | 'T' | 'E' | null
  /** An abort cancels the statement at the server; it rejects when that has ended, or been dropped after `cancelTimeoutMs`. */
  run(text: string, params: readonly unknown[], signal?: AbortSignal): Promise<SqlResult<Row> & { readonly command: string }>
  openCursor(text: string, params: readonly unknown[]): RowCursor
  /** Rolls back, and makes the session as new where a statement may have changed it. False where that failed; it is dropped then. */
  reset(): Promise<boolean>
  /** Says goodbye, without waiting. */
  end(): void
  /** Cuts the connection; what runs on it rejects. */
  destroy(): void
  onLost(listener: () => void): void
}

/** What the server's own timeout is given over ours to come first. */
const SERVER_FIRST_MS = 1_000

/** Opens a connection and watches it. */
export async function openConnection(target: Target, options: PostgresOptions, clock: Clock): Promise<Connection> {
  const client = await openClient(target, options, clock)
  const { processID: processId, secretKey } = client as unknown as { readonly processID: number; readonly secretKey: number }
  const names = preparedNames(options.pgbouncer ? 0 : options.preparedStatements)
  const patienceMs = options.statementTimeoutMs + (options.pgbouncer ? 0 : SERVER_FIRST_MS)
  const bornAt = clock.monotonic()
  /** The driver's record of what the server has by name, which it never clears. */
  const { parsedStatements } = client.connection as unknown as { readonly parsedStatements: Record<string, string> }
  let lost = false
  let running = 0
  let stateful = false
  let lostBy: unknown

  const lose = (error?: unknown): void => {
    lost = true
    lostBy ??= error
  }
  client.on('error', lose)
  client.on('end', lose)

  function destroy(): void {
    lost = true
    client.connection.stream.destroy()
  }

  /** After an error the server still has to say that it is ready; only then is the status right. */
  async function ready(): Promise<void> {
    if (lost || (client as unknown as { readonly readyForQuery: boolean }).readyForQuery) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancelTimer()
        client.connection.off('readyForQuery', done)
        client.off('end', done)
        resolve()
      }
      const cancelTimer = clock.schedule(options.cancelTimeoutMs, destroy)
      client.connection.once('readyForQuery', done)
      client.once('end', done)
    })
  }

  function lateError(): SwitchyardError {
    return new SwitchyardError(
      'TIMEOUT',
      `postgres: the statement ran for longer than ${options.statementTimeoutMs} ms (statementTimeoutMs)`,
    )
  }

  function meaningOf(error: unknown, elapsedMs: number): SwitchyardError {
    if (sqlState(error) === '57014' && elapsedMs >= options.statementTimeoutMs) return lateError()
    // A server that ends a session says why once, also when nothing runs; what comes after is told only that it is gone.
    return toSwitchyardError(sqlState(error) === undefined && sqlState(lostBy) !== undefined ? lostBy : error)
  }

  /** Runs one exchange with the server under the caller's signal and our own patience. */
  async function supervise<T>(exchange: () => Promise<T>, signal: AbortSignal | undefined, patience = patienceMs): Promise<T> {
    throwIfAborted(signal)
    const began = clock.monotonic()
    let asked: SwitchyardError | undefined
    let cancelled: Promise<void> | undefined
    let cancelDrop = (): void => {}
    const interrupt = (error: SwitchyardError): void => {
      if (asked !== undefined) return
      asked = error
      cancelled = sendCancelRequest(target, { processId, secretKey }, clock, options.cancelTimeoutMs)
      cancelDrop = clock.schedule(options.cancelTimeoutMs, destroy)
    }
    const onAbort = (): void => interrupt(abortError(signal as AbortSignal))
    const cancelPatience = clock.schedule(patience, () => interrupt(lateError()))
    signal?.addEventListener('abort', onAbort, { once: true })
    running++
    try {
      const value = await exchange()
      // It finished first. The cancel may strike whatever the connection runs next, so nothing will.
      if (asked !== undefined) destroy()
      return value
    } catch (error) {
      await ready()
      if (lost && sqlState(lostBy) === undefined) lostBy = error
      throw asked ?? meaningOf(error, clock.monotonic() - began)
    } finally {
      running--
      signal?.removeEventListener('abort', onAbort)
      cancelPatience()
      await cancelled
      cancelDrop()
    }
  }

  /** Outside a transaction only: a name that the server has lost would fail it. */
  async function deallocateObsolete(signal: AbortSignal | undefined): Promise<void> {
    if (client.getTransactionStatus() !== 'I') return
    const held = names.takeObsolete().filter((name) => name in parsedStatements)
    if (held.length === 0) return
    for (const name of held) delete parsedStatements[name]
    await supervise(() => client.query(held.map((name) => `DEALLOCATE "${name}"`).join(';')).catch(ready), signal)
  }

  function send(text: string, values: unknown[], name: string | undefined, signal: AbortSignal | undefined) {
    // `extended` keeps the server from taking more than one statement.
    const query = { text, values, queryMode: 'extended', ...(name === undefined ? {} : { name }) }
    return supervise(() => client.query<Row>(query as pg.QueryConfig), signal)
  }

  async function execute(text: string, values: unknown[], signal: AbortSignal | undefined): Promise<pg.QueryResult<Row>> {
    await deallocateObsolete(signal)
    const name = names.nameOf(text)
    try {
      return await send(text, values, name, signal)
    } catch (error) {
      if (name === undefined || !isStale(error)) throw error
      // What changed the tables of one has most likely changed those of others.
      names.forgetAll()
      if (lost || client.getTransactionStatus() !== 'I') {
        const message = 'postgres: a prepared statement no longer fits its tables; run the transaction again'
        throw new SwitchyardError('CONFLICT', message, { retryable: true, details: { vendorCode: error.details?.vendorCode } })
      }
      return await send(text, values, undefined, signal)
    }
  }

  /** Checks what goes to the server, before anything does. */
  function bind(text: string, params: readonly unknown[]): unknown[] {
    if (isEmpty(text)) throw new SwitchyardError('INVALID_REQUEST', 'postgres: the text holds no statement')
    if (text.includes('\0')) throw new SwitchyardError('INVALID_REQUEST', 'postgres: the text holds a NUL character')
    // It speaks a protocol of its own, for which the port has no shape.
    if (firstWord(text) === 'COPY') {
      throw new SwitchyardError('INVALID_REQUEST', 'postgres: COPY is not offered; use stream() to read and INSERT to write')
    }
    const values = params.map(toPostgres)
    if (changesSession(text)) stateful = true
    return values
  }

  return {
    bornAt,
    get usable() {
      return !lost
    },
    get clean() {
      return running === 0 && !stateful && client.getTransactionStatus() === 'I'
    },
    get status() {
      return client.getTransactionStatus()
    },
    async run(text, params, signal) {
      const values = bind(text, params)
      const { rows, rowCount, command } = await execute(text, values, signal)
      return { rows, rowCount: rowCount ?? 0, command }
    },
    openCursor(text, params) {
      const values = bind(text, params)
      const cursor = new Cursor<Row>(text, values, { types: types as unknown as NonNullable<pg.ClientConfig['types']> })
      let submitted = false
      return {
        read(most, signal) {
          return supervise(
            () => {
              if (!submitted) client.query(cursor)
              submitted = true
              return cursor.read(most)
            },
            signal,
            options.statementTimeoutMs,
          )
        },
        async close() {
          if (!submitted || lost) return
          const cancelDrop = clock.schedule(options.cancelTimeoutMs, destroy)
          const gone = Promise.withResolvers<void>()
          client.once('end', gone.resolve)
          await Promise.race([closeCursor(cursor), gone.promise])
          client.off('end', gone.resolve)
          cancelDrop()
        },
      }
    },
    async reset() {
      if (running > 0) destroy()
      if (lost) return false
      const cancelDrop = clock.schedule(options.cancelTimeoutMs, destroy)
      try {
        if (client.getTransactionStatus() !== 'I') await client.query('ROLLBACK')
        if (stateful) {
          await client.query('DISCARD ALL')
          for (const name of Object.keys(parsedStatements)) delete parsedStatements[name]
          stateful = false
        }
        return client.getTransactionStatus() === 'I'
      } catch {
        destroy()
        return false
      } finally {
        cancelDrop()
      }
    },
    end() {
      lost = true
      client.end().catch(() => {})
    },
    destroy,
    onLost(listener) {
      client.once('end', listener)
      client.once('error', listener)
    },
  }

  /** A cursor that failed has been synchronised already: closing it again would wait for an answer that never comes. */
  async function closeCursor(cursor: Cursor<Row>): Promise<void> {
    if ((cursor as unknown as { readonly state: string }).state === 'error') await ready()
    else await cursor.close()
  }
}

/** The statement was prepared for tables as they were, or for another server session. */
function isStale(error: unknown): error is SwitchyardError {
  if (!SwitchyardError.is(error)) return false
  const { vendorCode, routine } = error.details ?? {}
  return vendorCode === '26000' || (vendorCode === '0A000' && routine === 'RevalidateCachedQuery')
}
