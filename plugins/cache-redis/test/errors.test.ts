import { SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { toSwitchyardError } from '../src/errors.ts'

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError', command: { name: 'auth', args: ['s3cret'] } })
}

function socket(code: string, message = `connect ${code}`): Error {
  return Object.assign(new Error(message), { code })
}

const OOM = "OOM command not allowed when used memory > 'maxmemory'."

describe('an error reply', () => {
  test.each<[string, string, boolean, RegExp]>([
    ["READONLY You can't write against a read only replica.", 'UPSTREAM_UNAVAILABLE', true, /replica now/],
    ['LOADING Redis is loading the dataset in memory', 'UPSTREAM_UNAVAILABLE', true, /reading its data/],
    ['MASTERDOWN Link with MASTER is down', 'UPSTREAM_UNAVAILABLE', true, /MASTER is down/],
    ['CLUSTERDOWN Hash slot not served', 'UPSTREAM_UNAVAILABLE', true, /not served/],
    ['MOVED 3999 127.0.0.1:6381', 'UPSTREAM_UNAVAILABLE', true, /option cluster/],
    ["CROSSSLOT Keys in request don't hash to the same slot", 'INVALID_REQUEST', false, /one \{tag\}/],
    [OOM, 'OVERLOADED', true, /maxmemory/],
    [`ERR Error running script (call to f_1): @user_script:1: -${OOM}`, 'OVERLOADED', true, /maxmemory/],
    ['MISCONF Redis is configured to save RDB snapshots', 'UPSTREAM_UNAVAILABLE', true, /cannot save/],
    ['BUSY Redis is busy running a script.', 'OVERLOADED', true, /script of somebody/],
    ['NOAUTH Authentication required.', 'UPSTREAM_REJECTED', false, /username and password/],
    ['WRONGPASS invalid username-password pair', 'UPSTREAM_REJECTED', false, /username and password/],
    ["NOPERM this user has no permissions to run the 'evalsha' command", 'UPSTREAM_REJECTED', false, /README/],
    ['WRONGTYPE Operation against a key', 'UPSTREAM_INVALID', false, /keyPrefix/],
    ['ERR DB index is out of range', 'UPSTREAM_REJECTED', false, /option db/],
    ['ERR max number of clients reached', 'OVERLOADED', true, /clients/],
    ["ERR unknown command 'EVALSHA'", 'UPSTREAM_REJECTED', false, /6.2/],
    ['ERR something else', 'UPSTREAM_INVALID', false, /something else/],
  ])('%s is %s', (message, code, retryable, words) => {
    const error = toSwitchyardError(reply(message))
    expect(error).toMatchObject({ code, retryable })
    expect(error.message).toMatch(words)
    expect(error.cause, 'the command of the cause may hold a password').toBeUndefined()
    expect(error.details?.vendorCode).toMatch(/^[A-Z]+$/)
  })
})

describe('an error of the client', () => {
  test.each<[Error, string, Record<string, unknown>]>([
    [socket('ECONNREFUSED'), 'UPSTREAM_UNAVAILABLE', { vendorCode: 'ECONNREFUSED' }],
    [socket('ETIMEDOUT'), 'UPSTREAM_UNAVAILABLE', { vendorCode: 'ETIMEDOUT' }],
    [socket('ENOTFOUND'), 'UPSTREAM_UNAVAILABLE', { vendorCode: 'ENOTFOUND' }],
    [socket('SELF_SIGNED_CERT_IN_CHAIN'), 'UPSTREAM_REJECTED', { vendorCode: 'SELF_SIGNED_CERT_IN_CHAIN' }],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), 'UPSTREAM_UNAVAILABLE', { sent: false }],
    [new Error("Cluster isn't ready and enableOfflineQueue options is false"), 'UPSTREAM_UNAVAILABLE', { sent: false }],
  ])('%s is %s', (error, code, details) => {
    expect(toSwitchyardError(error)).toMatchObject({ code, details })
  })

  test.each(['Connection is closed.', 'Reached the max retries per request limit', 'Socket timeout. Expecting data'])(
    '%s does not say that nothing was sent',
    (message) => {
      const error = toSwitchyardError(new Error(message))
      expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true, details: undefined })
    },
  )

  test('what all nodes of a cluster failed with is told by the last of them', () => {
    const all = Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: socket('ECONNREFUSED') })
    expect(toSwitchyardError(all)).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', details: { vendorCode: 'ECONNREFUSED' } })
  })

  test('an unknown one keeps its cause, one of ours stays as it is', () => {
    const odd = new TypeError('odd')
    expect(toSwitchyardError(odd)).toMatchObject({ code: 'INTERNAL', cause: odd })
    expect(toSwitchyardError(undefined)).toMatchObject({ code: 'INTERNAL' })
    const ours = new SwitchyardError('CONFLICT', 'ours')
    expect(toSwitchyardError(ours)).toBe(ours)
  })
})
