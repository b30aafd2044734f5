import { secret } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { type CacheRedisInput, redisOptions } from '../src/options.ts'
import { resolveTarget, tlsOf } from '../src/target.ts'

function target(input: CacheRedisInput) {
  const options = redisOptions.parse(input)
  return { ...resolveTarget(options, 'redis'), options }
}

const NODE = { host: 'a', port: 1 }

describe('refused, with the mend', () => {
  test.each<[string, CacheRedisInput, RegExp]>([
    ['two ways', { url: 'redis://a', cluster: [NODE] }, /`url` and `cluster`/],
    ['a port beside a URL', { url: 'redis://a', port: 1 }, /`port` goes with `host`/],
    ['a db of a cluster', { cluster: [NODE], db: 1 }, /database 0 only/],
    ['a certificate without its key', { tls: { cert: 'x' } }, /both `tls.cert` and `tls.key`/],
    ['TLS off under rediss:', { url: 'rediss://a', tls: { enabled: false } }, /rediss:/],
    ['no URL', { url: 'nowhere' }, /no URL/],
    ['another scheme', { url: 'http://a' }, /must be redis:/],
    ['parameters', { url: 'redis://a?db=1' }, /parameters/],
    ['a path that is no number', { url: 'redis://a/x' }, /number of a database/],
    ['a wrong escape', { url: 'redis://:%zz@a' }, /percent-encoded/],
  ])('%s', (_name, input, message) => {
    expect(() => target(input)).toThrow(message)
    expect(() => target(input)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })

  test.each<[string, object]>([
    ['an unknown option', { hots: 'a' }],
    ['braces in the prefix', { keyPrefix: '{x}' }],
    ['an empty prefix', { keyPrefix: '' }],
    ['no time', { commandTimeoutMs: 0 }],
    ['a name with a space', { clientName: 'a b' }],
    ['an empty cluster', { cluster: [] }],
  ])('%s', (_name, input) => {
    expect(redisOptions.safeParse(input).success).toBe(false)
  })
})

test('a URL says all, percent-encoded', () => {
  const { password, ...rest } = target({ url: 'rediss://ada:p%40ss@[::1]:7000/3' })
  expect(rest).toMatchObject({ kind: 'node', addresses: [{ host: '::1', port: 7000 }], username: 'ada', db: 3, tls: true })
  expect(password?.reveal()).toBe('p@ss')
})

test('options win over the URL, and nothing at all is localhost', () => {
  const own = target({ url: 'redis://ada:x@a/3', username: 'bob', password: 'y', db: 4 })
  expect(own).toMatchObject({ username: 'bob', db: 4, tls: false })
  expect(own.password?.reveal()).toBe('y')
  expect(target({})).toMatchObject({ addresses: [{ host: 'localhost', port: 6379 }], db: 0, clientName: 'switchyard/redis' })
})

test('nodes of a cluster and sentinels have the usual port where none is given', () => {
  expect(target({ cluster: [{ host: 'a' } as typeof NODE] })).toMatchObject({
    kind: 'cluster',
    addresses: [{ host: 'a', port: 6379 }],
  })
  expect(target({ sentinel: { nodes: [NODE], master: 'm' } })).toMatchObject({ kind: 'sentinel', addresses: [NODE] })
})

test('TLS verifies, and reveals the key to Node alone', () => {
  const { options, ...own } = target({ tls: { ca: 'ca', cert: 'cert', key: secret('key'), serverName: 'redis.internal' } })
  const wanted = { rejectUnauthorized: true, ca: 'ca', cert: 'cert', key: 'key', servername: 'redis.internal' }
  expect(tlsOf(options, own)).toEqual(wanted)
  expect(JSON.stringify(options)).not.toContain('"key":"key"')
  expect(tlsOf(target({}).options, target({}))).toBeUndefined()
})
