import { SwitchyardError } from '@switchyard/contract'
import { type AdminClient, adminClient } from './admin-client.ts'
import type { CostsOptions } from './costs.ts'
import { table } from './table.ts'

type Json = Readonly<Record<string, unknown>>

/** Asks a gateway for costs and prints them. Rejects as the admin API does. */
export async function printCosts(options: CostsOptions): Promise<void> {
  const client = adminClient(options.url)
  try {
    const query = queryOf(options)
    if (options.forecast === true) await printed(client, `forecast?${query}`, options, forecastTable)
    else if (options.anomalies === true) await printed(client, `anomalies?${query}`, options, anomalyTable)
    else if (options.savings === true) await printed(client, `savings?${query}`, options, savingsTable)
    else await report(client, query, options)
  } finally {
    await client.close()
  }
}

function queryOf({ from, to, timeZone, filter, limit, forecast, anomalies, savings }: CostsOptions): URLSearchParams {
  const query = new URLSearchParams()
  if (from !== undefined) query.set('from', from)
  if (to !== undefined) query.set('to', to)
  if (timeZone !== undefined) query.set('timeZone', timeZone)
  if (limit !== undefined && forecast === undefined && anomalies === undefined && savings === undefined)
    query.set('limit', limit)
  for (const one of filter) {
    const at = one.indexOf('=')
    if (at < 1)
      throw new SwitchyardError('INVALID_REQUEST', `--filter: write NAME=VALUE, not ${JSON.stringify(one.slice(0, 100))}`)
    query.append(one.slice(0, at), one.slice(at + 1))
  }
  return query
}

async function report(client: AdminClient, query: URLSearchParams, { by, format }: CostsOptions): Promise<void> {
  if (format === 'focus') {
    query.set('format', 'focus')
    query.delete('limit')
  } else {
    query.set('group', by)
    if (format === 'csv') query.set('format', 'csv')
  }
  const { text, headers } = await client.ask('GET', `/admin/costs?${query}`)
  if (format === 'csv' || format === 'focus') {
    process.stdout.write(text)
    if (headers['x-switchyard-next-page'] !== undefined)
      console.error('switchyard: there are more groups: raise --limit, or filter')
    return
  }
  const found = JSON.parse(text) as Json
  console.log(format === 'json' ? JSON.stringify(found, null, 2) : reportTable(found, by.split(',')))
}

async function printed(
  client: AdminClient,
  path: string,
  { format }: CostsOptions,
  show: (found: Json) => string,
): Promise<void> {
  if (format === 'csv' || format === 'focus')
    throw new SwitchyardError('INVALID_REQUEST', '--format: forecasts, anomalies and savings are printed as table or json')
  const found = JSON.parse((await client.ask('GET', `/admin/costs/${path}`)).text) as Json
  console.log(format === 'json' ? JSON.stringify(found, null, 2) : show(found))
}

const FIGURES = ['costUsd', 'attempts', 'cacheHits', 'inputTokens', 'outputTokens', 'unpriced'] as const
const TITLES = ['COST (USD)', 'ATTEMPTS', 'CACHE HITS', 'TOKENS IN', 'TOKENS OUT', 'UNPRICED']

function reportTable({ data, total, nextPage }: Json, by: readonly string[]): string {
  const figures = (row: Json): string[] => FIGURES.map((name) => String(row[name]))
  const rows = (data as readonly Json[]).map((row) => [...by.map((name) => text(row[name])), ...figures(row)])
  const sum = ['total', ...by.slice(1).map(() => ''), ...figures(total as Json)]
  const more = nextPage === null ? '' : '\n  (there are more: raise --limit)'
  return `${table([...by.map((name) => name.toUpperCase()), ...TITLES], [...rows, sum])}${more}`
}

function forecastTable({ month, budgets }: Json): string {
  const { spentUsd, expectedUsd, lowUsd, highUsd, method, trend } = month as Readonly<Record<string, number | string>>
  const band = lowUsd === undefined ? 'no band yet' : `${usd(lowUsd)} to ${usd(highUsd)} in four of five cases`
  const how =
    method === 'run-rate'
      ? 'a run rate: under two weeks of history'
      : `by weekday and hour, ${Math.round((Number(trend) - 1) * 100)} % a week`
  const head = `  this month: ${usd(spentUsd)} spent, ${usd(expectedUsd)} expected (${band}; ${how})`
  const rows = (budgets as readonly Json[]).map((one) => [
    text(one.budget),
    text(one.tenant),
    text(one.value),
    usd(one.spentUsd),
    usd(one.limitUsd),
    one.expectedUsd === undefined ? '-' : usd(one.expectedUsd),
    one.daysLeft === undefined ? 'not in its window' : `in ${Number(one.daysLeft).toFixed(1)} days`,
  ])
  return rows.length === 0
    ? head
    : `${head}\n\n${table(['BUDGET', 'TENANT', 'OF', 'SPENT', 'LIMIT', 'EXPECTED', 'USED UP'], rows)}`
}

function anomalyTable({ data }: Json): string {
  const rows = (data as readonly Json[]).map((one) => [
    text(one.startedAt),
    text(one.tenant),
    text(one.value),
    usd(one.peakUsd),
    usd(one.usualUsd),
    usd(one.excessUsd),
    one.isOpen === true ? 'going on' : `${one.hours} h`,
  ])
  return rows.length === 0
    ? '  nothing unusual'
    : table(['SINCE', 'TENANT', 'OF', 'PEAK HOUR', 'USUAL', 'BEYOND', 'LASTED'], rows)
}

function savingsTable({ measured, modelled, isCut }: Json): string {
  const { baselineUsd, actualUsd, savedUsd, share, levers, unmodelled } = modelled as Json
  const rows = Object.entries(levers as Json).map(([lever, saved]) => [lever, text(saved)])
  const arms = (measured as readonly Json[]).map((one) => {
    const interval = one.shareLow === undefined ? '' : ` (90 %: ${percent(one.shareLow)} to ${percent(one.shareHigh)})`
    return `  measured on ${text(one.route)} against ${text(one.baseline)}: ${percent(one.share)}${interval}, ${one.controlCalls} control calls`
  })
  return [
    ...(arms.length === 0 ? ['  measured: no control arm'] : arms),
    `  modelled: ${savedUsd} USD saved of ${baselineUsd}, ${actualUsd} paid (${percent(share)}); ${unmodelled} calls without a price`,
    '',
    table(['LEVER', 'SAVED (USD)'], rows),
    ...(isCut === true ? ['  (the first 200,000 rows only)'] : []),
  ].join('\n')
}

/** A control character in a name must not move the cursor of who reads it. */
function text(value: unknown): string {
  return value === null || value === undefined ? '-' : String(value).replaceAll(/\p{Cc}/gu, ' ')
}

function usd(value: unknown): string {
  return `$${Number(value).toFixed(2)}`
}

function percent(share: unknown): string {
  return typeof share === 'number' ? `${(share * 100).toFixed(1)} %` : '-'
}
