import type { CallOptions, SqlDatabase } from '@switchyard/contract'
import { sql } from 'kysely'
import type { Dialect } from '../ledger/schema.ts'
import { wholeOf } from './amounts.ts'
import { conditionOf, dimensionValue } from './dimensions.ts'
import type { CostRows, PlainDimension } from './port.ts'
import { ask } from './report.ts'

export const HOUR_MS = 3_600_000

/** What was charged by the hour, in USD: keys are hours since 1970-01-01 UTC. */
export type HourlyUsd = ReadonlyMap<number, number>

/** Values of one tenant at a dimension, each with its hours. */
export interface HourlySeries {
  readonly tenant: string
  readonly value: string
  readonly hours: HourlyUsd
}

interface Found {
  readonly tenant: string | null
  readonly value: string | null
  readonly hour: unknown
  readonly charged: unknown
}

/** USD by the hour of all rows of a query. */
export async function hourlyTotal(
  database: SqlDatabase,
  dialect: Dialect,
  query: CostRows,
  options?: CallOptions,
): Promise<HourlyUsd> {
  const statement = sql`SELECT at_ms / ${sql.lit(HOUR_MS)} AS hour, SUM(charged_nusd) AS charged FROM switchyard_ledger
    WHERE ${conditionOf(query, dialect)} GROUP BY 1`
  const rows = await ask<Found>(database, dialect, statement, options)
  return new Map(rows.map(({ hour, charged }) => [Number(hour), usdOf(charged)]))
}

/** USD by the hour of each value at a dimension; rows without a value there are left out. */
export async function hourlyByValue(
  database: SqlDatabase,
  dialect: Dialect,
  query: CostRows & { readonly by: PlainDimension | `tag:${string}` },
  options?: CallOptions,
): Promise<readonly HourlySeries[]> {
  const value = dimensionValue(query.by, dialect)
  const statement = sql`SELECT tenant, ${value} AS value, at_ms / ${sql.lit(HOUR_MS)} AS hour, SUM(charged_nusd) AS charged
    FROM switchyard_ledger WHERE ${conditionOf(query, dialect)} AND ${value} IS NOT NULL GROUP BY 1, 2, 3`
  const series = new Map<string, { tenant: string; value: string; hours: Map<number, number> }>()
  for (const { tenant, value: found, hour, charged } of await ask<Found>(database, dialect, statement, options)) {
    const key = JSON.stringify([tenant, found])
    let one = series.get(key)
    if (one === undefined) {
      one = { tenant: String(tenant), value: String(found), hours: new Map() }
      series.set(key, one)
    }
    one.hours.set(Number(hour), usdOf(charged))
  }
  return [...series.values()]
}

function usdOf(nano: unknown): number {
  return Number(wholeOf(nano)) / 1e9
}
