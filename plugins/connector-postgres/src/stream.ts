import { type Clock, SwitchyardError } from '@switchyard/contract'
import type { Connection, Row, RowCursor } from './connection.ts'
import { abortError, throwIfAborted } from './errors.ts'
import type { PostgresOptions } from './options.ts'
import type { Lease } from './pool.ts'

/**
 * The rows of a statement by batches of `streamBatchRows`, in a transaction of its own: committed at the end and when the reader
 * leaves, rolled back on an error or an abort. The server's statement timeout would count the reader's pauses too, so it is off
 * here: each batch has `statementTimeoutMs`, each pause `idleTransactionTimeoutMs`, by the client's clock.
 */
export async function* streamRows(
  acquire: () => Promise<Lease<Connection>>,
  text: string,
  params: readonly unknown[],
  signal: AbortSignal | undefined,
  options: PostgresOptions,
  clock: Clock,
): AsyncGenerator<Row> {
  throwIfAborted(signal)
  const lease = await acquire()
  const { connection } = lease
  let cursor: RowCursor | undefined
  let paused = false
  let ended: Promise<void> | undefined
  let stopped: SwitchyardError | undefined

  async function finish(commit: boolean): Promise<void> {
    try {
      await cursor?.close()
      if (commit && connection.usable && connection.status === 'T') await connection.run('COMMIT', [])
    } finally {
      // What is still open here is rolled back by the pool.
      lease.release()
    }
  }
  const end = (commit: boolean): Promise<void> => {
    ended ??= finish(commit)
    return ended
  }
  /** Nobody may be reading, so the connection is freed from here. A running batch is cancelled by its own signal. */
  const stop = (error: SwitchyardError): void => {
    stopped = error
    if (paused) end(false).catch(() => {})
  }
  const onAbort = (): void => stop(abortError(signal as AbortSignal))
  signal?.addEventListener('abort', onAbort, { once: true })

  try {
    await connection.run('BEGIN', [], signal)
    await connection.run('SET LOCAL statement_timeout = 0', [], signal)
    cursor = connection.openCursor(text, params)
    for (;;) {
      const rows = await cursor.read(options.streamBatchRows, signal)
      if (rows.length === 0) break
      paused = true
      const cancelTimer = clock.schedule(options.idleTransactionTimeoutMs, () => {
        const message = `postgres: the stream’s reader paused for longer than ${options.idleTransactionTimeoutMs} ms (idleTransactionTimeoutMs)`
        stop(new SwitchyardError('TIMEOUT', message))
      })
      try {
        for (const row of rows) {
          yield row
          if (stopped !== undefined) throw stopped
        }
      } finally {
        cancelTimer()
        paused = false
      }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    await end(stopped === undefined)
  }
}
