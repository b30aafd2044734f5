import type { SQLInputValue } from 'node:sqlite'
import { SwitchyardError } from '@switchyard/contract'

/**
 * A parameter as SQLite is to store it: whole safe numbers as INTEGER rather than REAL, booleans as 0 and 1.
 * @throws SwitchyardError INVALID_REQUEST for what SQLite has no type for, such as undefined, NaN, Date and objects.
 */
export function toSqlite(value: unknown, index: number): SQLInputValue {
  switch (typeof value) {
    case 'number':
      if (Number.isNaN(value)) throw unfit(index, 'NaN', 'SQLite would store NULL in its place; pass null if that is meant')
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value
    case 'boolean':
      return value ? 1n : 0n
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) throw unfit(index, 'a bigint beyond 64 bits', 'pass it as a string')
      return value
    case 'string':
      if (!value.isWellFormed()) throw unfit(index, 'text with half a surrogate pair', 'send it as bytes or mend it')
      return value
    default:
      if (value === null) return null
      if (value instanceof Uint8Array) return value
      if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      if (value instanceof Date) throw unfit(index, 'a Date', 'pass getTime() or toISOString(), as the column keeps it')
      if (value === undefined) throw unfit(index, 'undefined', 'pass null for SQL NULL')
      throw unfit(index, `of type ${typeof value}`, 'pass text, a number, a bigint, a boolean, a Uint8Array or null')
  }
}

function unfit(index: number, what: string, mend: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `sqlite: parameter ${index + 1} is ${what}; ${mend}`)
}

/** Turns, in place, every bigint of a row that is a safe integer into a number, and returns the row. */
export function narrow(row: Record<string, unknown>): Record<string, unknown> {
  for (const column in row) {
    const value = row[column]
    if (typeof value !== 'bigint') continue
    const number = Number(value)
    if (Number.isSafeInteger(number)) row[column] = number
  }
  return row
}
