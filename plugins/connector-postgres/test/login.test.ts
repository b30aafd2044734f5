import { secret } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { privatePostgres } from '../../../scripts/services/index.ts'
import type { Password, PostgresInput } from '../src/index.ts'
import { failureOf, firstValue, gate, open, PATIENCE, pidOf } from './support/database.ts'
import { aside, needs } from './support/server.ts'

const PASSWORD = 'canary: p@ss/w%rd'
const own = await privatePostgres({ password: PASSWORD })
afterAll(() => (own.status === 'ready' ? own.stop() : undefined))
needs(own)

function where(more: PostgresInput = {}): PostgresInput {
  if (own.status !== 'ready') throw new Error(own.because)
  return { host: '127.0.0.1', port: own.port, user: 'app', database: 'postgres', ...more }
}

const beside = (text: string): Promise<unknown> => aside(text, [], own.status === 'ready' ? own.url : undefined)
const whoami = async (options: PostgresInput): Promise<unknown> => firstValue((await open(options)).db, 'SELECT current_user')

describe('a password', () => {
  test.each<[string, string | Password]>([
    ['text', PASSWORD],
    ['a Secret', secret(PASSWORD)],
    ['a function', () => PASSWORD],
    ['a function that takes its time', async () => secret(PASSWORD)],
  ])('may be %s', async (_name, password) => {
    expect(await whoami(where({ password }))).toBe('app')
  })

  test('may stand in the URL, percent-encoded', async () => {
    const { port } = where()
    expect(await whoami({ url: `postgres://app:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres` })).toBe('app')
  })

  test.each<[string, PostgresInput]>([
    ['that is wrong', { password: 'canary, the wrong one' }],
    ['that is missing', {}],
  ])('%s stops the start, and is not told', async (_name, options) => {
    const error = await failureOf(open(where(options)))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', retryable: false, cause: { details: { sent: false } } })
    expect((error as Error).message).toContain('password')
    expect(JSON.stringify(error) + String(error)).not.toContain('canary')
  })

  test('that is wrong is UPSTREAM_REJECTED where nobody logs in at the start', async () => {
    const { db } = await open(where({ password: 'wrong', connectOnStart: false }))
    expect(await failureOf(db.query('SELECT 1'))).toMatchObject({
      code: 'UPSTREAM_REJECTED',
      retryable: false,
      details: { vendorCode: '28P01', sent: false },
    })
  })
})

describe('a password function', () => {
  test('is asked at each new connection, so that a token may change', async () => {
    await beside("CREATE ROLE rotating LOGIN PASSWORD 'first'")
    let current = 'first'
    let asked = 0
    const password = (): string => {
      asked++
      return current
    }
    const { db } = await open(where({ user: 'rotating', password, poolMax: 1 }))
    const before = await pidOf(db)
    expect(asked).toBe(1)
    current = 'second'
    await beside("ALTER ROLE rotating PASSWORD 'second'")
    expect(await pidOf(db)).toBe(before)
    await beside(`SELECT pg_terminate_backend(${before})`)
    await expect.poll(() => db.stats().total, PATIENCE).toBe(0)
    expect(await pidOf(db)).not.toBe(before)
    expect(asked).toBe(2)
  })

  test('that throws makes the call reject, retryable and never sent, with its error as the cause', async () => {
    const clock = virtualClock()
    const reason = new Error('the vault is shut')
    let shut = true
    const password = async (): Promise<string> => {
      if (shut) throw reason
      return PASSWORD
    }
    const { db } = await open(where({ password, connectOnStart: false }), clock)
    expect(await failureOf(db.query('SELECT 1'))).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
      cause: reason,
      details: { sent: false },
    })
    shut = false
    const again = firstValue(db, 'SELECT 1')
    await clock.advance(100)
    expect(await again).toBe(1)
  })

  test('that never answers is given up after connectTimeoutMs', async () => {
    const clock = virtualClock()
    const asked = gate()
    const password = (): Promise<string> => {
      asked.open()
      return new Promise(() => {})
    }
    const { db } = await open(where({ password, connectOnStart: false, connectTimeoutMs: 2_000 }), clock)
    const query = failureOf(db.query('SELECT 1'))
    await asked.opened
    await clock.advance(2_000)
    expect(await query).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      message: expect.stringContaining('2000 ms (connectTimeoutMs)'),
      details: { sent: false },
    })
  })
})

describe('what the server refuses at login', () => {
  test('a database that is not there stops the start', async () => {
    const error = await failureOf(open(where({ password: PASSWORD, database: 'no_such_database' })))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', cause: { details: { vendorCode: '3D000' } } })
  })

  test('a role that is not there stops the start', async () => {
    const error = await failureOf(open(where({ user: 'nobody', password: PASSWORD })))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', cause: { details: { vendorCode: '28P01' } } })
  })

  test('TLS, where it has none', async () => {
    const error = await failureOf(open(where({ password: PASSWORD, tls: { mode: 'require' } })))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('does not speak TLS') })
  })

  test('one connection too many makes who waits for it share those there are', async () => {
    await beside("CREATE ROLE limited LOGIN PASSWORD 'x' CONNECTION LIMIT 1")
    const clock = virtualClock()
    const { db } = await open(where({ user: 'limited', password: 'x', poolMax: 2, acquireTimeoutMs: 1_000 }), clock)
    const begun = gate()
    const finish = gate()
    const holder = db.transaction(async () => {
      begun.open()
      await finish.opened
    })
    await begun.opened
    const unlucky = failureOf(db.query('SELECT 1'))
    await expect.poll(() => db.stats(), PATIENCE).toMatchObject({ connecting: 0, waiting: 1 })
    await clock.advance(1_000)
    expect(await unlucky).toMatchObject({
      code: 'OVERLOADED',
      message: expect.stringContaining('too many connections for role'),
      cause: { code: 'OVERLOADED', details: { vendorCode: '53300', sent: false } },
    })
    const lucky = firstValue(db, 'SELECT 1')
    finish.open()
    await holder
    expect(await lucky).toBe(1)
  })
})
