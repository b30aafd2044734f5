import type { SqlSession } from '@switchyard/contract'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { PostgresDatabase, PostgresInput } from '../src/index.ts'
import { failureOf, firstValue, open } from './support/database.ts'
import { aside, freshSchema, needsServer } from './support/server.ts'

needsServer()

let schema: string
beforeEach(async () => {
  const fresh = await freshSchema()
  schema = fresh.schema
  onTestFinished(fresh.drop)
  await aside(`CREATE TABLE ${schema}.t (a int); INSERT INTO ${schema}.t VALUES (1)`)
})

/** A database of one session, whose tables are the test's. */
async function start(options: PostgresInput = {}): Promise<PostgresDatabase> {
  return (await open({ poolMax: 1, searchPath: [schema], ...options })).db
}

/** Texts that the server holds by name for the one session, but for this one's own. */
async function held(db: SqlSession): Promise<unknown[]> {
  const { rows } = await db.query<{ statement: string }>('SELECT statement FROM pg_prepared_statements ORDER BY prepare_time')
  return rows.map(({ statement }) => statement).filter((statement) => !statement.includes('pg_prepared_statements'))
}

describe('a table that changes under a named statement', () => {
  test('is read as it is now, by a query', async () => {
    const db = await start()
    expect((await db.query('SELECT * FROM t')).rows).toEqual([{ a: 1 }])
    await aside(`ALTER TABLE ${schema}.t ADD COLUMN b text DEFAULT 'new'`)
    for (let at = 0; at < 3; at++) expect((await db.query('SELECT * FROM t')).rows).toEqual([{ a: 1, b: 'new' }])
  })

  test('is a retryable CONFLICT inside a transaction, which then succeeds, whatever else was stale', async () => {
    const db = await start()
    const texts = ['SELECT * FROM t', 'SELECT t.* FROM t', 'SELECT *, 1 AS one FROM t']
    for (const text of texts) await db.query(text)
    await aside(`ALTER TABLE ${schema}.t ADD COLUMN b text DEFAULT 'new'`)
    const work = async (session: SqlSession): Promise<unknown> => {
      for (const text of texts.slice(1)) await session.query(text)
      return (await session.query(texts[0] as string)).rows
    }
    expect(await failureOf(db.transaction(work))).toMatchObject({
      code: 'CONFLICT',
      retryable: true,
      details: { vendorCode: '0A000' },
    })
    expect(await db.transaction(work)).toEqual([{ a: 1, b: 'new' }])
  })

  test('leaves no name behind that the server holds to no use', async () => {
    const db = await start()
    await db.query('SELECT * FROM t')
    await db.query('SELECT 1')
    await aside(`ALTER TABLE ${schema}.t ADD COLUMN b text`)
    await db.query('SELECT * FROM t')
    expect(await held(db)).toEqual([])
  })

  test('is not taken for stale where the server refuses for another reason', async () => {
    const db = await start()
    const error = await failureOf(db.query('SELECT a INTO x FROM t; SELECT 1'))
    expect(error).toMatchObject({ code: 'INVALID_REQUEST' })
    expect(await failureOf(db.query('EXECUTE no_such_statement'))).toMatchObject({ code: 'UPSTREAM_INVALID' })
  })
})

describe('preparedStatements', () => {
  test('bounds what the server holds, the least recently used first out', async () => {
    const db = await start({ preparedStatements: 3 })
    for (const n of [1, 2, 3, 1, 4]) await db.query(`SELECT ${n}`)
    await db.query('SELECT 1')
    // One that had to make room goes with the next statement.
    expect(await held(db)).toEqual(['SELECT 1', 'SELECT 3', 'SELECT 4'])
    expect(await held(db)).toEqual(['SELECT 1', 'SELECT 4'])
  })

  test('lets go inside a transaction only when it has ended', async () => {
    const db = await start({ preparedStatements: 2 })
    await db.transaction(async (session) => {
      for (const n of [1, 2, 3, 4, 5]) expect(await firstValue(session, `SELECT ${n}`)).toBe(n)
    })
    await db.query('SELECT 6')
    expect((await held(db)).length).toBeLessThanOrEqual(2)
  })

  test('lets go of a text that the server never took, and spoils no transaction by it', async () => {
    const db = await start({ preparedStatements: 1 })
    await failureOf(db.query('SELEC 1'))
    const sum = await db.transaction(async (session) => {
      let total = 0
      for (const n of [1, 2, 3]) total += (await firstValue(session, `SELECT ${n}`)) as number
      return total
    })
    expect(sum).toBe(6)
  })

  test('lets go of the rest where one of them was never taken', async () => {
    const db = await start({ preparedStatements: 2 })
    await failureOf(db.query('SELEC 1'))
    await db.query('SELECT 1')
    await db.transaction((session) => session.query('SELECT 2'))
    await db.query('SELECT 3')
    expect(await held(db)).not.toContain('SELECT 1')
  })

  test('outlives names that the caller has dropped behind its back', async () => {
    const db = await start({ preparedStatements: 1 })
    await db.query('SELECT 1')
    const sum = await db.transaction(async (session) => {
      await session.query('SELECT 2')
      await session.query('DEALLOCATE ALL')
      return ((await firstValue(session, 'SELECT 3')) as number) + ((await firstValue(session, 'SELECT 4')) as number)
    })
    expect(sum).toBe(7)
    expect(await firstValue(db, 'SELECT 5')).toBe(5)
  })

  test.each([{ preparedStatements: 0 }, { pgbouncer: true }])('are off by %j', async (options) => {
    const db = await start({ ...options, searchPath: undefined })
    for (let at = 0; at < 3; at++) await db.query(`SELECT * FROM ${schema}.t`)
    expect(await held(db)).toEqual([])
    await aside(`ALTER TABLE ${schema}.t ADD COLUMN b text`)
    expect((await db.query(`SELECT * FROM ${schema}.t`)).rows).toEqual([{ a: 1, b: null }])
  })
})
