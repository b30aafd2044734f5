import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSecret } from '@switchyard/contract'
import { afterAll, describe, expect, test } from 'vitest'
import { type PostgresInput, postgresOptions } from '../src/index.ts'
import { resolveTarget, type Target } from '../src/target.ts'
import { tlsOptions } from '../src/tls.ts'

const folder = mkdtempSync(join(tmpdir(), 'switchyard-postgres-'))
const pem = join(folder, 'ca.crt')
writeFileSync(pem, 'PEM')
afterAll(() => rmSync(folder, { recursive: true }))

function resolve(input: PostgresInput): Target {
  const outcome = postgresOptions['~standard'].validate(input) as {
    value: Parameters<typeof resolveTarget>[0]
    issues?: unknown
  }
  expect(outcome.issues).toBeUndefined()
  return resolveTarget(outcome.value, 'orders')
}

const modeOf = (url: string, more: PostgresInput = {}): string => resolve({ url, ...more }).tls.mode

describe('the address', () => {
  test('comes from the URL, percent-decoded', () => {
    const target = resolve({ url: 'postgres://a%40b:p%2Fw@db.example.org:6543/my%20db?sslmode=disable&application_name=app' })
    expect(target).toMatchObject({ host: 'db.example.org', port: 6543, database: 'my db', user: 'a@b', applicationName: 'app' })
    expect(isSecret(target.password) && target.password.reveal()).toBe('p/w')
  })

  test('has defaults: localhost, 5432, the database of the user’s name, an application name of the instance’s', () => {
    expect(resolve({ user: 'ada' })).toMatchObject({
      host: 'localhost',
      port: 5432,
      database: 'ada',
      user: 'ada',
      password: undefined,
      applicationName: 'switchyard/orders',
    })
  })

  test.each([
    ['postgres://ada@[::1]/x', '::1', 5432, 'disable'],
    ['postgres://ada@[2001:db8::1]:6543/x', '2001:db8::1', 6543, 'verify-full'],
    ['postgres://ada@/x?host=/run/postgresql', '/run/postgresql', 5432, 'disable'],
    ['postgresql://ada:p%40ss@:6543/x?host=/run/postgresql', '/run/postgresql', 6543, 'disable'],
    ['postgres://ada@%2Frun%2Fpostgresql/x', '/run/postgresql', 5432, 'disable'],
    ['postgres://ada@/x', 'localhost', 5432, 'disable'],
    ['postgres://ada@:6543/x', 'localhost', 6543, 'disable'],
    ['postgres://ada@?host=db.example.org', 'db.example.org', 5432, 'verify-full'],
    ['postgres://ada@', 'localhost', 5432, 'disable'],
  ])('of %s is %s, port %s, TLS %s', (url, host, port, mode) => {
    expect(resolve({ url })).toMatchObject({ host, port, user: 'ada', tls: { mode } })
  })

  test('takes the password of the options before that of the URL', () => {
    const ask = (): string => 'later'
    expect(resolve({ url: 'postgres://ada:old@db/x', password: ask }).password).toBe(ask)
  })
})

describe('the options’ own mistakes are CONFIG_INVALID, and quote no password', () => {
  test.each<[string, PostgresInput, RegExp]>([
    ['no user', { host: 'db' }, /no user is given/],
    ['no URL', { url: 'ada:canary@db' }, /scheme is ada:/],
    ['half a URL', { url: 'postgres//ada:canary@db' }, /`url` is no URL/],
    ['another scheme', { url: 'mysql://ada:canary@db/x' }, /must be postgres:/],
    ['several hosts', { url: 'postgres://ada:canary@a:1,b:2/x' }, /`url` is no URL/],
    ['several hosts, one of them empty', { url: 'postgres://ada:canary@:1,b:2/x' }, /`url` is no URL/],
    ['an @ that is not encoded', { url: 'postgres://ada:canary@:1@db:x/x' }, /`url` is no URL/],
    ['bad percent-encoding', { url: 'postgres://ada:canary%@db/x' }, /wrongly percent-encoded/],
    ['a host of bad percent-encoding', { url: 'postgres://ada:canary@%ff/x' }, /wrongly percent-encoded/],
    ['URL and host', { url: 'postgres://ada:canary@db/x', host: 'other' }, /both `url` and `host`/],
    ['an unknown parameter', { url: 'postgres://ada:canary@db/x?statement_timeout=1' }, /statement_timeout is not known/],
    ['an unknown sslmode', { url: 'postgres://ada:canary@db/x?sslmode=maybe' }, /sslmode is not known/],
    ['sslmode=prefer', { url: 'postgres://ada:canary@db/x?sslmode=prefer' }, /may fall back to clear text/],
    ['sslmode=allow', { url: 'postgres://ada:canary@db/x?sslmode=allow' }, /may fall back to clear text/],
    ['a missing file', { url: 'postgres://ada:canary@db/x?sslrootcert=/none' }, /sslrootcert cannot be read/],
    ['half a client certificate', { user: 'ada', host: 'db', tls: { cert: 'PEM' } }, /both its `cert` and its `key`/],
    ['an authority without TLS', { user: 'ada', tls: { ca: 'PEM' } }, /TLS is off for this host/],
  ])('%s', (_name, input, message) => {
    try {
      resolve(input)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) })
      expect((error as Error).message).not.toContain('canary')
    }
  })
})

describe('TLS', () => {
  test.each([
    ['postgres://a@db/x', 'verify-full'],
    ['postgres://a@10.0.0.1/x', 'verify-full'],
    ['postgres://a@localhost/x', 'disable'],
    ['postgres://a@127.0.0.2/x', 'disable'],
    ['postgres://a@db/x?sslmode=disable', 'disable'],
    ['postgres://a@db/x?sslmode=no-verify', 'require'],
    ['postgres://a@db/x?sslmode=require', 'require'],
    ['postgres://a@localhost/x?sslmode=require', 'require'],
    [`postgres://a@db/x?sslmode=require&sslrootcert=${pem}`, 'verify-ca'],
    ['postgres://a@db/x?sslmode=verify-ca', 'verify-ca'],
    ['postgres://a@db/x?sslmode=verify-full', 'verify-full'],
    ['postgres://a@db/x?sslmode=verify-full&sslrootcert=system', 'verify-full'],
    [`postgres://a@localhost/x?sslrootcert=${pem}`, 'verify-full'],
  ])('of %s is %s', (url, mode) => {
    expect(modeOf(url)).toBe(mode)
  })

  test('of the options wins over that of the URL, whole', () => {
    expect(modeOf('postgres://a@db/x?sslmode=disable', { tls: { mode: 'verify-full' } })).toBe('verify-full')
    const mixed = resolve({ url: `postgres://a@db/x?sslmode=require&sslrootcert=${pem}`, tls: { serverName: 'other' } })
    expect(mixed.tls).toEqual({ mode: 'verify-full', serverName: 'other' })
  })

  test('checks what its mode says', () => {
    const options = (mode: 'require' | 'verify-ca' | 'verify-full') => {
      const tls = tlsOptions(resolve({ user: 'a', host: 'db', tls: { mode, ca: 'PEM' } }))
      if (tls === false) throw new Error('TLS is off')
      return tls
    }
    const wrong = { subject: { CN: 'other' }, subjectaltname: 'DNS:other' } as never
    expect(options('require')).toMatchObject({ rejectUnauthorized: false, minVersion: 'TLSv1.2', ca: 'PEM' })
    expect(options('verify-ca').rejectUnauthorized).toBe(true)
    expect(options('verify-ca').checkServerIdentity?.('db', wrong)).toBeUndefined()
    expect(options('verify-full').rejectUnauthorized).toBe(true)
    expect(options('verify-full').checkServerIdentity?.('other', wrong)).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    expect(tlsOptions(resolve({ user: 'a', host: 'db', tls: { mode: 'disable' } }))).toBe(false)
  })

  test('sends a server name of the options where the host is an address, which may not be sent', () => {
    const target = resolve({ user: 'a', host: '10.0.0.1', tls: { serverName: 'db', cert: 'C', key: 'K' } })
    expect(tlsOptions(target)).toMatchObject({ servername: 'db', cert: 'C', key: 'K' })
  })
})

test('secrets among the options do not show', () => {
  const target = resolve({ url: 'postgres://ada:canary@db/x', tls: { cert: 'C', key: 'canary' } })
  expect(JSON.stringify(target)).not.toContain('canary')
  expect(String(target.password)).toBe('[redacted]')
})
