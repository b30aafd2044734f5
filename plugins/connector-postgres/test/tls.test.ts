import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CERTIFIED_USER, makeCertificates, privatePostgres } from '../../../scripts/services/index.ts'
import type { PostgresDatabase, PostgresInput } from '../src/index.ts'
import { failureOf, firstValue, open } from './support/database.ts'
import { aside, needs } from './support/server.ts'

const own = await privatePostgres({
  tls: true,
  rules: [CERTIFIED_USER, 'impostor'].map((user) => `hostssl all ${user} 127.0.0.1/32 cert`),
})
afterAll(() => (own.status === 'ready' ? own.stop() : undefined))
needs(own)

/** Certificates of an authority that the server knows nothing of. */
const strange = mkdtempSync(join(tmpdir(), 'switchyard-strange-'))
afterAll(() => rmSync(strange, { recursive: true }))

beforeAll(async () => {
  if (own.status !== 'ready') return
  makeCertificates(strange)
  await aside(`CREATE ROLE ${CERTIFIED_USER} LOGIN; CREATE ROLE impostor LOGIN`, [], own.url)
})

const pem = (path: string): string => readFileSync(path, 'utf8')

/** The server, its authority and the certified user's certificate. */
function server() {
  if (own.status !== 'ready' || own.ca === undefined || own.client === undefined) throw new Error('no server with TLS')
  const { port, ca, client } = own
  return { port, ca: pem(ca), caFile: ca, client, cert: pem(client.cert), key: pem(client.key) }
}

async function connect(tls: PostgresInput['tls'], more: PostgresInput = {}): Promise<PostgresDatabase> {
  const where = { host: '127.0.0.1', port: server().port, user: 'app', database: 'postgres' }
  return (await open({ ...where, ...more, tls })).db
}

async function byUrl(user: string, parameters: Readonly<Record<string, string>>): Promise<PostgresDatabase> {
  const query = new URLSearchParams(parameters)
  return (await open({ url: `postgres://${user}@127.0.0.1:${server().port}/postgres?${query}` })).db
}

const cipher = (db: PostgresDatabase): Promise<unknown> =>
  firstValue(db, 'SELECT ssl::text || version FROM pg_stat_ssl WHERE pid = pg_backend_pid()')

const REFUSED = { code: 'CONFIG_INVALID', retryable: false } as const
const refusedBy = (vendorCode: unknown) => ({
  ...REFUSED,
  cause: { code: 'UPSTREAM_REJECTED', details: { vendorCode, sent: false } },
})

/** Which of the two depends on whether the server sends its authority along. */
const UNKNOWN_AUTHORITY: unknown = expect.stringMatching(/^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/)
const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID'
const NOT_LET_IN = '28000'

describe('disable', () => {
  test('is refused by a server that wants TLS, and as never sent', async () => {
    expect(await failureOf(connect({ mode: 'disable' }))).toMatchObject(refusedBy(NOT_LET_IN))
  })

  test('is what a loopback address has where nothing is said', async () => {
    expect(await failureOf(connect(undefined))).toMatchObject(refusedBy(NOT_LET_IN))
  })
})

describe('require', () => {
  test('encrypts, and trusts anybody', async () => {
    for (const tls of [{ mode: 'require' }, { mode: 'require', serverName: 'db.example.org' }] as const) {
      expect(await cipher(await connect(tls))).toMatch(/^trueTLSv1\.[23]$/)
    }
    expect(await cipher(await byUrl('app', { sslmode: 'require' }))).toMatch(/^true/)
  })
})

describe('verify-ca', () => {
  test('takes a certificate of the authority, whatever name it is for', async () => {
    const db = await connect({ mode: 'verify-ca', ca: server().ca, serverName: 'db.example.org' })
    expect(await cipher(db)).toMatch(/^true/)
    expect(await cipher(await byUrl('app', { sslmode: 'require', sslrootcert: server().caFile }))).toMatch(/^true/)
  })

  test('refuses that of another authority', async () => {
    const error = await failureOf(connect({ mode: 'verify-ca', ca: pem(join(strange, 'ca.crt')) }))
    expect(error).toMatchObject(refusedBy(UNKNOWN_AUTHORITY))
    expect((error as Error).message).toContain('tls.ca')
    const url = byUrl('app', { sslmode: 'require', sslrootcert: join(strange, 'ca.crt') })
    expect(await failureOf(url)).toMatchObject(refusedBy(UNKNOWN_AUTHORITY))
  })

  test('refuses it where none is named and the system does not know it', async () => {
    expect(await failureOf(connect({ mode: 'verify-ca' }))).toMatchObject(refusedBy(UNKNOWN_AUTHORITY))
  })
})

describe('verify-full', () => {
  test('takes a certificate of the authority for the host, by name and by address', async () => {
    const { ca, caFile } = server()
    for (const host of ['127.0.0.1', 'localhost']) {
      expect(await cipher(await connect({ mode: 'verify-full', ca }, { host }))).toMatch(/^true/)
    }
    expect(await cipher(await connect({ mode: 'verify-full', ca, serverName: 'localhost' }))).toMatch(/^true/)
    expect(await cipher(await byUrl('app', { sslmode: 'verify-full', sslrootcert: caFile }))).toMatch(/^true/)
  })

  test('refuses one for another name', async () => {
    const error = await failureOf(connect({ mode: 'verify-full', ca: server().ca, serverName: 'db.example.org' }))
    expect(error).toMatchObject(refusedBy(WRONG_NAME))
    expect((error as Error).message).toContain('tls.serverName')
  })

  test('refuses one of another authority, for the right name', async () => {
    const tls = { mode: 'verify-full', ca: pem(join(strange, 'ca.crt')) } as const
    expect(await failureOf(connect(tls))).toMatchObject(refusedBy(UNKNOWN_AUTHORITY))
    expect(await failureOf(connect({ mode: 'verify-full' }))).toMatchObject(refusedBy(UNKNOWN_AUTHORITY))
  })
})

describe('a client certificate', () => {
  const user = CERTIFIED_USER

  test('logs in whom it is for, by options and by URL', async () => {
    const { ca, cert, key, caFile, client } = server()
    const db = await connect({ mode: 'verify-full', ca, cert, key }, { user })
    expect(await firstValue(db, 'SELECT current_user')).toBe(user)
    const files = { sslmode: 'verify-full', sslrootcert: caFile, sslcert: client.cert, sslkey: client.key }
    expect(await firstValue(await byUrl(user, files), 'SELECT current_user')).toBe(user)
  })

  test('is asked for', async () => {
    const error = await failureOf(connect({ mode: 'verify-full', ca: server().ca }, { user }))
    expect(error).toMatchObject(refusedBy(NOT_LET_IN))
    expect((error as Error).message).toContain('valid client certificate')
  })

  test('does not log in anybody else', async () => {
    const { ca, cert, key } = server()
    const error = await failureOf(connect({ mode: 'verify-full', ca, cert, key }, { user: 'impostor' }))
    expect(error).toMatchObject(refusedBy(NOT_LET_IN))
  })

  test('of another authority is refused, and its key is not told', async () => {
    const key = pem(join(strange, 'client.key'))
    const error = await failureOf(connect({ mode: 'require', cert: pem(join(strange, 'client.crt')), key }, { user }))
    expect(error).toMatchObject({ retryable: false })
    expect(JSON.stringify(error)).not.toContain(key.split('\n')[1])
  })

  test.each([
    ['is none', () => 'canary'],
    ['is another’s', () => pem(join(strange, 'client.key'))],
  ])('whose key %s stops the start, and is not told', async (_name, wrong) => {
    const key = wrong()
    const error = await failureOf(connect({ mode: 'require', cert: server().cert, key }, { user }))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('tls.key') })
    expect(JSON.stringify(error)).not.toContain(key.split('\n').at(1) ?? key)
  })
})
