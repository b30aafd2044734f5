import type { SqlResult } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resultBytes, resultFrom } from '../../src/sql/result-bytes.ts'
import { Untold } from '../../src/sql/write-values.ts'

const MOST = 1_000_000

const scalar = fc.oneof(
  fc.constantFrom(
    null,
    undefined,
    true,
    false,
    0,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    -(2 ** 53),
    2 ** 53 - 1,
    1e-320,
  ),
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud800', 'a\udc00b', '\ufffd', '', '\0'),
  fc.uint8Array(),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.date({ noInvalidDate: false }),
)
const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '7', 'toString', '\ud800'))
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, fc.array(tie('value'), { maxLength: 4 }), tie('record')),
  record: fc
    .tuple(fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }), fc.boolean())
    .map(([entries, bare]) => recordOf(entries, bare)),
}))

function recordOf(entries: readonly (readonly [string, unknown])[], bare: boolean): object {
  const record = bare ? Object.create(null) : {}
  for (const [name, one] of entries)
    Object.defineProperty(record, name, { value: one, writable: true, enumerable: true, configurable: true })
  return record
}

const rows = fc.oneof(
  fc.tuple(fc.uniqueArray(key, { maxLength: 4 }), fc.boolean()).chain(([columns, bare]) =>
    fc.array(
      fc.tuple(...columns.map(() => value)).map((cells) =>
        recordOf(
          columns.map((column, at) => [column, cells[at]] as const),
          bare,
        ),
      ),
      { maxLength: 5 },
    ),
  ),
  fc.array(value, { maxLength: 4 }),
)

/** As toStrictEqual, which does not look at prototypes of rows, at buffers' classes nor at the order of columns. */
function expectSame(one: unknown, other: unknown): void {
  if (typeof one !== 'object' || one === null) {
    expect(Object.is(one, other), `${String(one)} is not ${String(other)}`).toBe(true)
    return
  }
  expect(Object.getPrototypeOf(other)).toBe(Object.getPrototypeOf(one))
  expect(other).not.toBe(one)
  if (one instanceof Date) expectSame(one.getTime(), (other as Date).getTime())
  const keys = Reflect.ownKeys(one)
  expect(Reflect.ownKeys(other as object)).toEqual(keys)
  for (const name of keys) expectSame(Reflect.get(one, name), Reflect.get(other as object, name))
}

describe('a result in bytes', () => {
  test('comes back as it was, to the last bit, and as an object of its own', () => {
    fc.assert(
      fc.property(rows, fc.oneof(fc.nat(), fc.constant(-1)), (all, rowCount) => {
        const result = { rows: all, rowCount } as unknown as SqlResult
        const bytes = resultBytes(result, MOST)
        const first = resultFrom(bytes)
        expectSame(result, first)
        const before = Buffer.from(bytes)
        scribble(first)
        expect(Buffer.from(bytes).equals(before)).toBe(true)
        expectSame(result, resultFrom(bytes))
      }),
      { numRuns: 300 },
    )
  })

  test('what has no exact form is refused: classes, symbols, holes, accessors, cycles', () => {
    const cycle: Record<string, unknown> = {}
    cycle.again = cycle
    const hidden = Object.defineProperty({}, 'x', { value: 1, enumerable: false })
    const match = /a/.exec('a')
    class Interval {}
    const values = [
      new Interval(),
      new Map(),
      Symbol('x'),
      () => 1,
      new Array(3),
      hidden,
      match,
      cycle,
      new Float32Array(1),
      Object.assign(new Date(), { zone: 'x' }),
      { [Symbol('x')]: 1 },
      /x/,
    ]
    for (const one of values)
      expect(() => resultBytes({ rows: [{ one }], rowCount: 1 }, MOST), String(typeof one)).toThrow(Untold)
    expect(() => resultBytes({ rows: [], rowCount: 0, fields: [] } as SqlResult, MOST)).toThrow(Untold)
    expect(() => resultBytes({ rows: undefined, rowCount: 0 } as unknown as SqlResult, MOST)).toThrow(Untold)
  })

  test('what is too large is refused before it is held', () => {
    const row = { text: 'x'.repeat(1_000) }
    expect(() => resultBytes({ rows: Array.from({ length: 1_000 }, () => row), rowCount: 1_000 }, 10_000)).toThrow(
      expect.objectContaining({ why: 'too-large' }),
    )
  })

  test('bytes that are none of ours are refused, however they are broken', () => {
    const good = resultBytes({ rows: [{ a: 1n, b: 'x', c: new Uint8Array(3) }, { a: [{ d: null }] }], rowCount: 2 }, MOST)
    for (let end = 0; end < good.byteLength; end += 1) expect(() => resultFrom(good.subarray(0, end))).toThrow(/no result/)
    expect(() => resultFrom(Uint8Array.of(...good, 0))).toThrow(/no result/)
    expect(() => resultFrom(Uint8Array.of(0x51, 2, 4, 0, 0, 0))).toThrow(/no result/)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
        const bytes = Uint8Array.of(0x51, 1, ...noise)
        try {
          resultFrom(bytes)
        } catch (error) {
          expect((error as { code: string }).code).toBe('UPSTREAM_INVALID')
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('counts that promise more than there is take no memory', () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x07]
    for (const kind of [8, 10, 13, 14]) expect(() => resultFrom(Uint8Array.of(0x51, 1, kind, ...huge))).toThrow(/no result/)
    expect(() => resultFrom(Uint8Array.of(0x51, 1, 4, 0, 0, ...huge))).toThrow(/no result/)
    expect(() => resultFrom(Uint8Array.of(0x51, 1, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))).toThrow(
      /no result/,
    )
  })
})

function scribble(result: SqlResult): void {
  for (const row of result.rows) {
    if (typeof row !== 'object' || row === null) continue
    for (const one of Object.values(row)) if (one instanceof Uint8Array) one.fill(7)
    for (const name of Object.keys(row)) (row as Record<string, unknown>)[name] = 'scribbled'
  }
  ;(result.rows as unknown[]).length = 0
}
