import { describe, expect, test } from 'vitest'
import { type ErrorCode, SwitchyardError } from '../src/index.ts'

const RETRYABLE = [
  'RATE_LIMITED',
  'OVERLOADED',
  'CIRCUIT_OPEN',
  'TIMEOUT',
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_INVALID',
  'UPSTREAM_TRUNCATED',
] as const
const FINAL = [
  'CONFIG_INVALID',
  'CONTRACT_UNSUPPORTED',
  'DEPENDENCY_MISSING',
  'DEPENDENCY_CYCLE',
  'STARTUP_FAILED',
  'CLOSED',
  'INVALID_REQUEST',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'TOO_LARGE',
  'UNSUPPORTED',
  'BUDGET_EXCEEDED',
  'ABORTED',
  'POLICY_REFUSED',
  'UPSTREAM_REJECTED',
  'INTERNAL',
] as const

/** Fails to compile when the contract has a code that this table has not. */
type Told = (typeof RETRYABLE)[number] | (typeof FINAL)[number]
const everyCodeIsTold: [Exclude<ErrorCode, Told>, Exclude<Told, ErrorCode>] extends [never, never] ? true : false = true

describe('retryable by code', () => {
  test.each([...RETRYABLE.map((code) => [code, true] as const), ...FINAL.map((code) => [code, false] as const)])(
    '%s: %s',
    (code, retryable) => {
      expect(everyCodeIsTold).toBe(true)
      expect(new SwitchyardError(code, 'x').retryable).toBe(retryable)
      expect(new SwitchyardError(code, 'x', { retryable: !retryable }).retryable).toBe(!retryable)
    },
  )
})

test('is an Error that keeps its facts', () => {
  const cause = new Error('root')
  const error = new SwitchyardError('RATE_LIMITED', 'slow down', {
    retryAfterMs: 250,
    plugin: 'fax',
    cause,
    details: { status: 429 },
  })
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: 'SwitchyardError', code: 'RATE_LIMITED', message: 'slow down', retryAfterMs: 250 })
  expect(error).toMatchObject({ plugin: 'fax', cause, details: { status: 429 } })
  expect(error.stack).toContain('error.test.ts')
})

test('has no cause where none was given', () => {
  expect('cause' in new SwitchyardError('INTERNAL', 'x')).toBe(false)
})

test('is known by its brand and code', () => {
  const error = new SwitchyardError('CONFLICT', 'x')
  expect(SwitchyardError.is(error)).toBe(true)
  expect(SwitchyardError.is(error, 'CONFLICT')).toBe(true)
  expect(SwitchyardError.is(error, 'TIMEOUT')).toBe(false)
})

test.each([undefined, null, 'text', 7, {}, new Error('x'), { code: 'CONFLICT', name: 'SwitchyardError' }])(
  '%o is none',
  (value) => {
    expect(SwitchyardError.is(value)).toBe(false)
  },
)

test('the brand does not show', () => {
  const error = new SwitchyardError('CONFLICT', 'x')
  const brand = Symbol.for('@switchyard/error')
  expect(Object.getOwnPropertyDescriptor(error, brand)).toMatchObject({ value: true, enumerable: false, writable: false })
})
