import { SwitchyardError } from '@switchyard/contract'
import { errors } from 'undici'
import { describe, expect, test } from 'vitest'
import { type FailurePoint, toSwitchyardError } from '../src/errors.ts'

const withCode = (code: string): Error => Object.assign(new Error('secret path /v1?key=abc'), { code })
const parser = (message: string): Error => Object.assign(new errors.HTTPParserError(message), { data: 'reply bytes' })
const SENT: FailurePoint = { origin: 'https://a.test', sent: true, replied: false, plugin: 'models' }
const UNSENT: FailurePoint = { ...SENT, sent: false }
const REPLIED: FailurePoint = { ...SENT, replied: true }

describe('toSwitchyardError', () => {
  test.each([
    [withCode('ECONNREFUSED'), UNSENT, 'UPSTREAM_UNAVAILABLE', true],
    [withCode('ENOTFOUND'), UNSENT, 'UPSTREAM_UNAVAILABLE', true],
    [withCode('EAI_AGAIN'), UNSENT, 'UPSTREAM_UNAVAILABLE', true],
    [withCode('EHOSTUNREACH'), UNSENT, 'UPSTREAM_UNAVAILABLE', true],
    [withCode('CERT_HAS_EXPIRED'), UNSENT, 'UPSTREAM_UNAVAILABLE', true],
    [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), UNSENT, 'UPSTREAM_UNAVAILABLE', true],
    [withCode('ECONNRESET'), SENT, 'UPSTREAM_UNAVAILABLE', true],
    [withCode('EPIPE'), SENT, 'UPSTREAM_UNAVAILABLE', true],
    [new errors.SocketError('other side closed'), SENT, 'UPSTREAM_UNAVAILABLE', true],
    [new errors.SocketError('other side closed'), REPLIED, 'UPSTREAM_TRUNCATED', true],
    [withCode('ECONNRESET'), REPLIED, 'UPSTREAM_TRUNCATED', true],
    [withCode('ETIMEDOUT'), REPLIED, 'UPSTREAM_TRUNCATED', true],
    [withCode('EHOSTUNREACH'), REPLIED, 'UPSTREAM_TRUNCATED', true],
    [new errors.ResponseContentLengthMismatchError(), REPLIED, 'UPSTREAM_TRUNCATED', true],
    [new errors.ResponseContentLengthMismatchError(), SENT, 'UPSTREAM_INVALID', true],
    [parser('Response does not match the HTTP/1.1 protocol (Invalid EOF state)'), REPLIED, 'UPSTREAM_TRUNCATED', true],
    [
      parser('Response does not match the HTTP/1.1 protocol (Invalid character in chunk size)'),
      REPLIED,
      'UPSTREAM_INVALID',
      true,
    ],
    [parser('Response does not match the HTTP/1.1 protocol (Expected HTTP/)'), SENT, 'UPSTREAM_INVALID', true],
    [new errors.HeadersOverflowError(), SENT, 'UPSTREAM_INVALID', false],
    [new errors.ConnectTimeoutError(), UNSENT, 'TIMEOUT', true],
    [withCode('ETIMEDOUT'), UNSENT, 'TIMEOUT', true],
    [new errors.InvalidArgumentError('invalid x header'), UNSENT, 'INVALID_REQUEST', false],
    [new errors.RequestContentLengthMismatchError(), UNSENT, 'INVALID_REQUEST', false],
    [new errors.ClientDestroyedError(), UNSENT, 'CLOSED', false],
    [new errors.ClientClosedError(), UNSENT, 'CLOSED', false],
    [new TypeError('bug'), SENT, 'INTERNAL', false],
    [withCode('ERR_ASSERTION'), SENT, 'INTERNAL', false],
    ['not an error', SENT, 'INTERNAL', false],
    [undefined, SENT, 'INTERNAL', false],
  ])('%s', (cause, at, code, retryable) => {
    const error = toSwitchyardError(cause, at)
    expect(error).toMatchObject({ code, retryable, plugin: 'models', details: { origin: 'https://a.test', sent: at.sent } })
    expect(error.cause).toBe(cause)
    expect(error.message).toContain('https://a.test')
    expect(error.message).not.toContain('secret')
    expect(JSON.stringify(error.cause) ?? '').not.toContain('reply bytes')
  })

  test('an error of ours stays itself', () => {
    const error = new SwitchyardError('POLICY_REFUSED', 'no')
    expect(toSwitchyardError(error, SENT)).toBe(error)
  })

  test('without a plugin there is none', () => {
    expect(toSwitchyardError(withCode('EPIPE'), { ...SENT, plugin: undefined }).plugin).toBeUndefined()
  })
})
