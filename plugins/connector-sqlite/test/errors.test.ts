import { DatabaseSync } from 'node:sqlite'
import { type ErrorCode, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { abortError, sqliteCode, toSwitchyardError } from '../src/errors.ts'

function sqliteError(errcode: number): Error {
  return Object.assign(new Error('as SQLite says it'), { code: 'ERR_SQLITE_ERROR', errcode, errstr: 'short' })
}

const TABLE: readonly (readonly [number, ErrorCode, boolean])[] = [
  [1, 'INVALID_REQUEST', false],
  [2, 'INTERNAL', false],
  [3, 'FORBIDDEN', false],
  [4, 'CONFLICT', true],
  [5, 'OVERLOADED', true],
  [261, 'OVERLOADED', true], // BUSY_RECOVERY
  [517, 'CONFLICT', true], // BUSY_SNAPSHOT
  [6, 'OVERLOADED', true],
  [7, 'OVERLOADED', true],
  [8, 'FORBIDDEN', false],
  [1032, 'FORBIDDEN', false], // READONLY_DBMOVED
  [9, 'ABORTED', false],
  [10, 'UPSTREAM_UNAVAILABLE', true],
  [3338, 'UPSTREAM_UNAVAILABLE', true], // IOERR_ACCESS
  [11, 'UPSTREAM_INVALID', false],
  [13, 'UPSTREAM_UNAVAILABLE', false],
  [14, 'UPSTREAM_UNAVAILABLE', false],
  [17, 'CONFLICT', true],
  [18, 'TOO_LARGE', false],
  [19, 'CONFLICT', false],
  [275, 'CONFLICT', false], // CHECK
  [787, 'CONFLICT', false], // FOREIGNKEY
  [1299, 'CONFLICT', false], // NOTNULL
  [1555, 'CONFLICT', false], // PRIMARYKEY
  [2067, 'CONFLICT', false], // UNIQUE
  [3091, 'INVALID_REQUEST', false], // DATATYPE
  [20, 'INVALID_REQUEST', false],
  [21, 'INTERNAL', false],
  [23, 'FORBIDDEN', false],
  [25, 'INVALID_REQUEST', false],
  [26, 'UPSTREAM_INVALID', false],
]

describe('toSwitchyardError', () => {
  test.each(TABLE)('result code %i is %s, retryable %s', (errcode, code, retryable) => {
    const error = toSwitchyardError(sqliteError(errcode))
    expect(error).toMatchObject({ code, retryable, message: 'sqlite: as SQLite says it', details: { vendorCode: errcode } })
    expect(error.cause).toBeInstanceOf(Error)
  })

  test('keeps a SwitchyardError as it is', () => {
    const error = new SwitchyardError('TIMEOUT', 'late')
    expect(toSwitchyardError(error)).toBe(error)
  })

  test('calls what it does not know INTERNAL, with the cause', () => {
    const cause = new TypeError('a bug')
    expect(toSwitchyardError(cause)).toMatchObject({ code: 'INTERNAL', cause })
    expect(toSwitchyardError('thrown text')).toMatchObject({ code: 'INTERNAL', cause: 'thrown text' })
  })

  test('blames the caller for what node:sqlite calls an invalid argument', () => {
    const cause = Object.assign(new TypeError('not a statement'), { code: 'ERR_INVALID_ARG_VALUE' })
    expect(toSwitchyardError(cause)).toMatchObject({ code: 'INVALID_REQUEST', message: 'sqlite: not a statement' })
  })

  test('reads the codes that node:sqlite really throws', () => {
    const database = new DatabaseSync(':memory:')
    database.exec('CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES (1)')
    expect.assertions(2)
    try {
      database.exec('INSERT INTO t VALUES (1)')
    } catch (error) {
      expect(sqliteCode(error)).toBe(2067)
      expect(toSwitchyardError(error).code).toBe('CONFLICT')
    }
    database.close()
  })
})

describe('abortError', () => {
  test('is the signal’s own SwitchyardError', () => {
    const reason = new SwitchyardError('TIMEOUT', 'deadline')
    expect(abortError(AbortSignal.abort(reason))).toBe(reason)
  })

  test('is TIMEOUT for a timeout of the platform’s and ABORTED for the rest', () => {
    expect(abortError(AbortSignal.abort(new DOMException('late', 'TimeoutError')))).toMatchObject({ code: 'TIMEOUT' })
    expect(abortError(AbortSignal.abort())).toMatchObject({ code: 'ABORTED' })
    expect(abortError(AbortSignal.abort('why not'))).toMatchObject({ code: 'ABORTED', cause: 'why not' })
  })
})
