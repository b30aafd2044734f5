import type { CallOptions, SqlDatabase } from '@switchyard/contract'
import { sql } from 'kysely'
import type { Dialect } from '../ledger/schema.ts'
import { wholeOf } from './amounts.ts'
import { conditionOf, dimensionValue } from './dimensions.ts'
import type { CostRows, PlainDimension } from './port.ts'
import { ask } from './report.ts'

export const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

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

/** The same a day at a time, oldest first, with a turn of the loop in between: an embedded database works in the gateway's own thread. */
export async function hourlyByDay(
  database: SqlDatabase,
  dialect: Dialect,
  { from, to, ...rest }: CostRows & { readonly by: PlainDimension | `tag:${string}` },
  options?: CallOptions,
): Promise<readonly HourlySeries[]> {
  const all = new Map<string, { tenant: string; value: string; hours: Map<number, number> }>()
  for (let start = from; start < to; ) {
    const end = Math.min(to, (Math.floor(start / DAY_MS) + 1) * DAY_MS)
    for (const { tenant, value, hours } of await hourlyByValue(database, dialect, { ...rest, from: start, to: end }, options)) {
      const key = JSON.stringify([tenant, value])
      const known = all.get(key)
      if (known === undefined) all.set(key, { tenant, value, hours: new Map(hours) })
      else for (const [hour, usd] of hours) known.hours.set(hour, usd)
    }
    start = end
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  return [...all.values()]
}

function usdOf(nano: unknown): number {
  return Number(wholeOf(nano)) / 1e9
}
