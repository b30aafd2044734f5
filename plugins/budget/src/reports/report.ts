import type { CallOptions, SqlDatabase } from '@switchyard/contract'
import { type RawBuilder, sql } from 'kysely'
import { COLUMNS } from '../ledger/columns.ts'
import type { LedgerRow } from '../ledger/port.ts'
import { compiler } from '../ledger/reader.ts'
import type { Dialect } from '../ledger/schema.ts'
import { checkTimeZone, type Days, daysOf } from './days.ts'
import { conditionOf, dimensionValue, invalid, isDimension, unknownDimension } from './dimensions.ts'
import { figuresOf, MEASURES, SUMS } from './figures.ts'
import type { CostDimension, CostFilter, CostGroup, CostQuery, CostReport, CostRows } from './port.ts'

const DEFAULT_LIMIT = 1_000
const LARGEST_LIMIT = 10_000
const MOST_DIMENSIONS = 6

/** Sends a statement that was put together of fragments. */
export async function ask<Row>(
  database: SqlDatabase,
  dialect: Dialect,
  statement: RawBuilder<unknown>,
  options?: CallOptions,
): Promise<readonly Row[]> {
  const { sql: text, parameters } = statement.compile(compiler(dialect))
  return (await database.query<Row>(text, parameters, options)).rows
}

type Found = Readonly<Record<string, unknown>> & { readonly place: unknown; readonly groups: unknown }

/** Sums the ledger by group; total and groups are of one moment, since one statement asks for both. */
export async function costReport(
  database: SqlDatabase,
  dialect: Dialect,
  query: CostQuery,
  options?: CallOptions,
): Promise<CostReport> {
  const { from, to, by, where = {}, timeZone = 'UTC' } = query
  const limit = wholeBetween(query.limit ?? DEFAULT_LIMIT, 1, LARGEST_LIMIT, 'limit')
  const offset = wholeBetween(query.offset ?? 0, 0, Number.MAX_SAFE_INTEGER, 'offset')
  checkDimensions(by)
  checkTimeZone(timeZone)
  const days = by.includes('day') ? daysOf({ from, to }, timeZone) : undefined
  const statement = statementOf(by, conditionOf({ from, to, where }, dialect), days, dialect, limit, offset)
  const rows = await ask<Found>(database, dialect, statement, options)
  const [first, ...pages] = rows
  const total = figuresOf((first ?? {}) as never)
  const groupCount = by.length === 0 ? 0 : Number(first?.groups ?? 0)
  const groups = pages.map((row) => groupOf(row, query, days))
  const seen = offset + groups.length
  const nextOffset = seen < groupCount && groups.length > 0 ? seen : undefined
  return { from, to, by, timeZone, where, total, groups, groupCount, nextOffset }
}

/** Rows behind a figure. */
export async function costRows(
  database: SqlDatabase,
  dialect: Dialect,
  query: CostRows & { readonly after?: string | undefined; readonly limit?: number | undefined },
  options?: CallOptions,
): Promise<readonly LedgerRow[]> {
  const limit = wholeBetween(query.limit ?? DEFAULT_LIMIT, 1, LARGEST_LIMIT, 'limit')
  const after = query.after === undefined ? sql`` : sql` AND attempt_id > ${query.after}`
  const columns = sql.join(COLUMNS.map((column) => sql.ref(column)))
  const statement = sql`SELECT ${columns} FROM switchyard_ledger WHERE ${conditionOf(query, dialect)}${after} ORDER BY attempt_id LIMIT ${sql.lit(limit)}`
  return ask<LedgerRow>(database, dialect, statement, options)
}

function statementOf(
  by: readonly CostDimension[],
  condition: RawBuilder<boolean>,
  days: Days | undefined,
  dialect: Dialect,
  limit: number,
  offset: number,
): RawBuilder<unknown> {
  const names = by.map((_, index) => sql.ref(`d${index}`))
  const dimensions = by.map((dimension, index) => {
    const value = dimension === 'day' ? (days as Days).place : dimensionValue(dimension, dialect)
    return sql`${value} AS ${names[index]}, `
  })
  const group = by.length === 0 ? sql`` : sql` GROUP BY ${sql.join(by.map((_, index) => sql.lit(index + 1)))}`
  const measures = sql.join(MEASURES.map((name) => sql.ref(name)))
  const found = sql`WITH found AS (SELECT ${sql.join(dimensions, sql``)}${SUMS} FROM switchyard_ledger WHERE ${condition}${group})`
  const sums = sql.join(MEASURES.map((name) => sql`SUM(${sql.ref(name)}) AS ${sql.ref(name)}`))
  const empty = sql.join(
    names.map((name) => sql`NULL AS ${name}, `),
    sql``,
  )
  const total = sql`SELECT 0 AS place, COUNT(*) AS groups, ${by.length === 0 ? sql`` : empty}${sums} FROM found`
  if (by.length === 0) return sql`${found} ${total}`
  const ranked = sql`SELECT ROW_NUMBER() OVER (ORDER BY micro DESC, ${sql.join(names)}) AS place, 1 AS groups, ${sql.join(names)}, ${measures} FROM found`
  return sql`${found} ${total} UNION ALL SELECT * FROM (${ranked}) ranked WHERE place > ${sql.lit(offset)} AND place <= ${sql.lit(offset + limit)} ORDER BY 1`
}

function groupOf(row: Found, { from, to, by, where = {} }: CostQuery, days: Days | undefined): CostGroup {
  const values: Record<string, string | null> = {}
  const filter: Record<string, string | readonly string[] | undefined> = { ...where }
  let range = { from, to }
  by.forEach((dimension, index) => {
    const found = row[`d${index}`]
    if (dimension === 'day') {
      const place = Number(found)
      values.day = days?.ids[place] ?? null
      range = { from: Math.max(from, days?.starts[place] ?? from), to: Math.min(to, days?.starts[place + 1] ?? to) }
      return
    }
    const value = found === null || found === undefined ? null : String(found)
    values[dimension] = value
    filter[dimension] = value ?? ''
  })
  return { values, figures: figuresOf(row as never), rows: { ...range, where: filter as CostFilter } }
}

function checkDimensions(by: readonly CostDimension[]): void {
  if (by.length > MOST_DIMENSIONS) throw invalid('by', `${MOST_DIMENSIONS} dimensions at most`)
  if (new Set(by).size < by.length) throw invalid('by', 'each dimension once')
  for (const dimension of by) if (!isDimension(dimension)) throw unknownDimension(dimension)
}

function wholeBetween(value: number, least: number, most: number, param: string): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw invalid(param, `a whole number from ${least} to ${most}`)
}
