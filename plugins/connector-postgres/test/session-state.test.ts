import type { SqlSession } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { privatePostgres } from '../../../scripts/services/index.ts'
import { failureOf, firstValue, gate, open, PATIENCE, pidOf } from './support/database.ts'
import { needs, needsServer } from './support/server.ts'
import { layWire } from './support/wire.ts'

const own = await privatePostgres()
afterAll(() => (own.status === 'ready' ? own.stop() : undefined))

/** Every statement that a test sends to one session goes to the same. */
const ONE = { poolMax: 1 }

describe('a transaction that a lone query leaves open', () => {
  needsServer()
  test.each(['BEGIN', 'START TRANSACTION READ ONLY', '; begin'])('is rolled back and refused (%s)', async (text) => {
    const { db, sessions } = await open(ONE)
    expect(await failureOf(db.query(text))).toMatchObject({
      code: 'INVALID_REQUEST',
      retryable: false,
      message: expect.stringContaining('use transaction()'),
    })
    expect(await sessions()).toMatchObject([{ state: 'idle' }])
    expect(await firstValue(db, 'SHOW transaction_read_only')).toBe('off')
  })

  test('takes with it what it has set', async () => {
    const { db } = await open(ONE)
    await failureOf(db.transaction(async (session) => Promise.reject(await session.query("SET TIME ZONE 'Asia/Tokyo'"))))
    expect(await firstValue(db, 'SHOW TIME ZONE')).not.toBe('Asia/Tokyo')
  })
})

type Leave = readonly [what: string, statement: string, params: readonly unknown[], look: string]

/** Each leaves something in its session; `look` then tells whether it is still there. */
const LEAVINGS: readonly Leave[] = [
  ['a setting', "SET TIME ZONE 'Asia/Tokyo'", [], "SELECT current_setting('TimeZone') = 'Asia/Tokyo'"],
  ['a setting, set by a function', "SELECT set_config('a.b', $1, false)", ['x'], "SELECT current_setting('a.b', true) = 'x'"],
  ['a start-up setting', 'SET statement_timeout = 1234', [], "SELECT current_setting('statement_timeout') = '1234ms'"],
  ['a search path', 'SET search_path = pg_catalog', [], "SELECT current_setting('search_path') = 'pg_catalog'"],
  ['an advisory lock', 'SELECT pg_advisory_lock(1234567)', [], HOLDS('advisory')],
  ['a temporary table', 'CREATE TEMP TABLE left_here (a int)', [], "SELECT to_regclass('pg_temp.left_here') IS NOT NULL"],
  [
    'a temporary table of a query',
    'SELECT 1 AS a INTO TEMP left_here',
    [],
    "SELECT to_regclass('pg_temp.left_here') IS NOT NULL",
  ],
  ['a subscription', 'LISTEN left_here', [], "SELECT 'left_here' IN (SELECT pg_listening_channels())"],
  ['a named statement', 'PREPARE left_here AS SELECT 1', [], HAS('pg_prepared_statements')],
  [
    'a setting, set by a block',
    "DO $$ BEGIN SET TIME ZONE 'Asia/Tokyo'; END $$",
    [],
    "SELECT current_setting('TimeZone') = 'Asia/Tokyo'",
  ],
]

function HOLDS(type: string): string {
  return `SELECT count(*) > 0 FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = '${type}'`
}

function HAS(view: string): string {
  return `SELECT count(*) > 0 FROM ${view} WHERE name = 'left_here'`
}

describe('what a statement leaves in its session is not passed on', () => {
  needsServer()
  test.each(LEAVINGS)('%s, by a lone query', async (_what, statement, params, look) => {
    const { db } = await open(ONE)
    const before = await pidOf(db)
    await db.query(statement, params)
    expect(await firstValue(db, look)).not.toBe(true)
    expect(await pidOf(db)).toBe(before)
  })

  test.each(LEAVINGS)('%s, by a transaction', async (_what, statement, params, look) => {
    const { db } = await open(ONE)
    const before = await pidOf(db)
    await db.transaction(async (session) => {
      await session.query(statement, params)
      // LISTEN takes effect at the commit.
      if (!statement.startsWith('LISTEN')) expect(await firstValue(session, look)).toBe(true)
    })
    expect(await firstValue(db, look)).not.toBe(true)
    expect(await pidOf(db)).toBe(before)
  })

  test('a cursor that is held beyond its transaction', async () => {
    const { db } = await open(ONE)
    await db.transaction((session) => session.query('DECLARE left_here CURSOR WITH HOLD FOR SELECT 1'))
    expect(await firstValue(db, HAS('pg_cursors'))).toBe(false)
  })

  test('a lock of a stream whose reader left', async () => {
    const { db } = await open(ONE)
    for await (const _row of db.stream('SELECT pg_advisory_lock(n) FROM generate_series(1, 3) AS s(n)')) break
    expect(await firstValue(db, HOLDS('advisory'))).toBe(false)
  })
})

describe('what is as it was at the start', () => {
  needsServer()
  const SHOWN = [
    'statement_timeout',
    'DateStyle',
    'bytea_output',
    'client_encoding',
    'search_path',
    'application_name',
  ] as const
  const settings = async (db: SqlSession): Promise<unknown[]> =>
    Promise.all(SHOWN.map((name) => firstValue(db, `SELECT current_setting('${name}')`)))

  test('the settings of the options', async () => {
    const { db, name } = await open({ ...ONE, searchPath: ['one', 'two'], statementTimeoutMs: 7_000 })
    const expected = ['7s', 'ISO, MDY', 'hex', 'UTF8', 'one,two', name]
    expect(await settings(db)).toEqual(expected)
    await db.transaction(async (session) => {
      for (const name of SHOWN.slice(0, 3)) await session.query(`SELECT set_config('${name}', $1, false)`, [WILD[name]])
      await session.query('SET search_path = pg_catalog')
    })
    expect(await settings(db)).toEqual(expected)
  })

  test('named statements, which are prepared anew', async () => {
    const { db } = await open(ONE)
    const prepared = (): Promise<unknown> => firstValue(db, 'SELECT count(*) FROM pg_prepared_statements')
    const before = await prepared()
    expect(before).toBeGreaterThan(0)
    await db.query('SELECT 1')
    await db.query('LISTEN something')
    expect(await prepared()).toBe(1)
    // Inside a transaction a name that the server has lost would be its end.
    expect(await db.transaction((session) => firstValue(session, 'SELECT 1'))).toBe(1)
    await db.query('DEALLOCATE ALL')
    expect(await db.transaction((session) => firstValue(session, 'SELECT 1'))).toBe(1)
    await db.query('DISCARD ALL')
    expect(await db.transaction((session) => firstValue(session, 'SELECT 1'))).toBe(1)
    expect(await prepared()).toBe(4)
  })

  test('named statements of sessions in which nothing was left, which stay', async () => {
    const { db } = await open(ONE)
    await db.query('SELECT 1')
    await db.transaction((session) => session.query("SET LOCAL TIME ZONE 'Asia/Tokyo'"))
    for await (const _row of db.stream('SELECT 2')) break
    expect(await firstValue(db, "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 1'")).toBe(1)
  })
})

const WILD: Readonly<Record<string, string>> = { statement_timeout: '1', DateStyle: 'German', bytea_output: 'escape' }

describe('a role that a lone query takes', () => {
  needs(own)
  test('is given back', async () => {
    const { db } = await open({ ...ONE, url: own.status === 'ready' ? own.url : undefined })
    const before = await pidOf(db)
    await db.query('SET ROLE pg_read_all_data')
    expect(await firstValue(db, 'SELECT current_user')).toBe('app')
    expect(await pidOf(db)).toBe(before)
  })
})

describe('a session that cannot be made clean', () => {
  needs(own)
  const start = async (cancelTimeoutMs: number) => {
    if (own.status !== 'ready') throw new Error(own.because)
    const clock = virtualClock()
    const wire = await layWire(own.port)
    const where = { host: '127.0.0.1', port: wire.port, user: 'app', database: 'postgres' }
    const opened = await open({ ...ONE, ...where, cancelTimeoutMs }, clock, own.url)
    return { ...opened, clock, wire }
  }

  test('because the server says nothing is dropped after cancelTimeoutMs; who waits gets another', async () => {
    const { db, clock, wire } = await start(500)
    const before = await pidOf(db)
    const begun = gate()
    const finish = gate()
    const work = db.transaction(async (session) => {
      await session.query("SET TIME ZONE 'Asia/Tokyo'")
      begun.open()
      await finish.opened
    })
    await begun.opened
    finish.open()
    await work
    wire.lines[0]?.hold()
    expect(db.stats()).toMatchObject({ total: 1, idle: 0, leased: 0 })
    const next = pidOf(db)
    await expect.poll(() => wire.lines[0]?.kept(), PATIENCE).toBeGreaterThan(0)
    await clock.advance(500)
    expect(await next).not.toBe(before)
  })

  test('because it is cut off is dropped at once', async () => {
    const { db, wire } = await start(500)
    const before = await pidOf(db)
    await db.query("SET TIME ZONE 'Asia/Tokyo'")
    wire.lines[0]?.cut()
    expect(await pidOf(db)).not.toBe(before)
  })
})
