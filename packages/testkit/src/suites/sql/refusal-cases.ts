import assert from 'node:assert/strict'
import { type SqlDatabase, SwitchyardError } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { dialectOf } from './dialect.ts'
import { firstValue, freshName, withTable } from './tables.ts'

async function stillAnswers(instance: SqlDatabase): Promise<void> {
  assert.equal(await firstValue(instance, 'SELECT 1 AS one'), 1, 'the next query')
}

/** Refused as the caller's mistake: sending it again would change nothing. */
async function refused(instance: SqlDatabase, text: string, params: readonly unknown[], what: string): Promise<void> {
  const error = await rejectsWith(() => instance.query(text, params), 'INVALID_REQUEST', what)
  assert.equal(error.retryable, false, `${what}: retryable`)
  await stillAnswers(instance)
}

export const refusalCases: readonly ConformanceCase<SqlDatabase>[] = [
  {
    id: 'sql.query.syntax-error',
    promise: 'a syntax error rejects INVALID_REQUEST, is not retryable, and the next query works',
    async check({ instance }) {
      await refused(instance, 'SELEC 1', [], 'a syntax error')
      await refused(instance, '', [], 'an empty text')
    },
  },
  {
    id: 'sql.query.unknown-table',
    promise: 'an unknown table or column rejects INVALID_REQUEST, is not retryable, and the next query works',
    async check({ instance }) {
      await refused(instance, `SELECT * FROM ${freshName()}`, [], 'an unknown table')
      await refused(instance, 'SELECT no_such_column', [], 'an unknown column')
    },
  },
  {
    id: 'sql.query.undefined-parameter',
    promise: 'a parameter that is undefined rejects INVALID_REQUEST; it is not taken for NULL',
    async check({ instance }) {
      await withTable(instance, ['text'], async (table) => {
        await rejectsWith(() => table.insert(instance, undefined), 'INVALID_REQUEST', 'an undefined parameter')
        assert.equal(await table.count(instance), 0, 'rows')
      })
    },
  },
  {
    id: 'sql.query.parameter-count',
    promise: 'parameters too few or too many reject INVALID_REQUEST, and nothing runs',
    async check({ instance }) {
      await withTable(instance, ['text', 'text'], async (table) => {
        const { placeholder } = table.dialect
        const insert = `INSERT INTO ${table.name} VALUES (${placeholder(1)}, ${placeholder(2)})`
        for (const params of [[], ['one'], ['one', 'two', 'three']]) {
          await refused(instance, insert, params, `${params.length} parameters for two placeholders`)
        }
        assert.equal(await table.count(instance), 0, 'rows')
      })
    },
  },
  {
    id: 'sql.query.unique-violation',
    promise: 'a violated unique constraint rejects CONFLICT and is not retryable',
    async check({ instance }) {
      await withTable(instance, [['integer', 'PRIMARY KEY']], async (table) => {
        await table.insert(instance, 1)
        const error = await rejectsWith(() => table.insert(instance, 1), 'CONFLICT', 'the second insert of a key')
        assert.equal(error.retryable, false, 'retryable')
        assert.equal(await table.count(instance), 1, 'rows')
      })
    },
  },
  {
    id: 'sql.query.one-statement',
    promise: 'text of more than one statement rejects INVALID_REQUEST and the second never runs; a closing semicolon is fine',
    async check({ instance }) {
      await withTable(instance, ['integer'], async (table) => {
        const two = `SELECT 1; INSERT INTO ${table.name} VALUES (1)`
        await refused(instance, two, [], 'two statements')
        assert.equal(await table.count(instance), 0, 'rows of the second statement')
        assert.equal(await firstValue(instance, 'SELECT 1 ; -- done'), 1, 'a closing semicolon and a comment')
      })
    },
  },
  {
    id: 'sql.query.aborted-signal',
    promise: 'a query under a signal that has aborted rejects ABORTED and runs nothing',
    async check({ instance }) {
      await withTable(instance, ['integer'], async (table) => {
        const insert = `INSERT INTO ${table.name} VALUES (1)`
        await rejectsWith(() => instance.query(insert, [], { signal: AbortSignal.abort() }), 'ABORTED', 'query')
        assert.equal(await table.count(instance), 0, 'rows')
      })
    },
  },
  {
    id: 'sql.query.signal-reason',
    promise: 'where the signal’s reason is a SwitchyardError, as a deadline’s TIMEOUT is, a query rejects with that very error',
    async check({ instance }) {
      const reason = new SwitchyardError('TIMEOUT', 'the deadline of the call has passed')
      const signal = AbortSignal.abort(reason)
      const error = await rejectsWith(() => instance.query('SELECT 1', [], { signal }), 'TIMEOUT', 'query')
      assert.ok(error === reason, 'it is another error of the same code')
      await stillAnswers(instance)
    },
  },
  {
    id: 'sql.query.no-open-transaction',
    promise: 'a transaction begun by a lone query does not take in the queries that follow',
    async check({ instance }) {
      await withTable(instance, ['integer'], async (table) => {
        for (const begin of ['BEGIN', 'BEGIN', '/* once more */ begin']) await instance.query(begin).catch(() => {})
        await table.insert(instance, 1)
        await instance.query('ROLLBACK').catch(() => {})
        assert.equal(await table.count(instance), 1, 'rows after an insert and a stray ROLLBACK')
      })
    },
  },
  {
    id: 'sql.query.abort-in-flight',
    promise: 'an abort while a statement runs stops it at the server where cancel is declared; the connection stays usable',
    declared: ({ capabilities }) => capabilities.cancel,
    async check({ instance }) {
      const { slow, running } = dialectOf(instance)
      if (slow === undefined || running === undefined)
        throw new TypeError('the dialect declares cancel but has no slow statement')
      const marker = freshName()
      const stop = new AbortController()
      const query = instance.query(slow(marker), [], { signal: stop.signal })
      query.catch(() => {})
      await until(async () => Number(await firstValue(instance, running, [marker])) === 1, 'the statement never began')
      stop.abort()
      await rejectsWith(() => query, 'ABORTED', 'the aborted query')
      await until(
        async () => Number(await firstValue(instance, running, [marker])) === 0,
        'the statement runs on at the server',
      )
    },
    async undeclared({ instance }) {
      await withTable(instance, ['integer'], async (table) => {
        const stop = new AbortController()
        const insert = `INSERT INTO ${table.name} VALUES (1), (2)`
        const query = instance.query(insert, [], { signal: stop.signal })
        stop.abort()
        const done = await query.then(
          () => true,
          () => false,
        )
        assert.equal(await table.count(instance), done ? 2 : 0, 'rows: all where it resolved, none where it rejected')
      })
    },
  },
]

async function until(condition: () => Promise<boolean>, failure: string): Promise<void> {
  const deadline = Date.now() + 3_000
  while (!(await condition())) assert.ok(Date.now() < deadline, failure)
}
