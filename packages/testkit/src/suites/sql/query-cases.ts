import assert from 'node:assert/strict'
import type { SqlDatabase } from '@switchyard/contract'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { dialectOf } from './dialect.ts'
import { withTable } from './tables.ts'

/** Text that breaks out of, or is changed by, anything but a parameter. */
const NAUGHTY: readonly string[] = [
  "Robert'); DROP TABLE conformance; --",
  "' OR '1'='1",
  "it''s",
  '\\',
  "\\'; --",
  '"',
  '$1',
  '?',
  ':name @name',
  '%s %n',
  '/* */ --',
  'line\r\nbreak\ttab',
  '',
  ' ',
  'null',
  'NULL',
  'é e\u0301 ß 漢字 🛤️',
  '\u202e\u0001\uffff',
  'x'.repeat(100_000),
]

const MAX = 2n ** 63n - 1n
const SAFE = Number.MAX_SAFE_INTEGER

/** Value in, value out. */
const INTEGERS: readonly (readonly [number | bigint, number | bigint])[] = [
  [0, 0],
  [1n, 1],
  [-1, -1],
  [SAFE, SAFE],
  [-SAFE, -SAFE],
  [BigInt(SAFE) + 1n, BigInt(SAFE) + 1n],
  [9007199254740993n, 9007199254740993n],
  [-9007199254740993n, -9007199254740993n],
  [MAX, MAX],
  [-MAX - 1n, -MAX - 1n],
]

export const queryCases: readonly ConformanceCase<SqlDatabase>[] = [
  {
    id: 'sql.capabilities.well-formed',
    promise: 'capabilities name the dialect and say whether transactions, streaming and cancel work',
    async check({ instance }) {
      const { dialect, transactions, streaming, cancel } = instance.capabilities
      assert.ok(['sqlite', 'postgres', 'mysql'].includes(dialect), `capabilities.dialect is ${String(dialect)}`)
      assert.equal(typeof transactions, 'boolean', 'capabilities.transactions')
      assert.equal(typeof streaming, 'boolean', 'capabilities.streaming')
      assert.equal(typeof cancel, 'boolean', 'capabilities.cancel')
    },
  },
  {
    id: 'sql.query.returns-rows',
    promise: 'a select gives every row under its column names, and counts them',
    async check({ instance }) {
      await withTable(instance, ['integer', 'text'], async (table) => {
        for (const [a, b] of [
          [1, 'one'],
          [2, 'two'],
          [3, 'three'],
        ] as const)
          await table.insert(instance, a, b)
        const { rows, rowCount } = await instance.query(`SELECT a, b AS name FROM ${table.name} ORDER BY a`)
        assert.equal(rowCount, 3, 'rowCount')
        const plain = rows.map((row) => Object.entries(row))
        assert.deepEqual(plain, [
          [
            ['a', 1],
            ['name', 'one'],
          ],
          [
            ['a', 2],
            ['name', 'two'],
          ],
          [
            ['a', 3],
            ['name', 'three'],
          ],
        ])
      })
    },
  },
  {
    id: 'sql.query.counts-changes',
    promise: 'rowCount of a write is the rows it changed, and 0 for none and for DDL; a write that returns rows counts those',
    async check({ instance }) {
      await withTable(instance, ['integer'], async (table) => {
        const { name } = table
        const count = async (text: string): Promise<number> => (await instance.query(text)).rowCount
        assert.equal(await count(`INSERT INTO ${name} VALUES (1), (2), (3)`), 3, 'insert of three')
        assert.equal(await count(`CREATE INDEX ${name}_a ON ${name} (a)`), 0, 'DDL after a write')
        assert.equal(await count(`UPDATE ${name} SET a = a + 10 WHERE a < 3`), 2, 'update of two')
        assert.equal(await count(`UPDATE ${name} SET a = 0 WHERE a = 99`), 0, 'update of none')
        assert.equal(await count(`DELETE FROM ${name} WHERE a = 3`), 1, 'delete of one')
      })
    },
  },
  {
    id: 'sql.query.binds-parameters',
    promise: 'a parameter is a value whatever its text, never a part of the statement',
    async check({ instance }) {
      await withTable(instance, ['integer', 'text'], async (table) => {
        for (const [at, text] of NAUGHTY.entries()) await table.insert(instance, at, text)
        const { rows } = await instance.query<{ b: string }>(`SELECT b FROM ${table.name} ORDER BY a`)
        assert.deepEqual(
          rows.map(({ b }) => b),
          NAUGHTY,
        )
        const one = `SELECT a FROM ${table.name} WHERE b = ${table.dialect.placeholder(1)}`
        for (const [at, text] of NAUGHTY.entries()) {
          const found = await instance.query<{ a: number }>(one, [text])
          assert.deepEqual(
            found.rows.map(({ a }) => a),
            [at],
            `compared with ${JSON.stringify(text.slice(0, 40))}`,
          )
        }
      })
    },
  },
  {
    id: 'sql.query.null',
    promise: 'SQL NULL is null, going in and coming out, and is neither empty text nor 0',
    async check({ instance }) {
      await withTable(instance, ['integer', 'text', 'binary', 'real'], async (table) => {
        await table.insert(instance, null, null, null, null)
        await table.insert(instance, 0, '', new Uint8Array(), 0)
        const { rows } = await instance.query(`SELECT a, b, c, d FROM ${table.name} WHERE a IS NULL`)
        assert.deepEqual(
          rows.map((row) => Object.values(row)),
          [[null, null, null, null]],
        )
        const rest = await instance.query<{ b: unknown }>(`SELECT b FROM ${table.name} WHERE a = 0`)
        assert.deepEqual(
          rest.rows.map(({ b }) => b),
          [''],
        )
      })
    },
  },
  {
    id: 'sql.query.exact-integers',
    promise: 'integers are never rounded: number where safe, bigint beyond, whichever way they came in',
    async check({ instance }) {
      await withTable(instance, ['integer', 'integer'], async (table) => {
        for (const [at, [given]] of INTEGERS.entries()) await table.insert(instance, at, given)
        const { rows } = await instance.query<{ b: unknown }>(`SELECT b FROM ${table.name} ORDER BY a`)
        assert.deepEqual(
          rows.map(({ b }) => b),
          INTEGERS.map(([, expected]) => expected),
        )
      })
    },
  },
  {
    id: 'sql.query.exact-decimals',
    promise: 'exact decimals are strings that hold every digit',
    async check({ instance }) {
      await withTable(instance, ['decimal'], async (table) => {
        const exact = '1234567890123456789012345678901.123456789'
        await table.insert(instance, exact)
        const { rows } = await instance.query<{ a: unknown }>(`SELECT a FROM ${table.name}`)
        assert.deepEqual(
          rows.map(({ a }) => a),
          [exact],
        )
      })
    },
  },
  {
    id: 'sql.query.reals',
    promise: 'floating-point numbers are numbers, the same that went in',
    async check({ instance }) {
      await withTable(instance, ['integer', 'real'], async (table) => {
        const reals = [0, 0.1, -1.5, 1 / 3, 5e-324, 1.7976931348623157e308]
        for (const [at, real] of reals.entries()) await table.insert(instance, at, real)
        const { rows } = await instance.query<{ b: unknown }>(`SELECT b FROM ${table.name} ORDER BY a`)
        assert.deepEqual(
          rows.map(({ b }) => b),
          reals,
        )
      })
    },
  },
  {
    id: 'sql.query.binary',
    promise: 'binary goes in and comes out as Uint8Array, byte for byte',
    async check({ instance }) {
      await withTable(instance, ['integer', 'binary'], async (table) => {
        const every = Uint8Array.from({ length: 256 }, (_, at) => at)
        const part = new Uint8Array(every.buffer, 100, 50)
        const given = [every, part, new Uint8Array()]
        for (const [at, bytes] of given.entries()) await table.insert(instance, at, bytes)
        const { rows } = await instance.query<{ b: unknown }>(`SELECT b FROM ${table.name} ORDER BY a`)
        for (const [at, { b }] of rows.entries()) {
          assert.ok(b instanceof Uint8Array, `binary came back as ${typeof b}`)
          assert.deepEqual([...b], [...(given[at] ?? [])])
        }
        assert.equal(rows.length, given.length, 'rows')
      })
    },
  },
  {
    id: 'sql.query.parallel',
    promise: 'queries sent at once each get their own answer',
    async check({ instance }) {
      const { numbers } = dialectOf(instance)
      const counts = Array.from({ length: 50 }, (_, at) => at + 1)
      const answers = await Promise.all(counts.map((count) => instance.query(numbers, [count])))
      assert.deepEqual(
        answers.map(({ rowCount }) => rowCount),
        counts,
      )
    },
  },
]
