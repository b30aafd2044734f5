import { type ErrorCode, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { dialectOf, toHttp } from '../src/server/errors.ts'

describe('every code has a status and an OpenAI-shaped body', () => {
  test.each<[ErrorCode, number, string]>([
    ['INVALID_REQUEST', 400, 'invalid_request'],
    ['UNAUTHENTICATED', 401, 'invalid_api_key'],
    ['FORBIDDEN', 403, 'forbidden'],
    ['NOT_FOUND', 404, 'not_found'],
    ['TOO_LARGE', 413, 'request_too_large'],
    ['RATE_LIMITED', 429, 'rate_limit_exceeded'],
    ['BUDGET_EXCEEDED', 429, 'insufficient_quota'],
    ['OVERLOADED', 503, 'overloaded'],
    ['CIRCUIT_OPEN', 503, 'circuit_open'],
    ['CLOSED', 503, 'shutting_down'],
    ['TIMEOUT', 504, 'timeout'],
    ['UPSTREAM_UNAVAILABLE', 502, 'upstream_unavailable'],
    ['UPSTREAM_INVALID', 502, 'upstream_invalid'],
    ['UPSTREAM_TRUNCATED', 502, 'upstream_truncated'],
  ])('%s', (code, status, name) => {
    const failure = toHttp(new SwitchyardError(code, 'what was wrong'))
    expect(failure.status).toBe(status)
    expect(failure.body.error).toMatchObject({
      message: 'what was wrong',
      code: name,
      param: null,
      type: expect.stringMatching(/_error$|_quota$/),
    })
  })
})

test("an upstream's refusal of the request is handed on as it was", () => {
  const error = new SwitchyardError('UPSTREAM_REJECTED', 'context too long', {
    details: { status: 400, error: { type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' } },
  })
  expect(toHttp(error)).toMatchObject({
    status: 400,
    body: {
      error: { message: 'context too long', type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' },
    },
  })
})

test('a 401 names what it wants, and nothing else does', () => {
  expect(toHttp(new SwitchyardError('UNAUTHENTICATED', 'who?')).headers['www-authenticate']).toBe('Bearer')
  expect(toHttp(new SwitchyardError('FORBIDDEN', 'no')).headers['www-authenticate']).toBeUndefined()
})

test.each([401, 403])("a provider's %i is about our key with it: the client sees 502", (status) => {
  const failure = toHttp(new SwitchyardError('UPSTREAM_REJECTED', 'bad key', { details: { status } }))
  expect(failure.status).toBe(502)
  expect(failure.body.error).toMatchObject({ code: 'upstream_rejected' })
})

test('a stated wait becomes retry-after in whole seconds, rounded up, and in milliseconds', () => {
  const failure = toHttp(new SwitchyardError('RATE_LIMITED', 'slow down', { retryAfterMs: 1_200 }))
  expect(failure.headers).toMatchObject({ 'retry-after': '2', 'retry-after-ms': '1200', 'x-should-retry': 'true' })
})

test('an error tells limits by headers of its own, and may set no other header', () => {
  const headers = {
    ratelimit: '"calls";r=0;t=30',
    'x-ratelimit-remaining-requests': '0',
    'x-switchyard-budget': 'team',
    'retry-after': '99999',
    'set-cookie': 'a=b',
    'content-length': '1',
    'x-ratelimit-two-lines': 'a\r\nset-cookie: a=b',
    'x-ratelimit-number': 7,
  }
  const failure = toHttp(new SwitchyardError('RATE_LIMITED', 'slow down', { retryAfterMs: 1_200, details: { headers } }))
  expect(failure.headers).toEqual({
    'x-should-retry': 'true',
    'retry-after': '2',
    'retry-after-ms': '1200',
    ratelimit: '"calls";r=0;t=30',
    'x-ratelimit-remaining-requests': '0',
    'x-switchyard-budget': 'team',
  })
})

test('a delay without a retryAfterMs goes out as the error has it', () => {
  const error = new SwitchyardError('BUDGET_EXCEEDED', 'spent', { details: { headers: { 'retry-after': '3600' } } })
  expect(toHttp(error).headers).toEqual({ 'x-should-retry': 'false', 'retry-after': '3600' })
})

test('a bug tells the client nothing of itself', () => {
  const failure = toHttp(new TypeError('secret detail'))
  expect(failure.status).toBe(500)
  expect(JSON.stringify(failure.body)).not.toContain('secret detail')
  expect(failure.headers['x-should-retry']).toBe('false')
})

test.each<[ErrorCode, number]>([
  ['UPSTREAM_UNAVAILABLE', 503],
  ['RATE_LIMITED', 503],
  ['TIMEOUT', 503],
  ['INVALID_REQUEST', 400],
  ['ABORTED', 499],
])('%s after all targets were tried is %i, with the wait that is known', (code, status) => {
  const failure = toHttp(new SwitchyardError(code, 'x', { retryAfterMs: 500 }), { exhausted: true })
  expect(failure.status).toBe(status)
  expect(failure.headers['retry-after']).toBe('1')
})

describe('dialects', () => {
  test.each([
    ['/v1/messages', 'messages'],
    ['/v1/chat/completions', 'chat/completions'],
    ['/v1/nothing', 'chat/completions'],
    ['/admin/models', 'problem'],
  ])('of %s is %s', (path, dialect) => {
    expect(dialectOf(path)).toBe(dialect)
  })

  test("Anthropic's", () => {
    expect(toHttp(new SwitchyardError('UNAUTHENTICATED', 'who?'), { dialect: 'messages' })).toMatchObject({
      status: 401,
      body: { type: 'error', error: { type: 'authentication_error', message: 'who?' } },
    })
  })

  test('problem details, which tell nothing of a bug', () => {
    const error = new SwitchyardError('INVALID_REQUEST', 'limit: no', { details: { param: 'limit', nearest: ['a'] } })
    expect(toHttp(error, { dialect: 'problem' })).toMatchObject({
      contentType: 'application/problem+json',
      body: {
        type: 'about:blank',
        title: 'Bad Request',
        status: 400,
        detail: 'limit: no',
        code: 'INVALID_REQUEST',
        param: 'limit',
      },
    })
    const bug = toHttp(new Error('canary'), { dialect: 'problem' })
    expect(bug.body).toMatchObject({ status: 500, code: 'INTERNAL' })
    expect(JSON.stringify(bug.body)).not.toContain('canary')
  })
})
