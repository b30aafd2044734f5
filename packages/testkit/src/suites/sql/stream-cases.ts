import assert from 'node:assert/strict'
import { type CallOptions, type SqlDatabase, SwitchyardError } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { dialectOf } from './dialect.ts'
import { firstValue, withTable } from './tables.ts'

const MANY = 20_000
/** More than any pool that a test would open has connections. */
const TIMES = 40

interface Read {
  readonly values: readonly unknown[]
  readonly error: unknown
}

/** Reads a stream to its end, its error, or the first `most` rows, which it then leaves. */
async function read(rows: AsyncIterable<Record<string, unknown>>, most: number = Number.POSITIVE_INFINITY): Promise<Read> {
  const values: unknown[] = []
  try {
    for await (const row of rows) {
      values.push(Object.values(row)[0])
      if (values.length >= most) break
    }
  } catch (error) {
    return { values, error }
  }
  return { values, error: undefined }
}

/** A stream's rejection, as of any other call; a throw by `stream` itself counts as broken. */
function streamRejects(
  instance: SqlDatabase,
  text: string,
  code: 'INVALID_REQUEST' | 'ABORTED' | 'UNSUPPORTED',
  options?: CallOptions,
): Promise<SwitchyardError> {
  const rows = instance.stream(text, [], options)
  const first = async (): Promise<unknown> => rows[Symbol.asyncIterator]().next()
  return rejectsWith(first, code, 'the first row')
}

function streamCase(
  id: string,
  promise: string,
  check: (instance: SqlDatabase) => Promise<void>,
): ConformanceCase<SqlDatabase> {
  return {
    id: `sql.stream.${id}`,
    promise,
    declared: ({ capabilities }) => capabilities.streaming,
    check: ({ instance }) => check(instance),
    async undeclared({ instance }) {
      await streamRejects(instance, 'SELECT 1', 'UNSUPPORTED')
    },
  }
}

export const streamCases: readonly ConformanceCase<SqlDatabase>[] = [
  streamCase('all-rows-in-order', 'every row comes, once and in order, however many', async (instance) => {
    const { values, error } = await read(instance.stream(dialectOf(instance).numbers, [MANY]))
    assert.equal(error, undefined)
    assert.equal(values.length, MANY, 'rows')
    assert.equal(
      values.findIndex((value, at) => value !== at + 1),
      -1,
      'the first row out of order',
    )
  }),
  streamCase('same-values', 'values have the same types as those of query', async (instance) => {
    await withTable(instance, ['integer', 'decimal', 'binary', 'text'], async (table) => {
      await table.insert(instance, 9007199254740993n, '1.100000000', new Uint8Array([0, 255]), null)
      await table.insert(instance, 1, '-2.000000000', new Uint8Array(), '')
      const text = `SELECT a, b, c, d FROM ${table.name} ORDER BY a`
      const { rows } = await instance.query(text)
      const streamed: unknown[] = []
      for await (const row of instance.stream(text)) streamed.push(Object.values(row))
      assert.deepEqual(
        streamed,
        rows.map((row) => Object.values(row)),
      )
    })
  }),
  streamCase(
    'yields-before-error',
    'rows are handed out as they come: those before a failing one are there when it rejects, and the next query works',
    async (instance) => {
      const { values, error } = await read(instance.stream(dialectOf(instance).failingAt(MANY, MANY - 1)))
      assert.ok(SwitchyardError.is(error, 'INVALID_REQUEST'), `a failing row came out as ${String(error)}`)
      assert.ok(values.length > 0, 'no row was handed out before the failing one: the whole result was held back')
      assert.ok(values.length < MANY - 1, 'rows beyond the failing one')
      assert.equal(await firstValue(instance, 'SELECT 1 AS one'), 1, 'the next query')
    },
  ),
  streamCase('break-frees', 'leaving a stream ends its statement and frees its connection', async (instance) => {
    const { numbers } = dialectOf(instance)
    for (let time = 0; time < TIMES; time++) {
      const { values, error } = await read(instance.stream(numbers, [MANY]), 3)
      assert.equal(error, undefined, `stream ${time + 1}`)
      assert.deepEqual(values, [1, 2, 3])
    }
    await withTable(instance, ['integer'], async (table) => {
      assert.equal(await table.insert(instance, 1), 1, 'a write after the streams')
    })
  }),
  streamCase('rejects-errors', 'a statement that is wrong rejects at the first row, as query would', async (instance) => {
    await streamRejects(instance, 'SELEC 1', 'INVALID_REQUEST')
    await streamRejects(instance, 'SELECT 1; SELECT 2', 'INVALID_REQUEST')
    assert.equal(await firstValue(instance, 'SELECT 1 AS one'), 1, 'the next query')
  }),
  streamCase(
    'aborted-signal',
    'a signal that has aborted rejects ABORTED at the first row and runs nothing',
    async (instance) => {
      await withTable(instance, ['integer'], async (table) => {
        const insert = `INSERT INTO ${table.name} VALUES (1) RETURNING a`
        await streamRejects(instance, insert, 'ABORTED', { signal: AbortSignal.abort() })
        assert.equal(await table.count(instance), 0, 'rows')
      })
    },
  ),
  streamCase(
    'abort-frees',
    'an abort half-way rejects ABORTED, never ends quietly, and frees the connection although nobody reads on',
    async (instance) => {
      const { numbers } = dialectOf(instance)
      for (let time = 0; time < TIMES; time++) {
        const stop = new AbortController()
        const rows = instance.stream(numbers, [MANY], { signal: stop.signal })[Symbol.asyncIterator]()
        assert.equal((await rows.next()).done, false, `the first row of stream ${time + 1}`)
        stop.abort()
        if (time % 2 === 0) await rejectsWith(() => drain(rows), 'ABORTED', 'the aborted stream')
      }
      assert.equal(await firstValue(instance, 'SELECT 1 AS one'), 1, 'the next query')
    },
  ),
]

async function drain(rows: AsyncIterator<unknown>): Promise<void> {
  while ((await rows.next()).done !== true);
}
