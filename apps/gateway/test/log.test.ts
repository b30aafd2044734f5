import { inspect } from 'node:util'
import { secret } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { recordedLog } from './support/recorded-log.ts'

const CANARY = 'sk-canary-0123'

function logged(fields: object): string {
  const { log, lines } = recordedLog('info')
  log.info(fields, 'm')
  return JSON.stringify(lines())
}

describe('what is a secret by its name is never in clear', () => {
  const names = [
    ...['authorization', 'Authorization', 'proxy-authorization', 'cookie', 'set-cookie'],
    ...['x-portkey-api-key', 'x-api-key', 'api-key', 'x-goog-api-key', 'x-portkey-virtual-key', 'x-amz-security-token'],
    ...['apiKey', 'api_key', 'OPENAI_API_KEY', 'password', 'secret', 'clientSecret', 'token', 'access_token', 'refreshToken'],
  ]

  test.each(names)('%s', (name) => {
    const headers = { [name]: CANARY, 'x-other': 'kept' }
    const places = [
      headers,
      { headers },
      { request: { headers } },
      { a: { b: { c: { d: { headers } } } } },
      { list: [[headers]] },
      { headers: { ...headers, [name]: [CANARY, CANARY] } },
      { err: Object.assign(new Error('failed'), { request: { headers } }) },
      { err: new Error('outer', { cause: Object.assign(new Error('inner'), { headers }) }) },
      { reason: Object.assign(new Error('not called err'), { headers }) },
    ]
    for (const place of places) {
      const line = logged(place)
      expect(line, inspect(place, { depth: 9 })).not.toContain('canary')
    }
    expect(logged({ headers })).toContain(`"headers":{"${name}":"[redacted]","x-other":"kept"}`)
  })

  test('nor by its type, under any name', () => {
    expect(logged({ value: secret(CANARY), inside: [{ value: secret(CANARY) }] })).not.toContain('canary')
  })

  test('nor below the depth that is looked through, nor in a circle', () => {
    let deep: object = { token: CANARY }
    for (let level = 0; level < 30; level++) deep = { deep }
    const circle: Record<string, unknown> = { token: CANARY }
    circle.self = circle
    expect(logged({ deep, circle })).not.toContain('canary')
  })

  test('what was given stays as it was', () => {
    const given = Object.freeze({ headers: Object.freeze({ authorization: CANARY }) })
    logged(given)
    expect(given.headers.authorization).toBe(CANARY)
  })
})

test('all else is told: counts of tokens, dates, and an error with stack and cause', () => {
  const { log, lines } = recordedLog('info')
  const at = new Date(0)
  log.warn({ inputTokens: 3, tokens: ['a'], at, err: new TypeError('outer', { cause: new Error('inner') }) }, 'said')
  expect(lines()[0]).toMatchObject({
    level: 'warn',
    msg: 'said',
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    inputTokens: 3,
    tokens: ['a'],
    at: at.toJSON(),
    err: { type: 'TypeError', message: 'outer: inner', stack: expect.stringContaining('log.test') },
  })
})

test('the level can be changed while it runs', () => {
  const { log, lines } = recordedLog('info')
  log.debug({}, 'not yet')
  log.setLevel('debug')
  log.debug({}, 'now')
  log.setLevel('error')
  log.warn({}, 'no more')
  log.error({}, 'this')
  log.setLevel('silent')
  log.error({}, 'nothing')
  log.flush()
  expect(lines().map(({ msg }) => msg)).toEqual(['now', 'this'])
})
