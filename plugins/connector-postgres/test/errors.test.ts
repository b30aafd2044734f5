import { type ErrorCode, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { abortError, sqlState, throwIfAborted, toSwitchyardError } from '../src/errors.ts'

function serverError(code: string, message = 'as the server says it', more: object = {}): Error {
  return Object.assign(new Error(message), { code, severity: 'ERROR', ...more })
}

const STATES: readonly (readonly [string, ErrorCode, boolean])[] = [
  ['08006', 'UPSTREAM_UNAVAILABLE', true],
  ['08P01', 'INVALID_REQUEST', false],
  ['0A000', 'INVALID_REQUEST', false],
  ['21000', 'INVALID_REQUEST', false],
  ['22012', 'INVALID_REQUEST', false],
  ['22P02', 'INVALID_REQUEST', false],
  ['23502', 'CONFLICT', false],
  ['23503', 'CONFLICT', false],
  ['23505', 'CONFLICT', false],
  ['23514', 'CONFLICT', false],
  ['23P01', 'CONFLICT', false],
  ['24000', 'INVALID_REQUEST', false],
  ['25001', 'INVALID_REQUEST', false],
  ['25006', 'FORBIDDEN', false],
  ['25P02', 'INVALID_REQUEST', false],
  ['25P03', 'TIMEOUT', true],
  ['25P04', 'TIMEOUT', true],
  ['26000', 'UPSTREAM_INVALID', true],
  ['28000', 'UPSTREAM_REJECTED', false],
  ['28P01', 'UPSTREAM_REJECTED', false],
  ['2BP01', 'CONFLICT', false],
  ['2D000', 'INVALID_REQUEST', false],
  ['34000', 'INVALID_REQUEST', false],
  ['38000', 'INVALID_REQUEST', false],
  ['39000', 'INVALID_REQUEST', false],
  ['3B001', 'INVALID_REQUEST', false],
  ['3D000', 'UPSTREAM_REJECTED', false],
  ['3F000', 'INVALID_REQUEST', false],
  ['40001', 'CONFLICT', true],
  ['40P01', 'CONFLICT', true],
  ['40002', 'CONFLICT', false],
  ['40003', 'UPSTREAM_UNAVAILABLE', false],
  ['42601', 'INVALID_REQUEST', false],
  ['42P01', 'INVALID_REQUEST', false],
  ['42501', 'FORBIDDEN', false],
  ['42P05', 'UPSTREAM_INVALID', true],
  ['44000', 'CONFLICT', false],
  ['53100', 'UPSTREAM_UNAVAILABLE', false],
  ['53200', 'OVERLOADED', true],
  ['53300', 'OVERLOADED', true],
  ['54000', 'TOO_LARGE', false],
  ['55000', 'INVALID_REQUEST', false],
  ['55006', 'CONFLICT', true],
  ['55P03', 'CONFLICT', true],
  ['57014', 'ABORTED', false],
  ['57P01', 'UPSTREAM_UNAVAILABLE', true],
  ['57P02', 'UPSTREAM_UNAVAILABLE', true],
  ['57P03', 'UPSTREAM_UNAVAILABLE', true],
  ['57P04', 'UPSTREAM_UNAVAILABLE', false],
  ['57P05', 'UPSTREAM_UNAVAILABLE', true],
  ['58030', 'UPSTREAM_UNAVAILABLE', true],
  ['F0000', 'UPSTREAM_UNAVAILABLE', true],
  ['HV000', 'UPSTREAM_UNAVAILABLE', true],
  ['P0001', 'INVALID_REQUEST', false],
  ['XX000', 'UPSTREAM_INVALID', false],
  ['99999', 'UPSTREAM_INVALID', false],
]

/** What sockets, TLS and the driver throw. */
const OTHERS: readonly (readonly [string | undefined, string, ErrorCode, boolean])[] = [
  ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1', 'UPSTREAM_UNAVAILABLE', true],
  ['ECONNRESET', 'read ECONNRESET', 'UPSTREAM_UNAVAILABLE', true],
  ['ENOTFOUND', 'getaddrinfo ENOTFOUND db', 'UPSTREAM_UNAVAILABLE', true],
  ['EAI_AGAIN', 'getaddrinfo EAI_AGAIN db', 'UPSTREAM_UNAVAILABLE', true],
  ['ENOENT', 'connect ENOENT /run/.s.PGSQL.5432', 'UPSTREAM_UNAVAILABLE', true],
  [undefined, 'Connection terminated unexpectedly', 'UPSTREAM_UNAVAILABLE', true],
  [undefined, 'Client has encountered a connection error and is not queryable', 'UPSTREAM_UNAVAILABLE', true],
  [undefined, 'There was an error establishing an SSL connection', 'UPSTREAM_UNAVAILABLE', true],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain', 'UPSTREAM_REJECTED', false],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', 'UPSTREAM_REJECTED', false],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate', 'UPSTREAM_REJECTED', false],
  ['CERT_HAS_EXPIRED', 'certificate has expired', 'UPSTREAM_REJECTED', false],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'Hostname/IP does not match', 'UPSTREAM_REJECTED', false],
  [undefined, 'The server does not support SSL connections', 'UPSTREAM_REJECTED', false],
  [undefined, 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string', 'UPSTREAM_REJECTED', false],
  ['ERR_OSSL_UNSUPPORTED', 'error:1E08010C:DECODER routines::unsupported', 'UPSTREAM_REJECTED', false],
  ['ERR_OSSL_X509_KEY_VALUES_MISMATCH', 'key values mismatch', 'UPSTREAM_REJECTED', false],
  [undefined, 'received invalid response: 78', 'UPSTREAM_INVALID', false],
  [undefined, 'Received unexpected dataRow message from backend.', 'UPSTREAM_INVALID', false],
  [undefined, 'something else', 'INTERNAL', false],
]

describe('toSwitchyardError', () => {
  test.each(STATES)('SQLSTATE %s is %s, retryable %s', (state, code, retryable) => {
    expect(toSwitchyardError(serverError(state))).toMatchObject({ code, retryable, details: { vendorCode: state } })
  })

  test.each(OTHERS)('%s (%s) is %s, retryable %s', (vendorCode, message, code, retryable) => {
    const cause = Object.assign(new Error(message), vendorCode === undefined ? {} : { code: vendorCode })
    const error = toSwitchyardError(cause)
    expect(error).toMatchObject({ code, retryable, cause })
    expect(error.message).toMatch(/^postgres: /)
  })

  test('keeps a SwitchyardError as it is', () => {
    const error = new SwitchyardError('CLOSED', 'closed')
    expect(toSwitchyardError(error)).toBe(error)
  })

  test('takes what is no Error at all', () => {
    expect(toSwitchyardError('text')).toMatchObject({ code: 'INTERNAL', cause: 'text' })
    expect(toSwitchyardError(undefined)).toMatchObject({ code: 'INTERNAL' })
  })

  test('tells facts of the schema and nothing of the rows', () => {
    const error = toSwitchyardError(
      serverError('23505', 'duplicate key value violates unique constraint "users_email_key"', {
        detail: 'Key (email)=(canary@example.org) already exists.',
        table: 'users',
        constraint: 'users_email_key',
        where: 'canary',
        internalQuery: 'canary',
      }),
    )
    expect(error.details).toEqual({ vendorCode: '23505', severity: 'ERROR', table: 'users', constraint: 'users_email_key' })
    expect(error.cause).toBeUndefined()
    expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.toContain('canary')
  })

  test('leaves out the value that a data error quotes', () => {
    const error = toSwitchyardError(serverError('22P02', 'invalid input syntax for type integer: "canary"'))
    expect(error.message).toBe('postgres: invalid input syntax for type integer')
  })

  test('names the option that a pooling proxy asks for', () => {
    expect(toSwitchyardError(serverError('26000')).message).toContain('`pgbouncer: true`')
    expect(toSwitchyardError(serverError('42P05')).message).toContain('`pgbouncer: true`')
  })
})

test('sqlState tells a server’s error from a socket’s', () => {
  expect(sqlState(serverError('57014'))).toBe('57014')
  expect(sqlState(Object.assign(new Error('x'), { code: 'EPIPE' }))).toBeUndefined()
  expect(sqlState('57014')).toBeUndefined()
})

describe('abortError', () => {
  test('is the signal’s own SwitchyardError', () => {
    const reason = new SwitchyardError('TIMEOUT', 'deadline')
    expect(abortError(AbortSignal.abort(reason))).toBe(reason)
    expect(() => throwIfAborted(AbortSignal.abort(reason))).toThrow(reason)
  })

  test('is TIMEOUT for a timeout of the platform’s and ABORTED for the rest', () => {
    expect(abortError(AbortSignal.abort(new DOMException('late', 'TimeoutError')))).toMatchObject({ code: 'TIMEOUT' })
    expect(abortError(AbortSignal.abort())).toMatchObject({ code: 'ABORTED' })
  })
})
