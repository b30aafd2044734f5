import { sql } from '@switchyard/contract'
import { startPlugin, systemClock } from '@switchyard/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type PostgresInput, postgres } from '../src/index.ts'
import { failureOf, firstValue, gate, open, PATIENCE, pidOf } from './support/database.ts'
import { aside, freshSchema, needsServer, serverUrl } from './support/server.ts'

needsServer()

describe('options that are wrong stop the start', () => {
  test.each<[string, object, RegExp]>([
    ['an unknown one', { poolmax: 1 }, /poolmax/],
    ['one of another type', { poolMax: '10' }, /poolMax/],
    ['none of the address', { url: undefined }, /no user is given/],
    ['a schema that would have to be quoted', { searchPath: ['My Schema'] }, /lower case/],
  ])('%s', async (_name, options, message) => {
    const error = await failureOf(open(options as PostgresInput & { url: never }))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    expect((error as Error).message).toMatch(message)
  })
})

describe('the start', () => {
  test('logs in once, and keeps that session for the first call', async () => {
    const { db, sessions } = await open()
    expect(await sessions()).toHaveLength(1)
    const [first] = await sessions()
    expect(await pidOf(db)).toBe(first?.pid)
  })

  test('without connectOnStart logs in at the first call', async () => {
    const { db, sessions } = await open({ connectOnStart: false })
    expect(await sessions()).toEqual([])
    expect(await firstValue(db, 'SELECT 1')).toBe(1)
    expect(await sessions()).toHaveLength(1)
  })

  test('tells the server who is there: the instance, unless the options say', async () => {
    const plugin = await startPlugin(postgres({ url: serverUrl }, { as: 'orders' }), { clock: systemClock() })
    onTestFinished(() => plugin.close())
    expect(await firstValue(plugin.port(sql), 'SHOW application_name')).toBe('switchyard/orders')
    const { db, name } = await open()
    expect(await firstValue(db, 'SHOW application_name')).toBe(name)
  })
})

describe('a session', () => {
  const SETTINGS = ['statement_timeout', 'idle_in_transaction_session_timeout', 'search_path'] as const
  const shown = async (options: PostgresInput): Promise<unknown[]> => {
    const { db } = await open(options)
    return Promise.all(SETTINGS.map((name) => firstValue(db, `SHOW ${name}`)))
  }

  test('has the limits and the search path of the options', async () => {
    const { schema, drop } = await freshSchema()
    onTestFinished(drop)
    const options = { statementTimeoutMs: 7_000, idleTransactionTimeoutMs: 9_000, searchPath: [schema, 'public'] }
    expect(await shown(options)).toEqual(['7s', '9s', `${schema},public`])
  })

  test('has those of the server as behind a proxy, which may not pass start-up parameters on', async () => {
    const usual = await Promise.all(SETTINGS.map(async (name) => Object.values((await aside(`SHOW ${name}`))[0] ?? {})[0]))
    expect(await shown({ pgbouncer: true, statementTimeoutMs: 7_000, idleTransactionTimeoutMs: 9_000 })).toEqual(usual)
  })
})

test('sql.query is carried out, under the signal of the call', async () => {
  const { plugin, untilRunning } = await open()
  const serve = plugin.serves['sql.query'] as (call: unknown) => Promise<unknown>
  const stop = new AbortController()
  const reply = await serve({ request: { sql: 'SELECT $1::int AS v', params: [7] }, signal: stop.signal })
  expect(reply).toEqual({ rows: [{ v: 7 }], rowCount: 1 })
  const slow = 'SELECT pg_sleep(60)'
  const waiting = failureOf(serve({ request: { sql: slow, params: [] }, signal: stop.signal }))
  await untilRunning(slow)
  stop.abort()
  expect(await waiting).toMatchObject({ code: 'ABORTED' })
})

describe('the health probe', () => {
  test('resolves while the server answers, also beside a transaction', async () => {
    const { db, plugin } = await open()
    const begun = gate()
    const finish = gate()
    const work = db.transaction(async () => {
      begun.open()
      await finish.opened
    })
    await begun.opened
    await expect(plugin.health?.()).resolves.toBeUndefined()
    finish.open()
    await work
  })

  test('rejects once the plugin is closed, and at an abort', async () => {
    const { plugin } = await open()
    expect(await failureOf(plugin.health?.(AbortSignal.abort()) as Promise<void>)).toMatchObject({ code: 'ABORTED' })
    await plugin.close()
    expect(await failureOf(plugin.health?.(new AbortController().signal) as Promise<void>)).toMatchObject({ code: 'CLOSED' })
  })
})

test('close leaves no session behind, however many there were', async () => {
  const { db, plugin, sessions } = await open({ poolMax: 4 })
  await Promise.all(Array.from({ length: 20 }, () => db.query('SELECT pg_sleep(0.01)')))
  await plugin.close()
  await plugin.close()
  await expect.poll(sessions, PATIENCE).toEqual([])
  expect(db.stats()).toMatchObject({ total: 0 })
})
