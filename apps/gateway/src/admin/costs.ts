import { type Costs, costs, type FocusVersion, focusCsv, reportCsv } from '@switchyard/budget'
import { SwitchyardError } from '@switchyard/contract'
import { systemClock } from '@switchyard/kernel'
import type { Exchange } from '../server/exchange.ts'
import type { ServerParts } from '../server/http-server.ts'
import type { AdminHandler, AdminRequest } from './admin-route.ts'
import { costAsk, daysAgo, dimensionsIn, wholeIn, wordIn } from './cost-query.ts'
import { anomalyView, forecastView, reportView, rowView, savingsView } from './cost-view.ts'

const ROUTES: ReadonlyMap<string, AdminHandler> = new Map<string, AdminHandler>([
  ['/admin/costs', showCosts],
  ['/admin/costs/rows', listRows],
  ['/admin/costs/forecast', showForecast],
  ['/admin/costs/anomalies', listAnomalies],
  ['/admin/costs/savings', showSavings],
])
const GROUPS_A_PAGE = 1_000
const MOST_GROUPS = 10_000
const ANOMALY_DAYS = 7

/** The handler of a path at or below `/admin/costs`; undefined where there is none. */
export function costsHandler(method: string | undefined, path: string): AdminHandler | undefined {
  return method === 'GET' ? ROUTES.get(path) : undefined
}

/** `GET /admin/costs`: sums by group, as JSON, CSV, or CSV by the columns of FOCUS. */
async function showCosts({ exchange, parts, query }: AdminRequest): Promise<void> {
  const known = ['group', 'format', 'limit', 'page', 'focusVersion'] as const
  const { rows, timeZone, given } = costAsk(query, known, systemClock.now())
  const format = wordIn(given.format, 'format', ['json', 'csv', 'focus'])
  const source = costsOf(parts)
  if (format === 'focus') {
    const version: FocusVersion = wordIn(given.focusVersion, 'focusVersion', ['1.3', '1.2'])
    sendCsv(exchange, focusCsv(await source.focus({ ...rows, version }), version), `focus-${version}`)
    return
  }
  const limit = wholeIn(given.limit, 'limit', MOST_GROUPS, format === 'csv' ? MOST_GROUPS : GROUPS_A_PAGE)
  const page = wholeIn(given.page, 'page', 1_000_000, 1)
  const by = dimensionsIn(given.group)
  const report = await source.report({ ...rows, by, timeZone, limit, offset: (page - 1) * limit })
  if (format === 'csv') {
    // A table that ends early must say so, and CSV has no place for that but a header.
    if (report.nextOffset !== undefined) exchange.header('x-switchyard-next-page', String(page + 1))
    sendCsv(exchange, reportCsv(report), 'costs')
    return
  }
  exchange.json(200, { ...reportView(report), page, nextPage: report.nextOffset === undefined ? null : page + 1 })
}

/** `GET /admin/costs/rows`: the rows of the ledger behind a figure, by pages. */
async function listRows({ exchange, parts, query }: AdminRequest): Promise<void> {
  const { rows, given } = costAsk(query, ['limit', 'cursor'], systemClock.now())
  const limit = wholeIn(given.limit, 'limit', 1_000, 100)
  const after = given.cursor === undefined ? undefined : Buffer.from(given.cursor, 'base64url').toString()
  const found = await costsOf(parts).rows({ ...rows, after, limit: limit + 1 })
  const data = found.slice(0, limit)
  const last = found.length > limit ? data.at(-1) : undefined
  const nextCursor = last === undefined ? null : Buffer.from(String(last.attempt_id)).toString('base64url')
  exchange.json(200, { object: 'list', data: data.map(rowView), nextCursor })
}

/** `GET /admin/costs/forecast`: the month that runs, and when each budget is used up. */
async function showForecast({ exchange, parts, query }: AdminRequest): Promise<void> {
  const { rows, timeZone, given } = costAsk(query, [], systemClock.now())
  refuseRange(given)
  exchange.json(200, forecastView(await costsOf(parts).forecast({ where: rows.where, timeZone })))
}

/** `GET /admin/costs/anomalies`: episodes of the last seven days, or of a range. */
async function listAnomalies({ exchange, parts, query }: AdminRequest): Promise<void> {
  const now = systemClock.now()
  const { rows, timeZone, given } = costAsk(query, ['by', 'floorUsd'], now)
  const from = query.has('from') ? rows.from : daysAgo(rows.to, ANOMALY_DAYS)
  const [by = 'key', ...more] = dimensionsIn(given.by)
  if (by === 'day' || more.length > 0) throw invalid('by', 'one dimension other than day')
  const floorUsd = given.floorUsd === undefined ? undefined : Number(given.floorUsd)
  if (floorUsd !== undefined && !(floorUsd >= 0)) throw invalid('floorUsd', 'an amount in USD from 0')
  const found = await costsOf(parts).anomalies({ ...rows, from, by, timeZone, floorUsd })
  exchange.json(200, { object: 'list', data: found.map(anomalyView) })
}

/** `GET /admin/costs/savings`: measured beside modelled, signed. */
async function showSavings({ exchange, parts, query }: AdminRequest): Promise<void> {
  const { rows } = costAsk(query, [], systemClock.now())
  exchange.json(200, savingsView(await costsOf(parts).savings(rows)))
}

function sendCsv(exchange: Exchange, text: string, name: string): void {
  const bytes = Buffer.from(text)
  exchange.header('content-type', 'text/csv; charset=utf-8')
  exchange.header('content-disposition', `attachment; filename="${name}.csv"`)
  exchange.header('content-length', String(bytes.length))
  exchange.head(200)
  exchange.response.end(bytes)
}

function costsOf({ kernel }: ServerParts): Costs {
  const [source] = kernel.all(costs).values()
  if (source !== undefined) return source
  throw new SwitchyardError('NOT_FOUND', 'no plugin of the assembly keeps books: add @switchyard/budget')
}

function refuseRange(given: Readonly<Record<string, string | undefined>>): void {
  for (const name of ['from', 'to']) if (given[name] !== undefined) throw invalid(name, 'a forecast is of the month that runs')
}

function invalid(param: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `${param}: ${what}`, { details: { param } })
}
