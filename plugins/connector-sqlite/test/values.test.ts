import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openConnection } from '../src/connection.ts'
import { toSqlite } from '../src/values.ts'

const connection = openConnection(':memory:', { readOnly: false, cacheSize: 8 })
const back = (value: unknown): unknown => connection.run('SELECT ? AS v', [value]).rows[0]?.v

test('every 64-bit integer comes back exact: a number where safe, else a bigint', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (integer) => {
      const safe = Number.isSafeInteger(Number(integer))
      expect(back(integer)).toBe(safe ? Number(integer) : integer)
    }),
  )
})

test('every number but NaN comes back the same', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (number) => {
      // Safe integers are INTEGER, which has no negative zero; others are REAL.
      expect(back(number)).toBe(number)
    }),
  )
})

test('every text and every bytes come back the same', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void expect(back(text)).toBe(text)))
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void expect([...(back(bytes) as Uint8Array)]).toEqual([...bytes])))
})

test('whole numbers are INTEGER, so that they divide and compare as such', () => {
  expect(connection.run('SELECT typeof(?) AS t, 3 / ? AS half', [3, 2]).rows).toMatchObject([{ t: 'integer', half: 1 }])
  expect(connection.run('SELECT typeof(?) AS t', [0.5]).rows).toMatchObject([{ t: 'real' }])
})

test('booleans are 1 and 0, other views their bytes', () => {
  expect(back(true)).toBe(1)
  expect(back(false)).toBe(0)
  expect([...(back(new Uint16Array([1, 2])) as Uint8Array)]).toHaveLength(4)
})

test.each([
  [undefined, /parameter 1 is undefined; pass null/],
  [Number.NaN, /is NaN/],
  [new Date(0), /is a Date/],
  [{}, /of type object/],
  [[1], /of type object/],
  [() => 1, /of type function/],
  [2n ** 63n, /beyond 64 bits/],
  ['\ud800', /half a surrogate pair/],
])('%s is refused', (value, message) => {
  expect(() => toSqlite(value, 0)).toThrow(message)
})
