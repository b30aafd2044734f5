import type { SqlSession } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { failureOf, firstValue, gate, open, PATIENCE, pidOf } from './support/database.ts'
import { needsServer } from './support/server.ts'

needsServer()

const SLEEP = 'SELECT pg_sleep(60)'

describe('statementTimeoutMs', () => {
  test('is held by the server, TIMEOUT, and the session serves on', async () => {
    const { db } = await open({ statementTimeoutMs: 100 })
    const before = await pidOf(db)
    expect(await failureOf(db.query(SLEEP))).toMatchObject({
      code: 'TIMEOUT',
      retryable: true,
      message: expect.stringContaining('100 ms (statementTimeoutMs)'),
    })
    expect(await pidOf(db)).toBe(before)
  })

  test('is each statement’s, not the transaction’s', async () => {
    const { db } = await open({ statementTimeoutMs: 400 })
    const naps = async (session: SqlSession): Promise<number> => {
      for (let at = 0; at < 5; at++) await session.query('SELECT pg_sleep(0.1)')
      return pidOf(session)
    }
    expect(await db.transaction(naps)).toBe(await pidOf(db))
  })

  test('is held by the client, a second later, where a statement has turned the server’s off', async () => {
    const clock = virtualClock()
    const { db, sessions, untilRunning } = await open({ statementTimeoutMs: 5_000, cancelTimeoutMs: 15_000 }, clock)
    const before = await pidOf(db)
    let ended = false
    const work = failureOf(
      db.transaction(async (session) => {
        await session.query('SET LOCAL statement_timeout = 0')
        await session.query(SLEEP)
      }),
    ).finally(() => (ended = true))
    await untilRunning(SLEEP)
    await clock.advance(5_999)
    expect(ended).toBe(false)
    await clock.advance(1)
    expect(await work).toMatchObject({ code: 'TIMEOUT', retryable: true })
    expect(await sessions()).toMatchObject([{ pid: before, state: 'idle' }])
  })

  test('is held by the client behind a proxy, which may not pass start-up parameters on', async () => {
    const clock = virtualClock()
    const { db, untilRunning } = await open({ pgbouncer: true, statementTimeoutMs: 5_000, cancelTimeoutMs: 15_000 }, clock)
    const before = await pidOf(db)
    const query = failureOf(db.query(SLEEP))
    await untilRunning(SLEEP)
    await clock.advance(5_000)
    expect(await query).toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('5000 ms (statementTimeoutMs)') })
    expect(await pidOf(db)).toBe(before)
  })

  test('does not explain a cancel by somebody else', async () => {
    const { db, untilRunning } = await open({ poolMax: 2 })
    const query = failureOf(db.query(SLEEP))
    const pid = await untilRunning(SLEEP)
    await db.query('SELECT pg_cancel_backend($1)', [pid])
    expect(await query).toMatchObject({ code: 'ABORTED', details: { vendorCode: '57014' } })
  })
})

describe('a full pool', () => {
  test('refuses with OVERLOADED after acquireTimeoutMs, names who holds it, and serves when it is free again', async () => {
    const clock = virtualClock()
    const { db } = await open({ poolMax: 1, acquireTimeoutMs: 1_000 }, clock)
    const begun = gate()
    const finish = gate()
    const holder = db.transaction(async (session) => {
      begun.open()
      await finish.opened
      return pidOf(session)
    })
    await begun.opened
    const waiting = failureOf(db.query('SELECT 1'))
    const streaming = failureOf(db.stream('SELECT 1')[Symbol.asyncIterator]().next())
    expect(db.stats()).toMatchObject({ total: 1, leased: 1, waiting: 2 })
    await clock.advance(1_000)
    const message = expect.stringContaining('held are 1 of 1: a transaction for 1000 ms')
    expect(await waiting).toMatchObject({ code: 'OVERLOADED', retryable: true, details: { sent: false }, message })
    expect(await streaming).toMatchObject({ code: 'OVERLOADED', message })
    const patient = pidOf(db)
    finish.open()
    expect(await patient).toBe(await holder)
  })

  test('refuses at once who comes when maxWaiting wait', async () => {
    const { db } = await open({ poolMax: 1, maxWaiting: 0 })
    const finish = gate()
    const begun = gate()
    const holder = db.transaction(async () => {
      begun.open()
      await finish.opened
    })
    await begun.opened
    expect(await failureOf(db.query('SELECT 1'))).toMatchObject({ code: 'OVERLOADED', details: { sent: false } })
    finish.open()
    await holder
    expect(await firstValue(db, 'SELECT 1')).toBe(1)
  })

  test('lets an aborted call out of the queue at once, and never runs it', async () => {
    const { db } = await open({ poolMax: 1 })
    await db.query('CREATE TEMP SEQUENCE IF NOT EXISTS unused')
    const finish = gate()
    const begun = gate()
    const holder = db.transaction(async () => {
      begun.open()
      await finish.opened
    })
    await begun.opened
    const stop = new AbortController()
    const waiting = failureOf(db.query('SELECT 1', [], { signal: stop.signal }))
    stop.abort()
    expect(await waiting).toMatchObject({ code: 'ABORTED' })
    expect(db.stats()).toMatchObject({ waiting: 0, leased: 1 })
    finish.open()
    await holder
  })

  test('never has more sessions at the server than poolMax', async () => {
    const { db, sessions } = await open({ poolMax: 3, acquireTimeoutMs: 60_000 })
    const finish = gate()
    const all = Promise.all(Array.from({ length: 30 }, () => db.transaction(() => finish.opened)))
    await expect.poll(() => db.stats().leased, PATIENCE).toBe(3)
    expect(await sessions()).toHaveLength(3)
    finish.open()
    await all
    expect(await sessions()).toHaveLength(3)
  })
})

describe('idleTransactionTimeoutMs', () => {
  test('makes the server end a transaction whose work pauses; the next statement and the transaction reject TIMEOUT', async () => {
    const { db, sessions } = await open({ idleTransactionTimeoutMs: 100 })
    let inside: unknown
    const work = async (session: SqlSession): Promise<void> => {
      await session.query('SELECT 1')
      await expect.poll(sessions, PATIENCE).toEqual([])
      inside = await failureOf(session.query('SELECT 2'))
      throw inside
    }
    const error = await failureOf(db.transaction(work))
    expect(error).toMatchObject({ code: 'TIMEOUT', retryable: true, details: { vendorCode: '25P03' } })
    expect(error).toBe(inside)
    expect(await firstValue(db, 'SELECT 1')).toBe(1)
  })
})

describe('idleTimeoutMs', () => {
  test('ends a session that is not used, at the server too', async () => {
    const clock = virtualClock()
    const { db, sessions } = await open({ idleTimeoutMs: 1_000 }, clock)
    await db.query('SELECT 1')
    expect(await sessions()).toHaveLength(1)
    await clock.advance(1_000)
    expect(db.stats().total).toBe(0)
    await expect.poll(sessions, PATIENCE).toEqual([])
    expect(await firstValue(db, 'SELECT 1')).toBe(1)
  })
})
