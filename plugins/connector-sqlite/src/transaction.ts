import { type Isolation, type SqlResult, type SqlSession, SwitchyardError } from '@switchyard/contract'
import type { Connection } from './connection.ts'
import { abortError, throwIfAborted, toSwitchyardError } from './errors.ts'
import { controlsTransaction } from './statement-text.ts'

/** Runs a step on the connection, again while another process holds the file, and maps its error. */
export type Attempt = <T>(step: () => T, signal: AbortSignal | undefined) => Promise<T>

/** Every level of the contract is met: SQLite has one writer, so all its transactions are serializable. */
export type TransactionOptions = { readonly signal?: AbortSignal; readonly isolation?: Isolation }

/**
 * One transaction on a connection that the caller holds alone: begins, runs `work`, commits when it resolves, rolls back when it
 * rejects or the signal aborts. An abort does not wait for `work`: its session is closed under it.
 */
export async function runTransaction<T>(
  connection: Connection,
  begin: 'BEGIN' | 'BEGIN IMMEDIATE',
  attempt: Attempt,
  work: (session: SqlSession) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const { signal } = options
  let open = true
  let lost: SwitchyardError | undefined

  function assertOpen(): void {
    if (!open) throw new SwitchyardError('CLOSED', 'sqlite: the transaction has ended, and its session with it')
  }

  const session: SqlSession = {
    async query<Row>(text: string, params: readonly unknown[] = [], call: { readonly signal?: AbortSignal } = {}) {
      assertOpen()
      throwIfAborted(call.signal)
      if (controlsTransaction(text)) {
        const message = 'sqlite: a session cannot begin or end its transaction; resolve the work to commit, reject to roll back'
        throw new SwitchyardError('INVALID_REQUEST', message)
      }
      try {
        return (await attempt(() => {
          assertOpen()
          return connection.run(text, params)
        }, call.signal)) as SqlResult<Row>
      } catch (error) {
        // A full disk or ON CONFLICT ROLLBACK ends the whole transaction, not the statement alone.
        if (open && !connection.inTransaction) {
          open = false
          lost = toSwitchyardError(error)
        }
        throw error
      }
    },
  }

  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    if (signal === undefined) return
    onAbort = () => {
      open = false
      reject(abortError(signal))
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
  aborted.catch(() => {})
  try {
    await attempt(() => {
      connection.rollback()
      connection.run(begin, [])
    }, signal)
    throwIfAborted(signal)
    const result = await Promise.race([work(session), aborted])
    open = false
    if (lost !== undefined) throw lost
    await attempt(() => connection.run('COMMIT', []), undefined)
    return result
  } finally {
    open = false
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
    rollBack(connection)
  }
}

/** A failed rollback must not hide why it was needed; the next transaction on the connection tries again. */
function rollBack(connection: Connection): void {
  try {
    connection.rollback()
  } catch {}
}
