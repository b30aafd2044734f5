import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type SqlDatabase, SwitchyardError, sql } from '@switchyard/contract'
import { type StartedPlugin, startPlugin, systemClock } from '@switchyard/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type SqliteInput, sqlite } from '../src/index.ts'

let folder: string
let plugins: StartedPlugin[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-sqlite-'))
  plugins = []
})
afterEach(async () => {
  for (const plugin of plugins) await plugin.close()
  rmSync(folder, { recursive: true })
})

const file = (): string => join(folder, 'test.db')

async function start(options: Partial<SqliteInput> = {}): Promise<{ plugin: StartedPlugin; db: SqlDatabase }> {
  const plugin = await startPlugin(sqlite({ path: file(), synchronous: 'normal', ...options }), { clock: systemClock() })
  plugins.push(plugin)
  return { plugin, db: plugin.port(sql) }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function count(db: Pick<SqlDatabase, 'query'>): Promise<unknown> {
  return (await db.query('SELECT count(*) AS n FROM t')).rows[0]?.n
}

/** A transaction held open until `finish`. */
async function holding(db: SqlDatabase): Promise<{ finish(): void; ended: Promise<void> }> {
  let finish = (): void => {}
  const held = new Promise<void>((resolve) => {
    finish = resolve
  })
  let begun = (): void => {}
  const beginning = new Promise<void>((resolve) => {
    begun = resolve
  })
  const ended = db.transaction(async (session) => {
    await session.query('INSERT INTO t VALUES (1)')
    begun()
    await held
  })
  ended.catch(() => {})
  await beginning
  return { finish, ended }
}

describe('opening', () => {
  test('makes the file and its folder, in WAL mode with foreign keys on', async () => {
    const path = join(folder, 'a', 'b', 'test.db')
    const { db } = await start({ path })
    expect(existsSync(path)).toBe(true)
    expect((await db.query('PRAGMA journal_mode')).rows).toMatchObject([{ journal_mode: 'wal' }])
    expect((await db.query('PRAGMA foreign_keys')).rows).toMatchObject([{ foreign_keys: 1 }])
    expect((await db.query('PRAGMA synchronous')).rows).toMatchObject([{ synchronous: 1 }])
  })

  test('is durable at a power cut where nothing else is said', async () => {
    const { db } = await start({ synchronous: undefined })
    expect((await db.query('PRAGMA synchronous')).rows).toMatchObject([{ synchronous: 2 }])
  })

  test('says what is wrong with a file that is none of SQLite’s', async () => {
    writeFileSync(file(), 'this is a letter to my mother, and quite a long one, as it should be')
    await expect(start()).rejects.toMatchObject({ code: 'UPSTREAM_INVALID', retryable: false })
  })

  test('says that a folder cannot be made', async () => {
    writeFileSync(join(folder, 'taken'), '')
    await expect(start({ path: join(folder, 'taken', 'test.db') })).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  })

  test.each([
    [{ path: '' }, 'path'],
    [{ busyTimeoutMs: -1 }, 'busyTimeoutMs'],
    [{ maxReaders: 0 }, 'maxReaders'],
    [{ busyTimeout: 5 }, 'busyTimeout'],
  ])('refuses options %j', async (options, name) => {
    await expect(start(options as Partial<SqliteInput>)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(name),
    })
  })
})

describe('read only', () => {
  test('reads, and refuses writes with FORBIDDEN', async () => {
    const { db } = await start()
    await db.query('CREATE TABLE t(a)')
    const { db: reader } = await start({ readOnly: true })
    expect(await count(reader)).toBe(0)
    expect(await reader.transaction((session) => count(session))).toBe(0)
    await expect(reader.query('INSERT INTO t VALUES (1)')).rejects.toMatchObject({ code: 'FORBIDDEN', retryable: false })
  })

  test('does not make a file that is missing', async () => {
    await expect(start({ readOnly: true })).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect(existsSync(file())).toBe(false)
  })
})

describe('while a transaction is open', () => {
  test('reads go on beside it, and see what is committed', async () => {
    const { db } = await start()
    await db.query('CREATE TABLE t(a)')
    const { finish, ended } = await holding(db)
    expect(await count(db)).toBe(0)
    const seen: unknown[] = []
    for await (const row of db.stream('SELECT count(*) AS n FROM t')) seen.push(row.n)
    expect(seen).toEqual([0])
    finish()
    await ended
    expect(await count(db)).toBe(1)
  })

  test('writes wait for their turn, in order', async () => {
    const { db } = await start()
    await db.query('CREATE TABLE t(a)')
    const { finish, ended } = await holding(db)
    const writes = [2, 3, 4].map((a) => db.query('INSERT INTO t VALUES (?)', [a]))
    finish()
    await Promise.all([ended, ...writes])
    expect((await db.query('SELECT a FROM t ORDER BY rowid')).rows.map(({ a }) => a)).toEqual([1, 2, 3, 4])
  })

  test('a write from inside it that does not use the session is refused in time, and is told why', async () => {
    const { db } = await start({ acquireTimeoutMs: 50 })
    await db.query('CREATE TABLE t(a)')
    const inside = db.transaction(() => db.query('INSERT INTO t VALUES (1)'))
    await expect(inside).rejects.toMatchObject({ code: 'OVERLOADED', message: expect.stringContaining('use the session') })
  })

  test('an aborted call leaves the queue at once', async () => {
    const { db } = await start()
    await db.query('CREATE TABLE t(a)')
    const { finish, ended } = await holding(db)
    const stop = new AbortController()
    const waiting = db.query('INSERT INTO t VALUES (9)', [], { signal: stop.signal })
    stop.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' })
    finish()
    await ended
    expect(await count(db)).toBe(1)
  })

  test('in memory, reads wait for it, since there is no second connection', async () => {
    const { db } = await start({ path: ':memory:' })
    await db.query('CREATE TABLE t(a)')
    const { finish, ended } = await holding(db)
    const read = count(db)
    finish()
    await ended
    expect(await read).toBe(1)
  })

  test('a conflict clause that rolls it all back is not taken for a commit', async () => {
    const { db } = await start()
    await db.query('CREATE TABLE t(a PRIMARY KEY)')
    const outcome = db.transaction(async (session) => {
      await session.query('INSERT INTO t VALUES (1)')
      await session.query('INSERT OR ROLLBACK INTO t VALUES (1)').catch(() => {})
      await expect(session.query('INSERT INTO t VALUES (2)')).rejects.toMatchObject({ code: 'CLOSED' })
    })
    await expect(outcome).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await count(db)).toBe(0)
  })
})

describe('while another process holds the file', () => {
  function lock(): DatabaseSync {
    const other = new DatabaseSync(file(), { timeout: 0 })
    other.exec('BEGIN IMMEDIATE')
    return other
  }

  test('a write is tried again until it may go, and the event loop goes on meanwhile', async () => {
    const { db } = await start()
    await db.query('CREATE TABLE t(a)')
    const other = lock()
    let ticks = 0
    const ticking = setInterval(() => ticks++, 5)
    const write = db.query('INSERT INTO t VALUES (1)')
    await pause(60)
    other.exec('COMMIT')
    other.close()
    expect((await write).rowCount).toBe(1)
    clearInterval(ticking)
    expect(ticks).toBeGreaterThan(3)
  })

  test('a write and a transaction are refused with OVERLOADED after busyTimeoutMs', async () => {
    const { db } = await start({ busyTimeoutMs: 30 })
    await db.query('CREATE TABLE t(a)')
    const other = lock()
    await expect(db.query('INSERT INTO t VALUES (1)')).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true })
    await expect(db.transaction((session) => count(session))).rejects.toMatchObject({ code: 'OVERLOADED' })
    expect(await count(db)).toBe(0)
    other.close()
  })

  test('an abort ends the trying', async () => {
    const { db } = await start()
    await db.query('CREATE TABLE t(a)')
    const other = lock()
    const reason = new SwitchyardError('TIMEOUT', 'deadline')
    const stop = new AbortController()
    const write = db.query('INSERT INTO t VALUES (1)', [], { signal: stop.signal })
    setTimeout(() => stop.abort(reason), 10)
    await expect(write).rejects.toBe(reason)
    other.close()
    expect(await count(db)).toBe(0)
  })
})

describe('streams', () => {
  test('beyond maxReaders wait, and are refused in time', async () => {
    const { db } = await start({ maxReaders: 1, acquireTimeoutMs: 30 })
    const open = db.stream('VALUES (1), (2)')[Symbol.asyncIterator]()
    await open.next()
    const second = db.stream('VALUES (1)')[Symbol.asyncIterator]()
    await expect(second.next()).rejects.toMatchObject({ code: 'OVERLOADED', message: expect.stringContaining('a reader') })
    await open.return?.()
    expect((await db.stream('VALUES (3)')[Symbol.asyncIterator]().next()).done).toBe(false)
  })

  test('of a write that returns rows go by the writer', async () => {
    const { db } = await start()
    await db.query('CREATE TABLE t(a)')
    const seen: unknown[] = []
    for await (const row of db.stream('INSERT INTO t VALUES (1), (2) RETURNING a')) seen.push(row.a)
    expect(seen).toEqual([1, 2])
    expect(await count(db)).toBe(2)
  })

  test('let other work run between their rows', async () => {
    const { db } = await start()
    let ticks = 0
    const ticking = setInterval(() => ticks++, 1)
    const rows = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100000) SELECT x FROM c'
    for await (const _ of db.stream(rows));
    clearInterval(ticking)
    expect(ticks).toBeGreaterThan(5)
  })

  test('reject CLOSED where the database closes half-way', async () => {
    const { db, plugin } = await start()
    const rows = db.stream('VALUES (1), (2), (3)')[Symbol.asyncIterator]()
    await rows.next()
    await plugin.close()
    await expect(rows.next()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('closing', () => {
  test('refuses every call with CLOSED, those that wait too', async () => {
    const { db, plugin } = await start()
    await db.query('CREATE TABLE t(a)')
    const { ended } = await holding(db)
    const waiting = db.query('INSERT INTO t VALUES (2)')
    waiting.catch(() => {})
    await plugin.close()
    await plugin.close()
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(db.query('SELECT 1')).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(db.transaction(async () => {})).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(plugin.health?.()).rejects.toMatchObject({ code: 'CLOSED' })
    ended.catch(() => {})
    const { db: again } = await start()
    expect(await count(again)).toBe(0)
  })

  test('makes a transaction that goes on after it reject CLOSED', async () => {
    const { db, plugin } = await start()
    await db.query('CREATE TABLE t(a)')
    const { finish, ended } = await holding(db)
    await plugin.close()
    finish()
    await expect(ended).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('as a plugin', () => {
  test('carries out sql.query', async () => {
    const { plugin } = await start()
    const signal = new AbortController().signal
    const reply = await plugin.serves['sql.query']?.({ request: { sql: 'SELECT ? AS v', params: [7] }, signal } as never)
    expect(reply).toMatchObject({ rows: [{ v: 7 }], rowCount: 1 })
  })

  test('is healthy while it is open, also during a transaction', async () => {
    const { plugin, db } = await start()
    await db.query('CREATE TABLE t(a)')
    const { finish, ended } = await holding(db)
    await expect(plugin.health?.()).resolves.toBeUndefined()
    finish()
    await ended
  })

  test('tells who holds and who waits', async () => {
    const { db } = await start()
    await db.query('CREATE TABLE t(a)')
    const { stats } = db as unknown as { stats(): { writer: object; readers: object } }
    const { finish, ended } = await holding(db)
    const waiting = db.query('INSERT INTO t VALUES (2)')
    expect(stats().writer).toMatchObject({ held: 1, waiting: 1 })
    finish()
    await Promise.all([ended, waiting])
    expect(stats().writer).toMatchObject({ held: 0, waiting: 0 })
  })
})

test('a statement prepared before a change of its table gives the columns of after', async () => {
  const { db } = await start()
  await db.query('CREATE TABLE t(a)')
  await db.query('INSERT INTO t VALUES (1)')
  expect((await db.query('SELECT * FROM t')).rows).toMatchObject([{ a: 1 }])
  await db.query('ALTER TABLE t ADD COLUMN b DEFAULT 2')
  expect((await db.query('SELECT * FROM t')).rows).toMatchObject([{ a: 1, b: 2 }])
})

test('more texts than the cache holds all run', async () => {
  const { db } = await start({ statementCacheSize: 3 })
  for (let round = 0; round < 2; round++) {
    for (let at = 0; at < 10; at++) expect((await db.query(`SELECT ${at} AS v`)).rows).toMatchObject([{ v: at }])
  }
})

test.each(['COMMIT', ';COMMIT', '/* a */ ; END', '\uFEFFCOMMIT', '\uFEFF ;-- a\n ROLLBACK', 'BEGIN'])(
  'a session cannot end its transaction by %j, and what it did is rolled back',
  async (text) => {
    const { db } = await start()
    await db.query('CREATE TABLE t(a)')
    const work = db.transaction(async (session) => {
      await session.query('INSERT INTO t VALUES (1)')
      await session.query(text)
    })
    await expect(work).rejects.toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringContaining('session') })
    expect(await count(db)).toBe(0)
  },
)

test('a write behind an empty statement counts its rows', async () => {
  const { db } = await start()
  await db.query('CREATE TABLE t(a)')
  expect((await db.query('; INSERT INTO t VALUES (1), (2)')).rowCount).toBe(2)
})

test.each<[string, (db: SqlDatabase, text: string) => Promise<unknown>]>([
  ['query', (db, text) => db.query(text)],
  ['stream', (db, text) => db.stream(text)[Symbol.asyncIterator]().next()],
])('a savepoint left open by a lone %s is rolled back, and it says so', async (_, send) => {
  const { db } = await start()
  await db.query('CREATE TABLE t(a)')
  await expect(send(db, 'SAVEPOINT a')).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: expect.stringContaining('transaction()'),
  })
  await db.query('INSERT INTO t VALUES (1)')
  expect(await count(db)).toBe(1)
})
