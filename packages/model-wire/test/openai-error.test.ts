import { inspect } from 'node:util'
import type { SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { inBandError, openaiError, relayStream, relayWhole } from '../src/index.ts'

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

test('a body of openings is read once: read again at each, it would hold everyone up for seconds', () => {
  const body = '<'.repeat(1_000_000)
  expect(failed(502, body).message).toContain('<<<')
})

test('keys are redacted and messages bounded', () => {
  const { message } = failed(
    401,
    JSON.stringify({ error: { message: `Incorrect API key sk-proj-abcdef123456 Bearer abc.def ${'x'.repeat(5_000)}` } }),
  )
  expect(message).not.toMatch(/sk-proj|abc\.def/)
  expect(message.length).toBeLessThan(600)
})

describe('a credential of no known form, repeated by the upstream, is in no error', () => {
  const secret = '3f9a71c2d84e4b5a'
  const secrets = [secret]
  const bare = (error: SwitchyardError): void => {
    expect(error.message).toContain('[redacted]')
    expect(inspect(error, { depth: 9 })).not.toContain(secret)
  }

  test.each([
    `{"error":{"message":"bad key ${secret}","type":"${secret}","param":"${secret}","code":"${secret}"}}`,
    `{"message":"bad key ${secret}"}`,
    `{"error":"bad key ${secret}"}`,
    `<b>bad key ${secret}</b>`,
    `${'x'.repeat(480)} ${secret}`,
  ])('with a status: %s', (body) => {
    bare(openaiError({ status: 401, body: Buffer.from(body), plugin: 'p', secrets }))
  })

  test('in a 200, whole, streamed, or in place of a stream', async () => {
    const request = { endpoint: 'chat/completions', model: 'p/m', body: {}, stream: true } as const
    const options = { plugin: 'p', request, secrets }
    const failed = JSON.stringify({ error: { message: `bad key ${secret}` } })
    const ended = JSON.stringify({ choices: [{ finish_reason: `error ${secret}` }] })
    const stream = async (text: string): Promise<unknown> => {
      const body = {
        destroy: () => {},
        async *[Symbol.asyncIterator]() {
          yield Buffer.from(text)
        },
      }
      return relayStream({ status: 200, headers: {}, body }, options).catch((error: unknown) => error)
    }
    const whole = async (text: string): Promise<unknown> => relayWhole({ status: 200, headers: {} }, Buffer.from(text), options)
    for (const text of [failed, `${failed}\n\n`, `data: ${failed}\n\n`, `data: ${ended}\n\n`]) {
      bare((await stream(text)) as SwitchyardError)
    }
    for (const text of [failed, ended]) bare((await whole(text).catch((error: unknown) => error)) as SwitchyardError)
  })

  test('a short one is a word', () => {
    const body = Buffer.from('{"error":{"message":"no such model in eu-west"}}')
    expect(openaiError({ status: 404, body, plugin: 'p', secrets: ['eu-west', ''] }).message).toContain('eu-west')
  })
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
