import { type ErrorCode, SwitchyardError } from '@switchyard/contract'

interface Meaning {
  readonly code: ErrorCode
  readonly retryable?: boolean
}

/** Result codes of SQLite, primary and extended, where they mean something to a caller: https://www.sqlite.org/rescode.html */
const MEANINGS: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [1, { code: 'INVALID_REQUEST' }], // ERROR: syntax, unknown table, failing function
  [3, { code: 'FORBIDDEN' }], // PERM
  [4, { code: 'CONFLICT', retryable: true }], // ABORT: a rollback ended the statement
  [5, { code: 'OVERLOADED' }], // BUSY: another process held the file for too long
  [6, { code: 'OVERLOADED' }], // LOCKED
  [7, { code: 'OVERLOADED' }], // NOMEM
  [8, { code: 'FORBIDDEN' }], // READONLY
  [9, { code: 'ABORTED' }], // INTERRUPT
  [10, { code: 'UPSTREAM_UNAVAILABLE' }], // IOERR
  [11, { code: 'UPSTREAM_INVALID', retryable: false }], // CORRUPT
  [13, { code: 'UPSTREAM_UNAVAILABLE', retryable: false }], // FULL
  [14, { code: 'UPSTREAM_UNAVAILABLE', retryable: false }], // CANTOPEN
  [17, { code: 'CONFLICT', retryable: true }], // SCHEMA changed under the statement, again and again
  [18, { code: 'TOO_LARGE' }], // TOOBIG
  [19, { code: 'CONFLICT', retryable: false }], // CONSTRAINT
  [20, { code: 'INVALID_REQUEST' }], // MISMATCH
  [23, { code: 'FORBIDDEN' }], // AUTH
  [25, { code: 'INVALID_REQUEST' }], // RANGE: more parameters than placeholders
  [26, { code: 'UPSTREAM_INVALID', retryable: false }], // NOTADB
  [517, { code: 'CONFLICT', retryable: true }], // BUSY_SNAPSHOT: read, then wrote after another had
  [3091, { code: 'INVALID_REQUEST' }], // CONSTRAINT_DATATYPE: wrong type in a STRICT table
])

/** The result code of an error of node:sqlite, undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, errcode } = error as Error & { readonly code?: unknown; readonly errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode : undefined
}

/**
 * What node:sqlite threw, as a SwitchyardError; one that is so already is returned as it is. SQLite's own words are kept, which
 * may quote the statement's text but never a parameter. `details.vendorCode` is the extended result code.
 */
export function toSwitchyardError(error: unknown, plugin?: string): SwitchyardError {
  if (SwitchyardError.is(error)) return error
  const named = plugin === undefined ? {} : { plugin }
  const vendorCode = sqliteCode(error)
  if (vendorCode !== undefined) {
    const meaning = MEANINGS.get(vendorCode) ?? MEANINGS.get(vendorCode & 0xff) ?? { code: 'INTERNAL' as const }
    const retryable = meaning.retryable === undefined ? {} : { retryable: meaning.retryable }
    const details = { vendorCode }
    return new SwitchyardError(meaning.code, `sqlite: ${(error as Error).message}`, {
      ...named,
      ...retryable,
      details,
      cause: error,
    })
  }
  const code = error instanceof Error ? (error as Error & { readonly code?: unknown }).code : undefined
  if (code === 'ERR_INVALID_ARG_TYPE' || code === 'ERR_INVALID_ARG_VALUE') {
    return new SwitchyardError('INVALID_REQUEST', `sqlite: ${(error as Error).message}`, { ...named, cause: error })
  }
  return new SwitchyardError('INTERNAL', 'sqlite: an error that connector-sqlite does not know; see its cause', {
    ...named,
    cause: error,
  })
}

/**
 * What an aborted signal asks to reject with: its reason where that is a SwitchyardError, as the kernel's are, else `TIMEOUT` for
 * `AbortSignal.timeout` and `ABORTED` for the rest.
 */
export function abortError(signal: AbortSignal): SwitchyardError {
  const reason: unknown = signal.reason
  if (SwitchyardError.is(reason)) return reason
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError'
  return timedOut
    ? new SwitchyardError('TIMEOUT', 'sqlite: the caller’s time for the call was up', { cause: reason })
    : new SwitchyardError('ABORTED', 'sqlite: the caller aborted the call', { cause: reason })
}

/** @throws SwitchyardError as {@link abortError} has it, where the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal)
}

/** What every call on a closed database rejects with. */
export function closedError(): SwitchyardError {
  return new SwitchyardError('CLOSED', 'sqlite: the database is closed')
}
