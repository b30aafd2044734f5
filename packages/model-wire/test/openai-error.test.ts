import { expect, test } from 'vitest'
import { inBandError, openaiError } from '../src/index.ts'

const failed = (status: number, body: string, retryAfterMs?: number) =>
  openaiError({ status, body: Buffer.from(body), plugin: 'p', retryAfterMs })

test.each([
  [400, 'UPSTREAM_REJECTED', false],
  [401, 'UPSTREAM_REJECTED', false],
  [403, 'UPSTREAM_REJECTED', false],
  [404, 'UPSTREAM_REJECTED', false],
  [408, 'TIMEOUT', true],
  [422, 'UPSTREAM_REJECTED', false],
  [429, 'RATE_LIMITED', true],
  [500, 'UPSTREAM_UNAVAILABLE', true],
  [529, 'UPSTREAM_UNAVAILABLE', true],
])('%i is %s', (status, code, retryable) => {
  expect(failed(status, '{"error":{"message":"why","type":"t","param":"p","code":"c"}}')).toMatchObject({
    code,
    retryable,
    plugin: 'p',
    details: { status, error: { message: 'why', type: 't', param: 'p', code: 'c' } },
  })
})

test.each([
  ['<html><h1>Bad Gateway</h1></html>', 'Bad Gateway'],
  ['', 'it said nothing'],
  ['{"error":"just text"}', 'just text'],
  ['{"message":"no envelope"}', 'no envelope'],
])('%j is told as %s', (body, message) => {
  expect(failed(502, body).message).toContain(message)
})

test('keys are redacted and messages bounded', () => {
  const { message } = failed(
    401,
    JSON.stringify({ error: { message: `Incorrect API key sk-proj-abcdef123456 Bearer abc.def ${'x'.repeat(5_000)}` } }),
  )
  expect(message).not.toMatch(/sk-proj|abc\.def/)
  expect(message.length).toBeLessThan(600)
})

test('a stated wait is kept', () => {
  expect(failed(429, '{}', 1_500).retryAfterMs).toBe(1_500)
})

test.each([
  [{ type: 'overloaded_error' }, 'UPSTREAM_UNAVAILABLE'],
  [{ code: 429 }, 'RATE_LIMITED'],
  [{ type: 'timeout_error' }, 'TIMEOUT'],
  [{ message: 'odd' }, 'UPSTREAM_INVALID'],
  [42, 'UPSTREAM_INVALID'],
])('in band %j is %s', (error, code) => {
  expect(inBandError(error, 'p').code).toBe(code)
})
