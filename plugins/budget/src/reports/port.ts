import { type CallOptions, definePort, type Port } from '@switchyard/contract'
import type { LedgerRow } from '../ledger/port.ts'
import type { Anomaly } from './anomalies.ts'
import type { FocusRow, FocusVersion } from './focus-columns.ts'
import type { Forecast } from './forecast.ts'
import type { BudgetForecast } from './forecast-reader.ts'
import type { Savings } from './savings.ts'

/** What rows are told apart by, beside tags. */
export const DIMENSIONS: readonly [
  'tenant',
  'team',
  'key',
  'user',
  'model',
  'provider',
  'session',
  'route',
  'deployment',
  'endpoint',
  'purpose',
  'taskClass',
  'arm',
  'kind',
  'call',
] = [
  'tenant',
  'team',
  'key',
  'user',
  'model',
  'provider',
  'session',
  'route',
  'deployment',
  'endpoint',
  'purpose',
  'taskClass',
  'arm',
  'kind',
  'call',
]

export type PlainDimension = (typeof DIMENSIONS)[number]
/** `tag:NAME` is the value of a tag; `day` is the calendar day in the report's time zone on which an attempt began. */
export type CostDimension = PlainDimension | 'day' | `tag:${string}`

/** Which rows: each value, or one of several, must be equal. `''` asks for rows without one. */
export type CostFilter = { readonly [K in PlainDimension | `tag:${string}`]?: string | readonly string[] | undefined }

/** Epoch ms at which attempts began: from, inclusive, to, exclusive. A correction counts where its attempt began. */
export interface CostRange {
  readonly from: number
  readonly to: number
}

export interface CostRows extends CostRange {
  readonly where?: CostFilter | undefined
}

export interface CostQuery extends CostRows {
  /** Dimensions of a group; none gives the total alone. */
  readonly by: readonly CostDimension[]
  /** IANA time zone of `day`. Default `UTC`. */
  readonly timeZone?: string | undefined
  /** Groups of a page, 1 to 10,000; default 1,000. */
  readonly limit?: number | undefined
  /** Groups to skip. */
  readonly offset?: number | undefined
}

/** What rows add up to. */
export interface CostFigures {
  /** Exact pico-USD. */
  readonly costPico: bigint
  /** Micro-USD: the sum of the ledger's own, each rounded half-even. */
  readonly costMicro: bigint
  /** Nano-USD that budgets were charged. */
  readonly chargedNano: bigint
  /** Attempts that were sent. */
  readonly attempts: number
  /** Replies from a cache; they cost nothing. */
  readonly cacheHits: number
  /** Rows that correct others: their cost is in the sums. */
  readonly corrections: number
  /** Rows whose cost is not known, in whole or in part; it is in no sum. */
  readonly unpriced: number
  /** Rows whose usage was estimated. */
  readonly estimated: number
  /** Tokens of attempts, without those that a cache answered. */
  readonly inputTokens: bigint
  readonly outputTokens: bigint
  /** Pico-USD that replies from a cache would have cost. */
  readonly cacheSavedPico: bigint
}

export interface CostGroup {
  /** By dimension; null where rows have none. */
  readonly values: Readonly<Record<string, string | null>>
  readonly figures: CostFigures
  /** The very rows that the figures are sums of. */
  readonly rows: CostRows
}

export interface CostReport extends CostRange {
  readonly by: readonly CostDimension[]
  readonly timeZone: string
  readonly where: CostFilter
  /** Of all groups, on this page or not. */
  readonly total: CostFigures
  /** Dearest first. */
  readonly groups: readonly CostGroup[]
  readonly groupCount: number
  /** Offset of the next page; undefined at the last one. */
  readonly nextOffset: number | undefined
}

export interface ForecastQuery {
  readonly where?: CostFilter | undefined
  /** IANA time zone of the month, and of weekdays and hours. Default `UTC`. */
  readonly timeZone?: string | undefined
}

export interface CostForecast {
  /** The calendar month that runs now. */
  readonly month: Forecast
  /** Budgets of every value, fullest first; those that nothing was spent of are left out. */
  readonly budgets: readonly BudgetForecast[]
}

export interface AnomalyQuery extends CostRows {
  /** What is watched: each value by itself. Default `key`. */
  readonly by?: PlainDimension | `tag:${string}` | undefined
  readonly timeZone?: string | undefined
  /** USD an hour below which nothing is one. Default: the plugin's. */
  readonly floorUsd?: number | undefined
}

/** Reports over the ledger. What this node has settled is written down before each. All reject as the port `sql` does. */
export interface Costs {
  /** Sums by group. Rejects `INVALID_REQUEST` for a dimension, filter or range that cannot be. */
  report(query: CostQuery, options?: CallOptions): Promise<CostReport>
  /** The rows behind a figure, in the order in which attempts began; `after` is the last attempt id of the page before. */
  rows(
    query: CostRows & { readonly after?: string | undefined; readonly limit?: number | undefined },
    options?: CallOptions,
  ): Promise<readonly LedgerRow[]>
  /** Rows by the columns of FOCUS, one a day (UTC), price part and payer. Rejects `TOO_LARGE` beyond 100,000. */
  focus(query: CostRows & { readonly version?: FocusVersion | undefined }, options?: CallOptions): Promise<readonly FocusRow[]>
  forecast(query?: ForecastQuery, options?: CallOptions): Promise<CostForecast>
  /** Hours that cost far more than such hours did, by episode. */
  anomalies(query: AnomalyQuery, options?: CallOptions): Promise<readonly Anomaly[]>
  /** What routing, caches and tiers saved, signed. */
  savings(query: CostRows, options?: CallOptions): Promise<Savings>
}

/** Port by which reports are asked for. */
export const costs: Port<Costs> = definePort<Costs>('costs', 1)
