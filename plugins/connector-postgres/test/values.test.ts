import pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { PostgresDatabase } from '../src/index.ts'
import { types } from '../src/values.ts'
import { failureOf, firstValue, open } from './support/database.ts'
import { needsServer } from './support/server.ts'

needsServer()

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values)
const DATE = new Date('2026-02-28T23:59:59.123Z')

async function database(options = {}): Promise<PostgresDatabase> {
  return (await open(options)).db
}

/** What goes in as a parameter of a type, and what comes back. */
const ROUND_TRIPS: readonly (readonly [type: string, given: unknown, back: unknown])[] = [
  ['boolean', true, true],
  ['boolean', false, false],
  ['smallint', -32_768, -32_768],
  ['int', 2_147_483_647, 2_147_483_647],
  ['bigint', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ['bigint', 9_007_199_254_740_993n, 9_007_199_254_740_993n],
  ['bigint', -(2n ** 63n), -(2n ** 63n)],
  ['bigint', 5n, 5],
  ['oid', 4_294_967_295, 4_294_967_295],
  ['numeric', '0.10', '0.10'],
  ['numeric', 2n ** 70n, '1180591620717411303424'],
  ['numeric', 'NaN', 'NaN'],
  ['real', 0.5, 0.5],
  ['double precision', 0.1, 0.1],
  ['double precision', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ['double precision', Number.NaN, Number.NaN],
  ['text', '', ''],
  ['text', 'é 漢字 🛤️ \\ " \' {}', 'é 漢字 🛤️ \\ " \' {}'],
  ['char(3)', 'a', 'a  '],
  ['uuid', '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000a'],
  ['bytea', bytes(), bytes()],
  ['bytea', bytes(0, 1, 92, 127, 128, 255), bytes(0, 1, 92, 127, 128, 255)],
  ['bytea', new Uint16Array([258]), new Uint8Array(new Uint16Array([258]).buffer)],
  ['bytea', new DataView(new ArrayBuffer(4), 1, 2), bytes(0, 0)],
  ['date', '2026-02-28', '2026-02-28'],
  ['timestamp', '2026-02-28 23:59:59.123456', '2026-02-28 23:59:59.123456'],
  ['interval', '1 day 2 hours', '1 day 02:00:00'],
  ['time', '23:59:59.999999', '23:59:59.999999'],
  ['json', { a: [1, null, 'x'], b: { c: true } }, { a: [1, null, 'x'], b: { c: true } }],
  ['jsonb', { a: 'é"\\' }, { a: 'é"\\' }],
  ['jsonb', '[1, 2]', [1, 2]],
  ['jsonb', 'null', null],
  ['inet', '10.0.0.1', '10.0.0.1'],
]

/** Arrays, whose elements are as those of their type. */
const ARRAYS: readonly (readonly [type: string, given: readonly unknown[], back: unknown])[] = [
  ['int[]', [], []],
  ['int[]', [1, null, 3], [1, null, 3]],
  ['bigint[]', [1n, 2n ** 60n], [1, 2n ** 60n]],
  [
    'int[][]',
    [
      [1, 2],
      [3, 4],
    ],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  ['boolean[]', [true, false], [true, false]],
  ['text[]', ['', 'NULL', 'null', 'a,b', '"', '\\', '{}', ' x '], ['', 'NULL', 'null', 'a,b', '"', '\\', '{}', ' x ']],
  ['bytea[]', [bytes(0, 255), bytes()], [bytes(0, 255), bytes()]],
  ['numeric[]', ['1.10', 2n], ['1.10', '2']],
  ['double precision[]', [0.1, Number.NaN], [0.1, Number.NaN]],
  ['jsonb[]', [{ a: 1 }, { b: ['"', '\\'] }], [{ a: 1 }, { b: ['"', '\\'] }]],
  ['date[]', ['2026-02-28'], ['2026-02-28']],
]

describe('values', () => {
  test('come back from a query and a stream as they went in', async () => {
    const db = await database()
    for (const [type, given, back] of [...ROUND_TRIPS, ...ARRAYS]) {
      const text = `SELECT $1::${type} AS v, NULL::${type} AS nothing`
      const { rows } = await db.query(text, [given])
      expect(rows, type).toEqual([{ v: back, nothing: null }])
      for await (const row of db.stream(text, [given])) expect(row, `${type}, streamed`).toEqual(rows[0])
    }
  })

  test('of a date are its moment, whatever zone the process and the session are in', async () => {
    const db = await database()
    expect(await firstValue(db, 'SELECT $1::timestamptz = $2::timestamptz', [DATE, '2026-02-28 23:59:59.123+00'])).toBe(true)
    expect(await firstValue(db, 'SELECT $1::timestamptz[] = $2', [[DATE], ['2026-02-28 23:59:59.123+00']])).toBe(true)
    const work = db.transaction(async (session) => {
      await session.query("SET LOCAL TIME ZONE 'Asia/Kolkata'")
      return firstValue(session, 'SELECT $1::timestamptz', [DATE])
    })
    expect(await work).toBe('2026-03-01 05:29:59.123+05:30')
  })

  test('of types that are not known are text, arrays of them too', async () => {
    const db = await database()
    expect(await firstValue(db, "SELECT '(1,2)'::point")).toBe('(1,2)')
    expect(await firstValue(db, "SELECT ARRAY['a', 'b']::name[]")).toBe('{a,b}')
    expect(await firstValue(db, 'SELECT int4range(1, 3)')).toBe('[1,3)')
  })

  test('of binary are read also in the older form, which a role may have set', async () => {
    const db = await database()
    const all = Uint8Array.from({ length: 256 }, (_, at) => at)
    const work = db.transaction(async (session) => {
      await session.query('SET LOCAL bytea_output = escape')
      return firstValue(session, 'SELECT $1::bytea', [all])
    })
    expect(await work).toEqual(all)
  })

  test('are not what others make of the driver’s table', async () => {
    const db = await database()
    const usual = [17, 20].map((oid) => [oid, pg.types.getTypeParser(oid, 'text')] as const)
    for (const [oid] of usual) pg.types.setTypeParser(oid, () => 'broken' as never)
    try {
      expect((await db.query("SELECT '\\x01'::bytea AS a, 1::bigint AS b")).rows).toEqual([{ a: bytes(1), b: 1 }])
    } finally {
      for (const [oid, parse] of usual) pg.types.setTypeParser(oid, parse as never)
    }
  })
})

describe('a parameter that cannot be one is INVALID_REQUEST, names its place, and nothing is sent', () => {
  const cycle: unknown[] = []
  cycle.push(cycle)
  const loop: Record<string, unknown> = {}
  loop.self = loop

  test.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /parameter 2 is undefined; pass null/],
    ['undefined in an array', ['a', undefined], /parameter 2 is undefined/],
    ['a hole in an array', new Array(1), /parameter 2 is undefined/],
    ['a function', () => 1, /parameter 2 is a function/],
    ['a symbol', [Symbol('x')], /parameter 2 is a symbol/],
    ['an invalid date', new Date(Number.NaN), /parameter 2 is an invalid Date/],
    ['an invalid date in an array', [new Date(Number.NaN)], /parameter 2 is an invalid Date/],
    ['half a surrogate pair', 'a\ud800', /parameter 2 is text with half a surrogate pair/],
    ['half a surrogate pair in an array', [['a\udc00']], /parameter 2 is text with half a surrogate pair/],
    ['an object with a cycle', loop, /parameter 2 is an object that JSON cannot hold/],
    ['an object with a bigint', { a: 1n }, /parameter 2 is an object that JSON cannot hold/],
    ['such an object in an array', [{ a: 1n }], /parameter 2 is an object that JSON cannot hold/],
    ['an object that is nothing as JSON', { toJSON: () => undefined }, /parameter 2 is an object that JSON cannot hold/],
    ['an array with a cycle', cycle, /parameter 2 is an array of more than six dimensions/],
  ])('%s', async (_name, value, message) => {
    const db = await database({ poolMax: 1 })
    const error = { code: 'INVALID_REQUEST', retryable: false, message: expect.stringMatching(message) }
    expect(await failureOf(db.query('SELECT $1, $2', ['first', value]))).toMatchObject(error)
    expect(await failureOf(db.stream('SELECT $1, $2', ['first', value])[Symbol.asyncIterator]().next())).toMatchObject(error)
    expect(await firstValue(db, 'SELECT 1')).toBe(1)
  })

  test('text with a NUL character, which the server cannot hold', async () => {
    const db = await database()
    expect(await failureOf(db.query('SELECT $1::text', ['a\0b']))).toMatchObject({ code: 'INVALID_REQUEST' })
    expect(await failureOf(db.query("SELECT 'a\0b'"))).toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('NUL character'),
    })
  })
})

test('an oid that nobody knows is read as text', () => {
  expect(types.getTypeParser(999_999)('x')).toBe('x')
})
