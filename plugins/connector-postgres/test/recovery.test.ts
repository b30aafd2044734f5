import { type SqlSession, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { privatePostgres } from '../../../scripts/services/index.ts'
import type { PostgresInput } from '../src/index.ts'
import { failureOf, firstValue, gate, open, PATIENCE, pidOf } from './support/database.ts'
import { aside, freshSchema, needs, needsServer } from './support/server.ts'
import { layWire } from './support/wire.ts'

const own = await privatePostgres()
afterAll(() => (own.status === 'ready' ? own.stop() : undefined))

const SLEEP = 'SELECT pg_sleep(60)'
const end = (pid: number): Promise<unknown> => aside('SELECT pg_terminate_backend($1)', [pid])

/** A server that may be had, or the tests would have been skipped. */
function server() {
  if (own.status !== 'ready') throw new Error(own.because)
  return own
}

function at(port: number): PostgresInput {
  return { host: '127.0.0.1', port, user: 'app', database: 'postgres' }
}

describe('a session that the server ends', () => {
  needsServer()
  test('while it is idle is noticed and replaced; nobody gets it', async () => {
    const { db } = await open()
    const before = await pidOf(db)
    await end(before)
    await expect.poll(() => db.stats().total, PATIENCE).toBe(0)
    expect(await pidOf(db)).not.toBe(before)
  })

  test('while a query runs rejects that with the server’s reason, and the next gets another', async () => {
    const { db, untilRunning } = await open()
    const query = failureOf(db.query(SLEEP))
    const before = await untilRunning(SLEEP)
    await end(before)
    expect(await query).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('terminating connection'),
      details: { vendorCode: '57P01' },
    })
    expect(await pidOf(db)).not.toBe(before)
  })

  test('inside a transaction rejects its statements and the transaction, and nothing of it is left', async () => {
    const { schema, drop } = await freshSchema()
    try {
      const { db } = await open({ searchPath: [schema] })
      await db.query('CREATE TABLE t (a int)')
      let swallowed: unknown
      const work = async (session: SqlSession): Promise<void> => {
        await session.query('INSERT INTO t VALUES (1)')
        await end(await pidOf(session))
        swallowed = await failureOf(session.query('INSERT INTO t VALUES (2)'))
      }
      const error = await failureOf(db.transaction(work))
      expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
      expect(error).toBe(swallowed)
      expect(await firstValue(db, 'SELECT count(*) FROM t')).toBe(0)
    } finally {
      await drop()
    }
  })

  test('before it commits rejects as one that was not, and says why', async () => {
    const { db, sessions } = await open()
    const gone = { code: 'UPSTREAM_UNAVAILABLE', retryable: true, details: { vendorCode: '57P01' } }
    const loud = async (session: SqlSession): Promise<void> => {
      for (const text of ['SELECT pg_terminate_backend(pg_backend_pid())', 'SELECT 1']) {
        expect(await failureOf(session.query(text))).toMatchObject(gone)
      }
    }
    const silent = async (session: SqlSession): Promise<void> => {
      await end(await pidOf(session))
      await expect.poll(sessions, PATIENCE).toEqual([])
    }
    for (const work of [loud, silent]) {
      const error = (await failureOf(db.transaction(work))) as SwitchyardError
      expect(error).toMatchObject(gone)
      expect(error.details).not.toHaveProperty('committed')
    }
  })

  test('while it commits leaves it unknown whether it did, which is not to be repeated', async () => {
    const { schema, drop } = await freshSchema()
    try {
      const { db, untilRunning } = await open({ searchPath: [schema] })
      await db.query('CREATE TABLE t (a int)')
      await db.query(
        'CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$',
      )
      await db.query(
        'CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()',
      )
      const work = failureOf(db.transaction((session) => session.query('INSERT INTO t VALUES (1)')))
      await end(await untilRunning('COMMIT'))
      expect(await work).toMatchObject({
        code: 'UPSTREAM_UNAVAILABLE',
        retryable: false,
        message: expect.stringContaining('whether the transaction was committed is not known'),
        details: { committed: 'unknown', vendorCode: '57P01' },
      })
      expect(await firstValue(db, 'SELECT count(*) FROM t')).toBe(0)
    } finally {
      await drop()
    }
  })

  test('while a stream is read rejects the reader', async () => {
    const { db } = await open({ streamBatchRows: 10 })
    const rows = db.stream<{ pid: number }>('SELECT pg_backend_pid() AS pid FROM generate_series(1, 1000)')
    const read = async (): Promise<void> => {
      for await (const { pid } of rows) await end(pid)
    }
    expect(await failureOf(read())).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect(await firstValue(db, 'SELECT 1')).toBe(1)
  })
})

describe('a server that dies', () => {
  needs(own)
  test('rejects what runs, and is used again once it is back', async () => {
    const { db, untilRunning } = await open({ url: server().url }, undefined, server().url)
    await Promise.all([pidOf(db), pidOf(db)])
    const query = failureOf(db.query(SLEEP))
    await untilRunning(SLEEP)
    const restarted = server().restart()
    expect(await query).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true })
    await expect.poll(() => db.stats().total, PATIENCE).toBe(0)
    await restarted
    expect(await firstValue(db, 'SELECT 1')).toBe(1)
  })

  test('and is not there at all is UPSTREAM_UNAVAILABLE, sent: false, and asked again only after a pause', async () => {
    const clock = virtualClock()
    const wire = await layWire(server().port)
    const { db } = await open({ ...at(wire.port), connectOnStart: false, maxConnecting: 1 }, clock, server().url)
    wire.manner = 'refuse'
    const first = await failureOf(db.query('SELECT 1'))
    expect(first).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true, details: { sent: false } })
    const second = firstValue(db, 'SELECT 1')
    wire.manner = 'carry'
    await clock.advance(40)
    expect(wire.lines).toHaveLength(0)
    await clock.advance(60)
    expect(await second).toBe(1)
  })
})

describe('a network that breaks', () => {
  needs(own)
  test('in the middle of a query rejects it, and the next call connects anew', async () => {
    const wire = await layWire(server().port)
    const { db, untilRunning } = await open(at(wire.port), undefined, server().url)
    const query = failureOf(db.query(SLEEP))
    await untilRunning(SLEEP)
    wire.lines[0]?.cut()
    expect(await query).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true })
    expect(await firstValue(db, 'SELECT 1')).toBe(1)
  })

  test('without a word is given up after the statement’s time and the cancel’s', async () => {
    const clock = virtualClock()
    const wire = await layWire(server().port)
    const options = { ...at(wire.port), statementTimeoutMs: 5_000, cancelTimeoutMs: 500 }
    const { db } = await open(options, clock, server().url)
    await db.query('SELECT 1')
    wire.lines[0]?.hold()
    wire.manner = 'silence'
    let ended = false
    const query = failureOf(db.query('SELECT 2')).finally(() => (ended = true))
    await clock.advance(6_499)
    expect(ended).toBe(false)
    await clock.advance(1)
    expect(await query).toMatchObject({ code: 'TIMEOUT' })
    expect(db.stats().total).toBe(0)
    expect(clock.pending()).toBe(0)
  })

  test('while a failed statement is cleared away drops the connection after cancelTimeoutMs', async () => {
    const clock = virtualClock()
    const wire = await layWire(server().port)
    const { db } = await open({ ...at(wire.port), cancelTimeoutMs: 500 }, clock, server().url)
    const failed = gate()
    const held = gate()
    const work = failureOf(
      db.transaction(async () => {
        failed.open()
        await held.opened
        throw new Error('changed its mind')
      }),
    )
    await failed.opened
    wire.lines[0]?.hold()
    held.open()
    await expect.poll(() => wire.lines[0]?.kept(), PATIENCE).toBeGreaterThan(0)
    await clock.advance(500)
    expect(await work).toMatchObject({ message: 'changed its mind' })
    expect(db.stats().total).toBe(0)
    expect(await firstValue(db, 'SELECT 1')).toBe(1)
  })
})

describe('close', () => {
  needsServer()
  test('ends every session at the server, lets what runs end, and refuses what comes and what waits', async () => {
    const { db, sessions, plugin } = await open({ poolMax: 1 })
    const finish = gate()
    const begun = gate()
    const work = db.transaction(async (session) => {
      begun.open()
      await finish.opened
      return firstValue(session, 'SELECT 7')
    })
    await begun.opened
    const waiting = failureOf(db.query('SELECT 1'))
    const closing = plugin.close()
    expect(await waiting).toMatchObject({ code: 'CLOSED' })
    expect(await failureOf(db.query('SELECT 1'))).toMatchObject({ code: 'CLOSED' })
    expect(await failureOf(db.transaction(async () => {}))).toMatchObject({ code: 'CLOSED' })
    expect(await failureOf(db.stream('SELECT 1')[Symbol.asyncIterator]().next())).toMatchObject({ code: 'CLOSED' })
    finish.open()
    expect(await work).toBe(7)
    await closing
    await expect.poll(sessions, PATIENCE).toEqual([])
  })

  test('cuts what still runs after five seconds', async () => {
    const clock = virtualClock()
    const { db, plugin, untilRunning } = await open({}, clock)
    const query = failureOf(db.query(SLEEP))
    const pid = await untilRunning(SLEEP)
    const closing = plugin.close()
    await clock.advance(5_000)
    await closing
    const error = await query
    expect(SwitchyardError.is(error)).toBe(true)
    expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    await end(pid)
  })
})
