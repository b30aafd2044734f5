import { type Isolation, type SqlSession, SwitchyardError } from '@switchyard/contract'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { PostgresDatabase } from '../src/index.ts'
import { failureOf, firstValue, gate, type Opened, open, PATIENCE, pidOf } from './support/database.ts'
import { freshSchema, needsServer } from './support/server.ts'

needsServer()

let opened: Opened
let db: PostgresDatabase

beforeEach(async () => {
  const { schema, drop } = await freshSchema()
  onTestFinished(drop)
  opened = await open({ searchPath: [schema], poolMax: 3 })
  db = opened.db
  await db.query('CREATE TABLE t (a int PRIMARY KEY, b int)')
})

const rows = (session: SqlSession = db): Promise<unknown> => firstValue(session, 'SELECT array_agg(a ORDER BY a) FROM t')
const insert = (session: SqlSession, a: number): Promise<unknown> => session.query('INSERT INTO t VALUES ($1, 0)', [a])

describe('what work throws', () => {
  test('rolls back and comes out as it is, also where it is thrown at once', async () => {
    const reason = new Error('changed its mind')
    const before = await pidOf(db)
    const late = db.transaction(async (session) => {
      await insert(session, 1)
      throw reason
    })
    expect(await failureOf(late)).toBe(reason)
    const atOnce = db.transaction((): Promise<never> => {
      throw reason
    })
    expect(await failureOf(atOnce)).toBe(reason)
    expect(await rows()).toBeNull()
    expect(await opened.sessions()).toMatchObject([{ pid: before, state: 'idle' }])
  })

  test('waits for a statement that work did not wait for', async () => {
    let left: Promise<unknown> | undefined
    const work = db.transaction(async (session) => {
      left = insert(session, 1)
      throw new Error('changed its mind')
    })
    await failureOf(work)
    await left
    expect(await rows()).toBeNull()
  })
})

describe('a statement that failed', () => {
  test('makes the transaction reject with its error, whatever work makes of it', async () => {
    let first: unknown
    let second: unknown
    const work = async (session: SqlSession): Promise<string> => {
      await insert(session, 1)
      first = await failureOf(session.query('SELECT 1 / 0'))
      second = await failureOf(session.query('SELECT 1'))
      return 'all is well'
    }
    expect(await failureOf(db.transaction(work))).toBe(first)
    expect(first).toMatchObject({ code: 'INVALID_REQUEST', details: { vendorCode: '22012' } })
    expect(second).toMatchObject({ details: { vendorCode: '25P02' } })
    expect(await rows()).toBeNull()
  })

  test('is made good by ROLLBACK TO a savepoint, and the rest is committed', async () => {
    const work = async (session: SqlSession): Promise<string> => {
      await insert(session, 1)
      await session.query('SAVEPOINT before')
      await failureOf(insert(session, 1))
      await session.query('ROLLBACK TO SAVEPOINT before')
      await insert(session, 2)
      return 'all is well'
    }
    expect(await db.transaction(work)).toBe('all is well')
    expect(await rows()).toEqual([1, 2])
  })

  test('and is not made good by one that fails too', async () => {
    const work = async (session: SqlSession): Promise<void> => {
      await failureOf(insert(session, Number.NaN))
      await failureOf(session.query('ROLLBACK TO SAVEPOINT nowhere'))
    }
    expect(await failureOf(db.transaction(work))).toMatchObject({ code: 'INVALID_REQUEST', details: { vendorCode: '22P02' } })
  })

  test('before it reached the server, as for a parameter that is undefined, spoils nothing', async () => {
    const work = async (session: SqlSession): Promise<void> => {
      await insert(session, 1)
      expect(await failureOf(session.query('SELECT $1', [undefined]))).toMatchObject({ code: 'INVALID_REQUEST' })
    }
    await db.transaction(work)
    expect(await rows()).toEqual([1])
  })
})

describe('nested', () => {
  test('a session offers no transaction', async () => {
    await db.transaction(async (session) => expect(Object.keys(session)).toEqual(['query']))
  })

  test.each(['BEGIN', '; BEGIN', 'COMMIT', ';COMMIT', '/* x */;; rollback', 'END'])(
    '%j is refused, and the transaction goes on',
    async (text) => {
      await db.transaction(async (session) => {
        await insert(session, 1)
        expect(await failureOf(session.query(text))).toMatchObject({ code: 'INVALID_REQUEST' })
        await insert(session, 2)
        expect(await rows()).toBeNull()
      })
      expect(await rows()).toEqual([1, 2])
    },
  )
})

describe('the session', () => {
  test('takes one statement at a time, in the order in which they were sent', async () => {
    await db.transaction(async (session) => {
      const order: number[] = []
      await Promise.all([1, 2, 3].map((a) => insert(session, a).then(() => order.push(a))))
      expect(order).toEqual([1, 2, 3])
    })
    expect(await rows()).toEqual([1, 2, 3])
  })

  test('is dead afterwards, however it ended, and what it is asked then reaches nobody', async () => {
    const stop = new AbortController()
    const kept: SqlSession[] = []
    await db.transaction(async (session) => kept.push(session))
    await failureOf(
      db.transaction(async (session) => {
        kept.push(session)
        throw new Error('rolled back')
      }),
    )
    await failureOf(
      db.transaction(
        async (session) => {
          kept.push(session)
          stop.abort()
          await new Promise(() => {})
        },
        { signal: stop.signal },
      ),
    )
    expect(kept).toHaveLength(3)
    for (const session of kept) expect(await failureOf(insert(session, 9))).toMatchObject({ code: 'CLOSED' })
    expect(await rows()).toBeNull()
  })
})

describe('isolation', () => {
  test.each<Isolation>(['read committed', 'repeatable read', 'serializable'])(
    '%s is what the server has',
    async (isolation) => {
      const level = await db.transaction((session) => firstValue(session, 'SHOW transaction_isolation'), { isolation })
      expect(level).toBe(isolation)
    },
  )

  test('is the server’s own where none is asked for', async () => {
    const usual = await firstValue(db, 'SHOW default_transaction_isolation')
    expect(await db.transaction((session) => firstValue(session, 'SHOW transaction_isolation'))).toBe(usual)
  })

  test('a serialization failure is a retryable CONFLICT, and a repeat succeeds', async () => {
    await db.query('INSERT INTO t VALUES (1, 0), (2, 0)')
    const both = gate()
    let looked = 0
    const swap = async (session: SqlSession, mine: number): Promise<void> => {
      const sum = (await firstValue(session, 'SELECT sum(b)::int FROM t')) as number
      if (++looked === 2) both.open()
      await both.opened
      await session.query('UPDATE t SET b = $1 WHERE a = $2', [sum + 1, mine])
    }
    const run = (mine: number): Promise<void> => db.transaction((session) => swap(session, mine), { isolation: 'serializable' })
    const outcomes = await Promise.allSettled([run(1), run(2)])
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused).toHaveLength(1)
    expect(refused[0]?.reason).toMatchObject({ code: 'CONFLICT', retryable: true, details: { vendorCode: '40001' } })
    await run(outcomes[0]?.status === 'rejected' ? 1 : 2)
    expect(await firstValue(db, 'SELECT array_agg(b ORDER BY b) FROM t')).toEqual([1, 2])
  })

  test('a deadlock is a retryable CONFLICT for one, and the other commits', async () => {
    await db.query('INSERT INTO t VALUES (1, 0), (2, 0)')
    const both = gate()
    let locked = 0
    const cross = (first: number, second: number): Promise<void> =>
      db.transaction(async (session) => {
        await session.query('UPDATE t SET b = b + 1 WHERE a = $1', [first])
        if (++locked === 2) both.open()
        await both.opened
        await session.query('UPDATE t SET b = b + 1 WHERE a = $1', [second])
      })
    const outcomes = await Promise.allSettled([cross(1, 2), cross(2, 1)])
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused.map(({ reason }) => reason)).toMatchObject([
      { code: 'CONFLICT', retryable: true, details: { vendorCode: '40P01' } },
    ])
    expect(await firstValue(db, 'SELECT array_agg(b) FROM t')).toEqual([1, 1])
  })
})

describe('an abort', () => {
  test('does not wait for work, rolls back, and frees the connection', async () => {
    const stop = new AbortController()
    const reason = new SwitchyardError('TIMEOUT', 'the deadline has passed')
    const begun = gate()
    const work = failureOf(
      db.transaction(
        async (session) => {
          await insert(session, 1)
          begun.open()
          await new Promise(() => {})
        },
        { signal: stop.signal },
      ),
    )
    await begun.opened
    stop.abort(reason)
    expect(await work).toBe(reason)
    await expect.poll(() => db.stats(), PATIENCE).toMatchObject({ leased: 0, idle: 1 })
    expect(await rows()).toBeNull()
  })

  test('before it begins runs no work', async () => {
    let ran = false
    const work = async (): Promise<void> => {
      ran = true
    }
    expect(await failureOf(db.transaction(work, { signal: AbortSignal.abort() }))).toMatchObject({ code: 'ABORTED' })
    expect(ran).toBe(false)
  })

  test('of one statement before it is sent leaves the transaction sound', async () => {
    await db.transaction(async (session) => {
      await insert(session, 1)
      expect(await failureOf(session.query('SELECT 1', [], { signal: AbortSignal.abort() }))).toMatchObject({ code: 'ABORTED' })
    })
    expect(await rows()).toEqual([1])
  })

  test('is heard whichever of the two signals it comes by', async () => {
    const text = 'SELECT pg_sleep(60)'
    for (const which of ['transaction', 'statement'] as const) {
      const stop = new AbortController()
      const never = new AbortController()
      const [outer, inner] = which === 'transaction' ? [stop, never] : [never, stop]
      const work = (session: SqlSession): Promise<unknown> => session.query(text, [], { signal: inner.signal })
      const running = failureOf(db.transaction(work, { signal: outer.signal }))
      await opened.untilRunning(text)
      stop.abort()
      expect(await running).toMatchObject({ code: 'ABORTED' })
    }
  })
})

describe('a commit', () => {
  test('that the server refuses rejects, and nothing is left', async () => {
    await db.query('CREATE TABLE child (a int REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED)')
    const work = async (session: SqlSession): Promise<void> => {
      await insert(session, 1)
      await session.query('INSERT INTO child VALUES (2)')
    }
    const error = await failureOf(db.transaction(work))
    expect(error).toMatchObject({ code: 'CONFLICT', retryable: false, details: { vendorCode: '23503' } })
    expect(await rows()).toBeNull()
  })

  test('cannot be slipped in by a procedure', async () => {
    await db.query('CREATE PROCEDURE ends() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$')
    const work = async (session: SqlSession): Promise<void> => {
      await insert(session, 1)
      await session.query('CALL ends()')
    }
    expect(await failureOf(db.transaction(work))).toMatchObject({ code: 'INVALID_REQUEST', details: { vendorCode: '2D000' } })
    expect(await rows()).toBeNull()
  })
})
