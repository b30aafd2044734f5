import { type Isolation, type SqlSession, SwitchyardError } from '@switchyard/contract'
import type { Connection } from './connection.ts'
import { abortError, throwIfAborted, toSwitchyardError } from './errors.ts'
import { controlsTransaction } from './statement-text.ts'

export type TransactionOptions = { readonly signal?: AbortSignal; readonly isolation?: Isolation }

const BEGIN: Readonly<Record<Isolation, string>> = {
  'read committed': 'BEGIN ISOLATION LEVEL READ COMMITTED',
  'repeatable read': 'BEGIN ISOLATION LEVEL REPEATABLE READ',
  serializable: 'BEGIN ISOLATION LEVEL SERIALIZABLE',
}

/**
 * One transaction on a connection that the caller holds alone: begins, runs `work`, commits when it resolves, rolls back when it
 * rejects or the signal aborts. An abort does not wait for `work`: its session is closed under it, its statement cancelled.
 */
export async function runTransaction<T>(
  connection: Connection,
  work: (session: SqlSession) => Promise<T>,
  { signal, isolation }: TransactionOptions,
): Promise<T> {
  let open = true
  let lost: SwitchyardError | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function statement(text: string, params: readonly unknown[], callSignal: AbortSignal | undefined) {
    if (!open) throw new SwitchyardError('CLOSED', 'postgres: the transaction has ended, and its session with it')
    throwIfAborted(callSignal)
    if (controlsTransaction(text)) {
      const message = 'postgres: a session cannot begin or end its transaction; resolve the work to commit, reject to roll back'
      throw new SwitchyardError('INVALID_REQUEST', message)
    }
    try {
      const { rows, rowCount } = await connection.run(text, params, merged(signal, callSignal))
      // After a failure only ROLLBACK TO succeeds, and with it what is left is sound again.
      lost = undefined
      return { rows, rowCount }
    } catch (error) {
      if (!connection.usable || connection.status !== 'T') lost ??= toSwitchyardError(error)
      throw error
    }
  }

  const session: SqlSession = {
    query: ((text, params = [], options = {}) => {
      // One statement at a time: those that a session sends at once take turns.
      const next = last.then(() => statement(text, params, options.signal))
      last = next.catch(() => {})
      return next
    }) as SqlSession['query'],
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
    await connection.run(isolation === undefined ? 'BEGIN' : BEGIN[isolation], [], signal)
    const result = await Promise.race([work(session), aborted])
    open = false
    await last
    // The server would answer COMMIT of a failed transaction with a quiet rollback.
    if (lost !== undefined) throw lost
    await commit(connection)
    return result
  } finally {
    open = false
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
    await last
    if (connection.usable && connection.status !== 'I') await connection.reset()
  }
}

async function commit(connection: Connection): Promise<void> {
  const sent = connection.usable
  try {
    const { command } = await connection.run('COMMIT', [])
    if (command !== 'COMMIT') {
      throw new SwitchyardError('CONFLICT', 'postgres: the server rolled the transaction back at its commit', {
        retryable: true,
      })
    }
  } catch (error) {
    const known = !sent || (!SwitchyardError.is(error, 'UPSTREAM_UNAVAILABLE') && !SwitchyardError.is(error, 'TIMEOUT'))
    if (known) throw error
    const message = `${error.message}; whether the transaction was committed is not known`
    throw new SwitchyardError(error.code, message, {
      retryable: false,
      cause: error,
      details: { ...error.details, committed: 'unknown' },
    })
  }
}

function merged(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one !== undefined && other !== undefined ? AbortSignal.any([one, other]) : (one ?? other)
}
