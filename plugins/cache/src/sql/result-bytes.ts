import type { SqlResult } from '@switchyard/contract'
import { emptyRecord, noneOfOurs, put, ValueReader } from './read-values.ts'
import { keysOf, Untold, ValueWriter } from './write-values.ts'

type Row = Record<string, unknown>

/** "Q" and the version. */
const HEAD = [0x51, 1] as const
/** A row with the columns named before, in their order; a row unlike it is a value of its own. */
const ROW = { alike: 0, bare: 1, other: 2 } as const

/**
 * A result in bytes, exactly: bigint, bytes, dates, null, -0 and NaN come back as they were, and rows without a prototype stay so.
 * The names of columns are written once. Throws `Untold` for what has no form, such as an object of a class, and for more than `most` bytes.
 */
export function resultBytes(result: SqlResult, most: number): Uint8Array {
  const { rows, rowCount } = result
  if (!Array.isArray(rows) || keysOf(result).length !== 2) throw new Untold('content')
  const to = new ValueWriter(most)
  for (const byte of HEAD) to.byte(byte)
  to.value(rowCount)
  const columns = columnsOf(rows[0])
  to.count(columns.length)
  for (const column of columns) to.text(column)
  to.count(rows.length)
  for (const row of rows as readonly unknown[]) {
    const kind = kindOf(row, columns)
    to.byte(kind)
    if (kind === ROW.other) to.value(row)
    else for (const column of columns) to.value((row as Row)[column])
  }
  return to.done()
}

/** The result that bytes hold: a new one at each call. Throws `UPSTREAM_INVALID` for bytes that hold none. */
export function resultFrom(bytes: Uint8Array): SqlResult {
  const from = new ValueReader(bytes)
  for (const byte of HEAD) if (from.byte() !== byte) throw noneOfOurs()
  const rowCount = from.value()
  if (typeof rowCount !== 'number') throw noneOfOurs()
  const columns = Array.from({ length: from.countOfThings() }, () => from.text())
  const rows = Array.from({ length: from.countOfThings() }, () => rowFrom(from, columns))
  if (!from.isAtEnd) throw noneOfOurs()
  return { rows: rows as readonly Row[], rowCount }
}

function rowFrom(from: ValueReader, columns: readonly string[]): unknown {
  const kind = from.byte()
  if (kind === ROW.other) return from.value()
  if (kind !== ROW.alike && kind !== ROW.bare) throw noneOfOurs()
  const row = emptyRecord(kind === ROW.bare)
  for (const column of columns) put(row, column, from.value())
  return row
}

function columnsOf(row: unknown): readonly string[] {
  return isPlain(row) ? keysOf(row) : []
}

function kindOf(row: unknown, columns: readonly string[]): number {
  if (!isPlain(row)) return ROW.other
  const keys = keysOf(row)
  if (keys.length !== columns.length || !keys.every((key, at) => key === columns[at])) return ROW.other
  return Object.getPrototypeOf(row) === null ? ROW.bare : ROW.alike
}

function isPlain(row: unknown): row is Row {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return false
  const shape: unknown = Object.getPrototypeOf(row)
  return shape === Object.prototype || shape === null
}
