import { SwitchyardError } from '@switchyard/contract'
import pg from 'pg'

/** Dimensions of an array at most (MAXDIM of the server); what is nested deeper may be a cycle. */
const MOST_DIMENSIONS = 6

/**
 * A parameter as the driver is to send it: an array for one of PostgreSQL's, any other object as JSON.
 * @throws SwitchyardError INVALID_REQUEST for undefined, invalid dates, and text that is not well-formed Unicode, also in arrays.
 */
export function toPostgres(value: unknown, index: number): unknown {
  return converted(value, index, 0)
}

function converted(value: unknown, index: number, depth: number): unknown {
  switch (typeof value) {
    case 'undefined':
      throw unfit(index, 'undefined', 'pass null for SQL NULL')
    case 'function':
    case 'symbol':
      throw unfit(
        index,
        `a ${typeof value}`,
        'pass text, a number, a bigint, a boolean, a Date, bytes, an array, an object or null',
      )
    case 'bigint':
      return value.toString()
    case 'string':
      if (!value.isWellFormed()) throw unfit(index, 'text with half a surrogate pair', 'send it as bytes or mend it')
      return value
    case 'object':
      if (value instanceof Date) {
        if (Number.isNaN(value.getTime())) throw unfit(index, 'an invalid Date', 'check it before')
        return value.toISOString()
      }
      if (value === null) return value
      if (Array.isArray(value)) {
        if (depth === MOST_DIMENSIONS) throw unfit(index, 'an array of more than six dimensions', 'send it as JSON text')
        return Array.from(value, (element) => converted(element, index, depth + 1))
      }
      if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      return toJson(value, index)
    default:
      return value
  }
}

function unfit(index: number, what: string, mend: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `postgres: parameter ${index + 1} is ${what}; ${mend}`)
}

function toJson(value: object, index: number): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch {}
  if (text === undefined) throw unfit(index, 'an object that JSON cannot hold', 'see that it has no cycle and no bigint')
  return text
}

type Parse = (text: string) => unknown

const integer: Parse = (text) => {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}
const text: Parse = (value) => value
const boolean: Parse = (value) => value === 't'
const json: Parse = (value) => JSON.parse(value)
const bytes: Parse = (value) => {
  const buffer = value.startsWith('\\x') ? Buffer.from(value.slice(2), 'hex') : Buffer.from(unescaped(value), 'latin1')
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
/** The older way of writing bytes, which a role may have set; sessions behind a proxy keep it. */
const unescaped = (value: string): string =>
  value.replace(/\\(\\|[0-7]{3})/g, (_whole, code: string) =>
    code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)),
  )
const arrayOf =
  (element: Parse): Parse =>
  (value) =>
    (pg.types as unknown as { arrayParser: { create(text: string, parse: Parse): { parse(): unknown } } }).arrayParser
      .create(value, element)
      .parse()

/** By type oid of PostgreSQL's catalogue (pg_type.dat), scalar and array. What is not listed stays text, as the server wrote it. */
const PARSERS: ReadonlyMap<number, Parse> = new Map(
  (
    [
      [16, 1000, boolean],
      [17, 1001, bytes],
      [20, 1016, integer], // int8
      [21, 1005, integer], // int2
      [23, 1007, integer], // int4
      [26, 1028, integer], // oid
      [700, 1021, Number], // float4
      [701, 1022, Number], // float8
      [114, 199, json],
      [3802, 3807, json], // jsonb
      [25, 1009, text],
      [1042, 1014, text], // bpchar
      [1043, 1015, text], // varchar
      [2950, 2951, text], // uuid
      [1700, 1231, text], // numeric
      [1082, 1182, text], // date
      [1083, 1183, text], // time
      [1114, 1115, text], // timestamp
      [1184, 1185, text], // timestamptz
      [1186, 1187, text], // interval
    ] as const
  ).flatMap(([scalar, array, parse]): [number, Parse][] => [
    [scalar, parse],
    [array, arrayOf(parse)],
  ]),
)

/** Types of a connection: nothing rounded, and nothing taken from the driver's global table, which others may change. */
export const types = {
  getTypeParser: (oid: number): Parse => PARSERS.get(oid) ?? text,
}
