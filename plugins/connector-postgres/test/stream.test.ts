import { type Clock, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { PostgresInput } from '../src/index.ts'
import { failureOf, firstValue, gate, type Opened, open, PATIENCE, pidOf } from './support/database.ts'
import { aside, freshSchema, needsServer } from './support/server.ts'

needsServer()

let schema: string
beforeEach(async () => {
  const fresh = await freshSchema()
  schema = fresh.schema
  onTestFinished(fresh.drop)
  await aside(`CREATE TABLE ${schema}.t (a int); CREATE SEQUENCE ${schema}.handed_out`)
})

/** A database of one connection, so that who comes next waits until a stream's has been cleaned. */
const one = (options: PostgresInput = {}, clock?: Clock): Promise<Opened> => open({ poolMax: 1, ...options }, clock)

const NUMBERS = 'SELECT n FROM generate_series(1, $1::int) AS s(n)'
/** Numbers that the server has made, which is how far it has come. */
const made = async (): Promise<unknown> => (await aside(`SELECT last_value FROM ${schema}.handed_out`))[0]?.last_value
const count = async (): Promise<unknown> => (await aside(`SELECT count(*)::int AS n FROM ${schema}.t`))[0]?.n
/** A statement that fails at its 25th row, and writes each before. */
const failing = (): string => `INSERT INTO ${schema}.t SELECT 100 / (25 - n) FROM generate_series(1, 50) AS s(n) RETURNING a`

/** Reads until `most` rows or the end, and tells what came and how it ended. */
async function read(rows: AsyncIterable<Record<string, unknown>>, most = Number.POSITIVE_INFINITY) {
  const values: unknown[] = []
  try {
    for await (const row of rows) {
      values.push(Object.values(row)[0])
      if (values.length >= most) break
    }
    return { values, error: undefined }
  } catch (error) {
    return { values, error }
  }
}

describe('an error of the server', () => {
  test('at the start rejects the first read, and the session serves on', async () => {
    const { db } = await one()
    const before = await pidOf(db)
    expect(await read(db.stream('SELECT * FROM no_such_table'))).toMatchObject({
      values: [],
      error: { code: 'INVALID_REQUEST' },
    })
    expect(await read(db.stream('SELECT $1::int', ['x']))).toMatchObject({ values: [], error: { code: 'INVALID_REQUEST' } })
    expect(await pidOf(db)).toBe(before)
  })

  test('in the middle comes after the rows of the batches before it, and undoes what was written', async () => {
    const { db } = await one({ streamBatchRows: 10 })
    const before = await pidOf(db)
    const text = 'SELECT 100 / (25 - n) AS q FROM generate_series(1, 50) AS s(n)'
    const { values, error } = await read(db.stream(text))
    expect(values).toHaveLength(20)
    expect(error).toMatchObject({ code: 'INVALID_REQUEST', details: { vendorCode: '22012' } })
    expect((await read(db.stream(failing()))).error).toMatchObject({ details: { vendorCode: '22012' } })
    expect(await count()).toBe(0)
    expect(await pidOf(db)).toBe(before)
  })

  test('at the commit rejects the reader, who has seen all rows', async () => {
    const { db } = await one({ searchPath: [schema] })
    await db.query('CREATE TABLE p (a int PRIMARY KEY)')
    await db.query('CREATE TABLE c (a int REFERENCES p (a) DEFERRABLE INITIALLY DEFERRED)')
    const { values, error } = await read(db.stream('INSERT INTO c VALUES (1) RETURNING a'))
    expect(values).toEqual([1])
    expect(error).toMatchObject({ code: 'CONFLICT' })
    expect(await firstValue(db, 'SELECT count(*) FROM c')).toBe(0)
  })
})

describe('a reader that leaves', () => {
  test('ends the statement, commits what was written by then, and frees the connection', async () => {
    const { db, sessions } = await one({ streamBatchRows: 10 })
    const before = await pidOf(db)
    const text = `SELECT nextval('${schema}.handed_out') FROM generate_series(1, 1000)`
    expect((await read(db.stream(text), 15)).values).toHaveLength(15)
    expect(await made()).toBe('20')
    expect(await sessions()).toMatchObject([{ pid: before, state: 'idle' }])
    expect(db.stats()).toMatchObject({ leased: 0, idle: 1 })
    const write = `INSERT INTO ${schema}.t SELECT n FROM generate_series(1, 3) AS s(n) RETURNING a`
    await read(db.stream(write), 1)
    expect(await count()).toBe(3)
    expect(await pidOf(db)).toBe(before)
  })

  test('before the first row has taken no connection', async () => {
    const { db } = await one()
    const iterator = db.stream(NUMBERS, [10])[Symbol.asyncIterator]()
    await iterator.return?.()
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    expect(db.stats()).toMatchObject({ leased: 0 })
  })

  test('by a throw of its own gets that', async () => {
    const { db } = await one()
    const mine = new Error('of the reader')
    const reading = async (): Promise<void> => {
      for await (const _row of db.stream(NUMBERS, [10])) throw mine
    }
    expect(await failureOf(reading())).toBe(mine)
    expect(db.stats()).toMatchObject({ leased: 0, idle: 1 })
  })

  test('again and again leaves no listener behind on the connection', async () => {
    const warnings: Error[] = []
    const warn = (warning: Error): unknown => warnings.push(warning)
    process.on('warning', warn)
    onTestFinished(() => void process.off('warning', warn))
    const { db } = await one()
    for (let at = 0; at < 15; at++) await read(db.stream(NUMBERS, [1_000]), 1)
    await new Promise(setImmediate)
    expect(warnings).toEqual([])
  })
})

describe('an abort', () => {
  test('while a batch is fetched cancels it at the server', async () => {
    const { db, sessions, untilRunning } = await one({ cancelTimeoutMs: 15_000 })
    const before = await pidOf(db)
    const stop = new AbortController()
    const text = 'SELECT pg_sleep(60)'
    const reading = read(db.stream(text, [], { signal: stop.signal }))
    await untilRunning(text)
    stop.abort()
    expect(await reading).toMatchObject({ values: [], error: { code: 'ABORTED' } })
    await expect.poll(sessions, PATIENCE).toMatchObject([{ pid: before, state: 'idle' }])
    expect(await pidOf(db)).toBe(before)
  })

  test('between two rows ends the stream before the next, and undoes what was written', async () => {
    const { db } = await one()
    const before = await pidOf(db)
    const stop = new AbortController()
    const reason = new SwitchyardError('TIMEOUT', 'the deadline has passed')
    const write = `INSERT INTO ${schema}.t SELECT n FROM generate_series(1, 3) AS s(n) RETURNING a`
    const values: unknown[] = []
    const reading = async (): Promise<void> => {
      for await (const row of db.stream(write, [], { signal: stop.signal })) {
        values.push(row)
        stop.abort(reason)
      }
    }
    expect(await failureOf(reading())).toBe(reason)
    expect(values).toHaveLength(1)
    expect(await count()).toBe(0)
    expect(await pidOf(db)).toBe(before)
  })

  test('frees the connection also where nobody reads on', async () => {
    const { db, sessions } = await one()
    const stop = new AbortController()
    const iterator = db.stream(NUMBERS, [1_000], { signal: stop.signal })[Symbol.asyncIterator]()
    await iterator.next()
    expect(db.stats()).toMatchObject({ leased: 1 })
    stop.abort()
    await expect.poll(() => db.stats(), PATIENCE).toMatchObject({ leased: 0, idle: 1 })
    expect(await sessions()).toMatchObject([{ state: 'idle' }])
    expect(await failureOf(iterator.next())).toMatchObject({ code: 'ABORTED' })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  test('while it waits for a connection, or before, takes none', async () => {
    const { db } = await one()
    const begun = gate()
    const finish = gate()
    const holder = db.transaction(async () => {
      begun.open()
      await finish.opened
    })
    await begun.opened
    const stop = new AbortController()
    const reading = read(db.stream(NUMBERS, [1], { signal: stop.signal }))
    await expect.poll(() => db.stats().waiting, PATIENCE).toBe(1)
    stop.abort()
    expect(await reading).toMatchObject({ error: { code: 'ABORTED' } })
    expect(await read(db.stream(NUMBERS, [1], { signal: stop.signal }))).toMatchObject({ error: { code: 'ABORTED' } })
    finish.open()
    await holder
    expect(db.stats()).toMatchObject({ leased: 0, idle: 1, waiting: 0 })
  })
})

describe('a reader that pauses', () => {
  const options = { idleTransactionTimeoutMs: 10_000, streamBatchRows: 2 }

  test('lets the server come no further than a batch', async () => {
    const { db } = await one({ streamBatchRows: 10 })
    const text = `SELECT nextval('${schema}.handed_out') FROM generate_series(1, 1000)`
    const iterator = db.stream(text)[Symbol.asyncIterator]()
    for (let at = 0; at < 10; at++) await iterator.next()
    expect(await made()).toBe('10')
    await iterator.next()
    expect(await made()).toBe('20')
    await iterator.return?.()
  })

  test('for less than idleTransactionTimeoutMs each batch reads on', async () => {
    const clock = virtualClock()
    const { db } = await one(options, clock)
    const values: unknown[] = []
    for await (const { n } of db.stream<{ n: number }>(NUMBERS, [6])) {
      values.push(n)
      if (n % 2 === 0) await clock.advance(9_999)
    }
    expect(values).toEqual([1, 2, 3, 4, 5, 6])
    // All that is armed is the timer of the idle connection.
    expect(clock.pending()).toBe(1)
  })

  test('for longer loses the stream with TIMEOUT, and the connection is freed at once', async () => {
    const clock = virtualClock()
    const { db, sessions } = await one(options, clock)
    const iterator = db.stream(`INSERT INTO ${schema}.t VALUES (1), (2), (3) RETURNING a`)[Symbol.asyncIterator]()
    await iterator.next()
    await clock.advance(9_999)
    expect(db.stats()).toMatchObject({ leased: 1 })
    await clock.advance(1)
    await expect.poll(() => db.stats(), PATIENCE).toMatchObject({ leased: 0, idle: 1 })
    expect(await sessions()).toMatchObject([{ state: 'idle' }])
    expect(await failureOf(iterator.next())).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('idleTransactionTimeoutMs'),
    })
    expect(await count()).toBe(0)
  })

  test('is not held to statementTimeoutMs, which is for each batch', async () => {
    const clock = virtualClock()
    const { db, untilRunning } = await one({ streamBatchRows: 1, statementTimeoutMs: 1_000, cancelTimeoutMs: 15_000 }, clock)
    const before = await pidOf(db)
    expect((await read(db.stream("SELECT current_setting('statement_timeout')"))).values).toEqual(['0'])
    const text = 'SELECT CASE WHEN n = 3 THEN pg_sleep(60)::text END FROM generate_series(1, 3) AS s(n)'
    const iterator = db.stream(text)[Symbol.asyncIterator]()
    for (let at = 0; at < 2; at++) {
      expect(await iterator.next()).toMatchObject({ done: false })
      await clock.advance(1_500)
    }
    const third = failureOf(iterator.next())
    await untilRunning(text)
    await clock.advance(1_000)
    expect(await third).toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('1000 ms (statementTimeoutMs)') })
    expect(await pidOf(db)).toBe(before)
  })
})

describe('a stream', () => {
  test('of a statement without rows runs it and ends', async () => {
    const { db } = await one()
    expect(await read(db.stream(`INSERT INTO ${schema}.t VALUES (1)`))).toEqual({ values: [], error: undefined })
    expect(await count()).toBe(1)
  })

  test('that is read by two at once gives each row to one of them', async () => {
    const { db } = await one({ streamBatchRows: 3 })
    const iterator = db.stream<{ n: number }>(NUMBERS, [10])[Symbol.asyncIterator]()
    const results = await Promise.all(Array.from({ length: 11 }, () => iterator.next()))
    expect(results.map(({ value }) => value?.n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, undefined])
  })

  test.each(['COPY (SELECT 1) TO STDOUT', '; copy t from stdin'])('of %s is refused, as everywhere', async (text) => {
    const { db } = await one()
    expect(await read(db.stream(text))).toMatchObject({ error: { code: 'INVALID_REQUEST' } })
    expect(await failureOf(db.query(text))).toMatchObject({ code: 'INVALID_REQUEST' })
    expect(await failureOf(db.transaction((session) => session.query(text)))).toMatchObject({ code: 'INVALID_REQUEST' })
    expect(await firstValue(db, 'SELECT 1')).toBe(1)
  })

  test('of a text that cannot be sent frees its connection', async () => {
    const { db } = await one()
    for (const [text, params] of [
      ['', []],
      ['SELECT 1\0', []],
      ['SELECT $1', [undefined]],
    ] as const) {
      expect(await read(db.stream(text, params))).toMatchObject({ error: { code: 'INVALID_REQUEST' } })
    }
    expect(db.stats()).toMatchObject({ leased: 0 })
  })
})
