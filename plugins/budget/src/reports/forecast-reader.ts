import type { CallOptions, Clock, SqlDatabase } from '@switchyard/contract'
import type { Dialect } from '../ledger/schema.ts'
import type { Budget } from '../limits/budget.ts'
import { windowAt } from '../limits/window.ts'
import { checkTimeZone } from './days.ts'
import { exhaustedAt, type ForecastMethod, forecast, predict, usdUntil } from './forecast.ts'
import { HOUR_MS, type HourlySeries, type HourlyUsd, hourlyByValue, hourlyTotal } from './hourly.ts'
import type { CostForecast, ForecastQuery, PlainDimension } from './port.ts'

/** When a budget will be used up, for one value of its level. */
export interface BudgetForecast {
  readonly budget: string
  readonly level: Budget['level']
  readonly tenant: string
  readonly value: string
  /** Without what rolled over. */
  readonly limitUsd: number
  /** In the window that runs. */
  readonly spentUsd: number
  /** At the end of the window; undefined for a window that has none. */
  readonly expectedUsd: number | undefined
  readonly method: ForecastMethod
  /** Epoch ms at which it will be used up; undefined where it will not be, in its window or within a year. */
  readonly exhaustedAt: number | undefined
  /** Days until then. */
  readonly daysLeft: number | undefined
  /** Epoch ms; undefined for a window that never ends. */
  readonly resetsAt: number | undefined
}

const HISTORY_MS = 6 * 7 * 86_400_000
const YEAR_MS = 366 * 86_400_000
const MOST_VALUES = 200

export interface ForecastParts {
  readonly database: SqlDatabase
  readonly dialect: Dialect
  readonly clock: Pick<Clock, 'now'>
  readonly budgets: () => Iterable<Budget>
}

/** The month, and each budget to its end. */
export async function costForecast(
  { database, dialect, clock, budgets }: ForecastParts,
  { where = {}, timeZone = 'UTC' }: ForecastQuery,
  options?: CallOptions,
): Promise<CostForecast> {
  checkTimeZone(timeZone)
  const now = clock.now()
  const month = windowAt('month', timeZone, now)
  const to = month.endsAt as number
  const from = Math.min(month.startsAt, now - HISTORY_MS)
  const hours = await hourlyTotal(database, dialect, { from: Math.max(0, from), to: now + 1, where }, options)
  const all: BudgetForecast[] = []
  for (const budget of budgets()) all.push(...(await ofBudget(budget, now)))
  all.sort((a, b) => b.spentUsd / b.limitUsd - a.spentUsd / a.limitUsd)
  return { month: forecast(hours, { from: month.startsAt, to, now, timeZone }), budgets: all.slice(0, MOST_VALUES) }

  async function ofBudget(budget: Budget, at: number): Promise<readonly BudgetForecast[]> {
    const window = windowAt(budget.window, budget.timeZone, at)
    const begins = Math.max(window.startsAt, budget.since)
    const by = dimensionOf(budget)
    const series = await hourlyByValue(
      database,
      dialect,
      { from: Math.max(0, Math.min(begins, at - HISTORY_MS)), to: at + 1, by },
      options,
    )
    const covered = series.filter(({ tenant, value }) => budget.forTenant(tenant) && budget.covers(value))
    return covered
      .map((one) => budgetForecast(budget, one, { begins, at, resetsAt: window.endsAt }))
      .filter(({ spentUsd }) => spentUsd > 0)
  }
}

function budgetForecast(
  budget: Budget,
  { tenant, value, hours }: HourlySeries,
  { begins, at, resetsAt }: { readonly begins: number; readonly at: number; readonly resetsAt: number | undefined },
): BudgetForecast {
  const limitUsd = Number(budget.limit) / 1e9
  const prediction = predict(hours, at, budget.timeZone)
  const spentUsd = since(hours, begins)
  const until = resetsAt ?? at + YEAR_MS
  const exhausted = exhaustedAt(prediction, { spentUsd, limitUsd, now: at, until })
  return {
    budget: budget.name,
    level: budget.level,
    tenant,
    value,
    limitUsd,
    spentUsd,
    expectedUsd: resetsAt === undefined ? undefined : spentUsd + usdUntil(prediction, at, resetsAt),
    method: prediction.method,
    exhaustedAt: exhausted,
    daysLeft: exhausted === undefined ? undefined : (exhausted - at) / 86_400_000,
    resetsAt,
  }
}

/** A budget that was made within an hour counts that whole hour here: to the minute, only its counter knows. */
function since(hours: HourlyUsd, begins: number): number {
  let usd = 0
  for (const [hour, one] of hours) if ((hour + 1) * HOUR_MS > begins) usd += one
  return usd
}

function dimensionOf({ level, tag }: Budget): PlainDimension | `tag:${string}` {
  if (level === 'tag') return `tag:${tag as string}`
  return level === 'org' ? 'tenant' : level
}
