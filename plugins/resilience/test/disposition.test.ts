import { type ErrorCode, type ErrorOptions, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { type Disposition, dispositionOf } from '../src/disposition.ts'

const said = (code: string): NonNullable<ErrorOptions['details']> => ({ status: 400, error: { message: 'no', code } })

const inBand = (type: string): ErrorOptions => ({ details: { error: { message: 'no', type } } })
const forbidden = (code: string): ErrorOptions => ({ details: { status: 403, error: { message: 'no', code } } })

/** What happened, the error it became, and what the reference's table says: same target, next target, breaker. */
const TABLE: readonly [string, ErrorCode, ErrorOptions, Disposition['same'], Disposition['next'], boolean][] = [
  ['refused, reset, DNS, TLS', 'UPSTREAM_UNAVAILABLE', { details: { sent: false } }, true, true, true],
  ['connect timeout', 'TIMEOUT', { details: { phase: 'connect', sent: false } }, true, true, true],
  ['headers timeout', 'TIMEOUT', { details: { phase: 'headers' } }, true, true, true],
  ['a timeout that says no more', 'TIMEOUT', {}, true, true, true],
  ['500', 'UPSTREAM_UNAVAILABLE', { details: { status: 500 } }, true, true, true],
  ['529', 'UPSTREAM_UNAVAILABLE', { details: { status: 529 } }, true, true, true],
  ['broken for good', 'UPSTREAM_UNAVAILABLE', { retryable: false }, false, true, true],
  ['first reply timeout', 'TIMEOUT', { details: { phase: 'first', sent: true } }, false, true, true],
  ['idle before content', 'TIMEOUT', { details: { phase: 'bodyIdle' } }, false, true, true],
  ['too little time for this target', 'TIMEOUT', { details: { phase: 'too-near', sent: false } }, false, true, false],
  ['our own reader was slow', 'TIMEOUT', { retryable: false, details: { phase: 'reader' } }, false, false, false],
  ['cut before content', 'UPSTREAM_TRUNCATED', {}, 'once', true, true],
  ['garbage before content', 'UPSTREAM_INVALID', {}, 'once', true, true],
  ['a reply that is too large', 'UPSTREAM_INVALID', { retryable: false }, false, true, true],
  ['429 with a delay', 'RATE_LIMITED', { retryAfterMs: 500, details: { status: 429 } }, true, true, false],
  ['429, quota used up', 'RATE_LIMITED', { details: said('insufficient_quota') }, false, true, false],
  ['a limit of ours', 'RATE_LIMITED', { retryAfterMs: 500, details: { guard: 'rate-limit' } }, false, true, false],
  ['401', 'UPSTREAM_REJECTED', { details: { status: 401 } }, false, true, false],
  ['402', 'UPSTREAM_REJECTED', { details: { status: 402 } }, false, true, false],
  ['403', 'UPSTREAM_REJECTED', { details: { status: 403 } }, false, true, false],
  ['an authentication error inside a 200', 'UPSTREAM_REJECTED', inBand('authentication_error'), false, true, false],
  ['a 403 for content', 'UPSTREAM_REJECTED', forbidden('content_policy'), false, 'by-option', false],
  ['a 403 for a model', 'UPSTREAM_REJECTED', forbidden('model_not_found'), false, true, false],
  ['408', 'TIMEOUT', { details: { status: 408 } }, true, true, false],
  ['425', 'UPSTREAM_REJECTED', { details: { status: 425 } }, true, true, false],
  ['400', 'UPSTREAM_REJECTED', { details: { status: 400 } }, false, false, false],
  ['404', 'UPSTREAM_REJECTED', { details: { status: 404 } }, false, false, false],
  ['413', 'UPSTREAM_REJECTED', { details: { status: 413 } }, false, false, false],
  ['422', 'UPSTREAM_REJECTED', { details: { status: 422 } }, false, false, false],
  ['window too small', 'UPSTREAM_REJECTED', { details: said('context_length_exceeded') }, false, true, false],
  ['feature missing', 'UPSTREAM_REJECTED', { details: said('unsupported_parameter') }, false, true, false],
  ['model gone', 'UPSTREAM_REJECTED', { details: said('model_not_found') }, false, true, false],
  ['content refused', 'UPSTREAM_REJECTED', { details: said('content_policy_violation') }, false, 'by-option', false],
  ['no such endpoint there', 'UNSUPPORTED', {}, false, true, false],
  ['no such model there', 'NOT_FOUND', {}, false, true, false],
  ['a breaker is open', 'CIRCUIT_OPEN', { retryAfterMs: 1_000, details: { guard: 'breaker' } }, false, true, false],
  ['our queue is full', 'OVERLOADED', { details: { guard: 'bulkhead' } }, false, true, false],
  ["a target's own queue is full", 'OVERLOADED', { details: { sent: false } }, true, true, false],
  ['a serialization failure', 'CONFLICT', { retryable: true }, true, true, false],
  ['a duplicate key', 'CONFLICT', {}, false, false, false],
  ['client gone', 'ABORTED', {}, false, false, false],
  ['client gone, whatever it says', 'ABORTED', { retryable: true }, false, false, false],
  ['the request is wrong', 'INVALID_REQUEST', {}, false, false, false],
  ['the budget is used up', 'BUDGET_EXCEEDED', {}, false, false, false],
  ['the budget is used up, and goes down', 'BUDGET_EXCEEDED', { details: { downRoute: true } }, false, true, false],
  ['a policy refused', 'POLICY_REFUSED', {}, false, false, false],
  ['our own bug', 'INTERNAL', {}, false, true, true],
]

describe('what a failure before any content means', () => {
  test.each(TABLE)('%s (%s)', (_name, code, options, same, next, failure) => {
    expect(dispositionOf(new SwitchyardError(code, 'x', options))).toEqual({ same, next, failure })
  })

  test.each([new TypeError('x is not a function'), undefined, 'no', { code: 'TIMEOUT' }])(
    'what is no SwitchyardError is a bug: %s',
    (error) => {
      expect(dispositionOf(error)).toEqual({ same: false, next: true, failure: true })
    },
  )

  test('words decide nothing', () => {
    const error = new SwitchyardError('UPSTREAM_REJECTED', 'context_length_exceeded', {
      details: { status: 400, error: { message: 'context_length_exceeded' } },
    })
    expect(dispositionOf(error).next).toBe(false)
  })
})
