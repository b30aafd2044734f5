import assert from 'node:assert/strict'
import type { SqlDatabase, SqlSession } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { type Table, withTable } from './tables.ts'

type Check = (instance: SqlDatabase, table: Table) => Promise<void>

/** A case over a table of one integer, which runs where transactions are declared. */
export function transactionCase(id: string, promise: string, check: Check): ConformanceCase<SqlDatabase> {
  return {
    id: `sql.transaction.${id}`,
    promise,
    declared: ({ capabilities }) => capabilities.transactions,
    check: ({ instance }) => withTable(instance, ['integer'], (table) => check(instance, table)),
    async undeclared({ instance }) {
      let ran = false
      const work = async (): Promise<void> => {
        ran = true
      }
      await rejectsWith(() => instance.transaction(work), 'UNSUPPORTED', 'transaction')
      assert.equal(ran, false, 'the work of an unsupported transaction was run')
    },
  }
}

export const transactionCases: readonly ConformanceCase<SqlDatabase>[] = [
  transactionCase(
    'commits',
    'what was written is there when work resolves, and its value is handed on',
    async (instance, table) => {
      const result = await instance.transaction(async (session) => {
        await table.insert(session, 1)
        await table.insert(session, 2)
        assert.equal(await table.count(session), 2, 'rows as the session sees its own writes')
        return 'done'
      })
      assert.equal(result, 'done', 'the value of the transaction')
      assert.equal(await table.count(instance), 2, 'rows after the commit')
    },
  ),
  transactionCase('rolls-back', 'nothing is left when work rejects, and the same error comes out', async (instance, table) => {
    const reason = new Error('the work changed its mind')
    const outcome = await instance
      .transaction(async (session) => {
        await table.insert(session, 1)
        throw reason
      })
      .then(
        () => 'resolved',
        (error: unknown) => error,
      )
    assert.ok(outcome === reason, `not the error that the work threw, but ${String(outcome)}`)
    assert.equal(await table.count(instance), 0, 'rows after the rollback')
  }),
  transactionCase('session-closes', 'a session kept beyond its transaction rejects CLOSED', async (instance, table) => {
    const kept: SqlSession[] = []
    await instance.transaction(async (session) => {
      kept.push(session)
      await table.insert(session, 1)
    })
    await instance
      .transaction(async (session) => {
        kept.push(session)
        throw new Error('rolled back')
      })
      .catch(() => {})
    for (const session of kept) await rejectsWith(() => table.insert(session, 9), 'CLOSED', 'a query on an ended session')
    assert.equal(kept.length, 2, 'sessions')
    assert.equal(await table.count(instance), 1, 'rows')
  }),
  transactionCase(
    'failed-statement',
    'after a statement failed and work swallowed that, it either commits the rest or rejects; it never resolves uncommitted',
    async (instance, table) => {
      const work = async (session: SqlSession): Promise<void> => {
        await table.insert(session, 1)
        await session.query('SELECT no_such_column').catch(() => {})
      }
      const resolved = await instance.transaction(work).then(
        () => true,
        () => false,
      )
      assert.equal(await table.count(instance), resolved ? 1 : 0, `rows after it ${resolved ? 'resolved' : 'rejected'}`)
    },
  ),
  transactionCase(
    'commit-failure',
    'where the commit itself fails, as on a deferred constraint, it rejects CONFLICT and nothing is left',
    async (instance, table) => {
      const parent = `${table.name}_parent`
      const child = `${table.name}_child`
      const { integer } = table.dialect.types
      await instance.query(`CREATE TABLE ${parent} (a ${integer} PRIMARY KEY)`)
      await instance.query(`CREATE TABLE ${child} (a ${integer} ${table.dialect.deferredReference(parent, 'a')})`)
      try {
        const work = async (session: SqlSession): Promise<void> => {
          await session.query(`INSERT INTO ${child} VALUES (1)`)
          await table.insert(session, 1)
        }
        await rejectsWith(() => instance.transaction(work), 'CONFLICT', 'a transaction whose commit fails')
        assert.equal(await table.count(instance), 0, 'rows')
      } finally {
        await instance.query(`DROP TABLE ${child}`)
        await instance.query(`DROP TABLE ${parent}`)
      }
    },
  ),
  transactionCase(
    'own-commit',
    'a session that sends COMMIT or ROLLBACK itself rejects INVALID_REQUEST, and its transaction goes on',
    async (instance, table) => {
      const reason = new Error('rolled back')
      const work = async (session: SqlSession): Promise<void> => {
        await table.insert(session, 1)
        for (const text of ['COMMIT', 'ROLLBACK', 'commit;', '-- now\nEND', 'BEGIN', '; COMMIT', '/* now */ ;;END']) {
          await rejectsWith(() => session.query(text), 'INVALID_REQUEST', JSON.stringify(text))
        }
        assert.equal(await table.count(session), 1, 'rows in the session')
        throw reason
      }
      const outcome = await instance.transaction(work).catch((error: unknown) => error)
      assert.ok(outcome === reason, `the transaction ended with ${String(outcome)}`)
      assert.equal(await table.count(instance), 0, 'rows after the rollback')
    },
  ),
  transactionCase(
    'savepoint',
    'a savepoint inside a transaction undoes what came after it and no more',
    async (instance, table) => {
      await instance.transaction(async (session) => {
        await table.insert(session, 1)
        await session.query('SAVEPOINT here')
        await table.insert(session, 2)
        await session.query('ROLLBACK TO SAVEPOINT here')
        await table.insert(session, 3)
      })
      const { rows } = await instance.query<{ a: unknown }>(`SELECT a FROM ${table.name} ORDER BY a`)
      assert.deepEqual(
        rows.map(({ a }) => a),
        [1, 3],
      )
    },
  ),
  transactionCase(
    'aborted-signal',
    'a signal that has aborted rejects ABORTED and work is not run',
    async (instance, table) => {
      let ran = false
      const work = async (session: SqlSession): Promise<void> => {
        ran = true
        await table.insert(session, 1)
      }
      await rejectsWith(() => instance.transaction(work, { signal: AbortSignal.abort() }), 'ABORTED', 'transaction')
      assert.equal(ran, false, 'work was run')
      assert.equal(await table.count(instance), 0, 'rows')
    },
  ),
  transactionCase(
    'abort-rolls-back',
    'an abort half-way rejects ABORTED without waiting for work, rolls back, closes the session and frees the connection',
    async (instance, table) => {
      const stop = new AbortController()
      let kept: SqlSession | undefined
      const work = async (session: SqlSession): Promise<void> => {
        kept = session
        await table.insert(session, 1)
        setImmediate(() => stop.abort())
        await new Promise(() => {})
      }
      await rejectsWith(() => instance.transaction(work, { signal: stop.signal }), 'ABORTED', 'the aborted transaction')
      const session = kept as SqlSession | undefined
      assert.ok(session !== undefined, 'work was never run')
      await rejectsWith(() => table.insert(session, 2), 'CLOSED', 'a query on the aborted session')
      assert.equal(await table.count(instance), 0, 'rows after the abort')
      await instance.transaction((next) => table.insert(next, 3))
      assert.equal(await table.count(instance), 1, 'rows after the next transaction')
    },
  ),
]
