import type { CallOptions, SqlDatabase } from '@switchyard/contract'
import { sql } from 'kysely'
import type { Dialect } from '../ledger/schema.ts'
import { conditionOf } from './dimensions.ts'
import type { CostRows } from './port.ts'
import { ask } from './report.ts'

/** Sums over the sessions of one arm: calls `n` and USD `c` of each. */
export interface ArmSums {
  readonly sessions: number
  readonly calls: number
  readonly usd: number
  readonly usdSquared: number
  readonly callsSquared: number
  readonly usdTimesCalls: number
}

/** What a randomised control arm shows. Signed: a loss is below 0. USD as floats: it is an estimate. */
export interface MeasuredSaving {
  readonly route: string | null
  /** Model that the control arm is pinned to. */
  readonly baseline: string | null
  readonly controlCalls: number
  readonly routedCalls: number
  readonly controlSessions: number
  readonly routedSessions: number
  /** USD a call, every attempt, check and shadow included. */
  readonly controlUsdPerCall: number
  readonly routedUsdPerCall: number
  /** Part of the baseline's cost that was saved; undefined where the control arm cost nothing. */
  readonly share: number | undefined
  /** The interval that holds it with 90 %; undefined with fewer than two sessions in an arm. */
  readonly shareLow: number | undefined
  readonly shareHigh: number | undefined
  /** Over all routed calls. */
  readonly savedUsd: number
}

/** Of the normal distribution: nine of ten outcomes lie within. */
const NINETY_PERCENT = 1.6449

interface Found {
  readonly route: string | null
  readonly baseline: string | null
  readonly control: unknown
  readonly sessions: unknown
  readonly calls: unknown
  readonly usd: unknown
  readonly usd_squared: unknown
  readonly calls_squared: unknown
  readonly usd_times_calls: unknown
}

/** Compares sessions that were drawn for the baseline with the others, by route. */
export async function measuredSavings(
  database: SqlDatabase,
  dialect: Dialect,
  query: CostRows,
  options?: CallOptions,
): Promise<readonly MeasuredSaving[]> {
  const real = sql.raw(dialect === 'postgres' ? 'DOUBLE PRECISION' : 'REAL')
  const statement = sql`
    WITH sessions AS (
      SELECT route, baseline_model AS baseline, control, COALESCE(session, call_id) AS session,
        CAST(COUNT(DISTINCT CASE WHEN purpose IS NULL OR purpose = 'cascade' THEN call_id END) AS ${real}) AS n,
        CAST(COALESCE(SUM(cost_pusd / 1000000), 0) AS ${real}) / 1000000 AS c
      FROM switchyard_ledger WHERE ${conditionOf(query, dialect)} AND control IS NOT NULL GROUP BY 1, 2, 3, 4
    )
    SELECT route, baseline, control, COUNT(*) AS sessions, SUM(n) AS calls, SUM(c) AS usd, SUM(c * c) AS usd_squared,
      SUM(n * n) AS calls_squared, SUM(c * n) AS usd_times_calls
    FROM sessions GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`
  const arms = new Map<string, { route: string | null; baseline: string | null; control?: ArmSums; routed?: ArmSums }>()
  for (const row of await ask<Found>(database, dialect, statement, options)) {
    const key = JSON.stringify([row.route, row.baseline])
    const arm = arms.get(key) ?? { route: row.route, baseline: row.baseline }
    arms.set(key, arm)
    arm[Number(row.control) === 1 ? 'control' : 'routed'] = sumsOf(row)
  }
  return [...arms.values()].flatMap(({ route, baseline, control, routed }) =>
    control === undefined || routed === undefined || control.calls === 0 || routed.calls === 0
      ? []
      : [{ route, baseline, ...compareArms(control, routed) }],
  )
}

/** Costs a call of two arms against each other; sessions are what was drawn, so that they, and not calls, are what varies. */
export function compareArms(control: ArmSums, routed: ArmSums): Omit<MeasuredSaving, 'route' | 'baseline'> {
  const controlMean = control.usd / control.calls
  const routedMean = routed.usd / routed.calls
  const share = controlMean > 0 ? 1 - routedMean / controlMean : undefined
  let half: number | undefined
  if (share !== undefined && control.sessions > 1 && routed.sessions > 1) {
    const relative = varianceOf(control, controlMean) / controlMean ** 2
    half = NINETY_PERCENT * Math.sqrt(varianceOf(routed, routedMean) / controlMean ** 2 + (1 - share) ** 2 * relative)
  }
  return {
    controlCalls: control.calls,
    routedCalls: routed.calls,
    controlSessions: control.sessions,
    routedSessions: routed.sessions,
    controlUsdPerCall: controlMean,
    routedUsdPerCall: routedMean,
    share,
    shareLow: half === undefined ? undefined : (share as number) - half,
    shareHigh: half === undefined ? undefined : (share as number) + half,
    savedUsd: (controlMean - routedMean) * routed.calls,
  }
}

/** Variance of a ratio of sums over sessions, linearised. */
function varianceOf({ sessions, calls, usdSquared, callsSquared, usdTimesCalls }: ArmSums, mean: number): number {
  const squares = usdSquared - 2 * mean * usdTimesCalls + mean * mean * callsSquared
  return (Math.max(0, squares) * sessions) / (sessions - 1) / (calls * calls)
}

function sumsOf(row: Found): ArmSums {
  return {
    sessions: Number(row.sessions),
    calls: Number(row.calls),
    usd: Number(row.usd),
    usdSquared: Number(row.usd_squared),
    callsSquared: Number(row.calls_squared),
    usdTimesCalls: Number(row.usd_times_calls),
  }
}
