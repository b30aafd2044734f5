import { adminClient } from '../admin-client.ts'
import { table } from '../table.ts'
import type { ReportOptions } from './admin-commands.ts'

type Json = Readonly<Record<string, unknown>>

const LEVELS = ['l1', 'l2', 'l3', 'stale', 'coalesced'] as const

/** Prints what the cache of a gateway that runs does. Rejects as the admin API does. */
export async function cacheReport({ url, json, from, to, timeZone }: ReportOptions): Promise<void> {
  const query = new URLSearchParams()
  if (from !== undefined) query.set('from', from)
  if (to !== undefined) query.set('to', to)
  if (timeZone !== undefined) query.set('timeZone', timeZone)
  const client = adminClient(url)
  try {
    const { text: found } = await client.ask('GET', `/admin/cache?${query}`)
    const report = JSON.parse(found) as Json
    console.log(json ? JSON.stringify(report, null, 2) : printed(report))
  } finally {
    await client.close()
  }
}

function printed({ operations, likeness, near, store, under_way: underWay, money }: Json): string {
  return [
    'of this node since its start or last change of plugins, in % of all requests:',
    operationsTable(operations as Json),
    '',
    ...likenessPart(likeness as readonly Json[]),
    '',
    storeLine(store as Json, near as Json, underWay),
    '',
    moneyPart(money as Json | null),
  ].join('\n')
}

function operationsTable(operations: Json): string {
  const rows = Object.entries(operations).map(([name, of]) => {
    const one = of as Json
    const levels = one.levels as Readonly<Record<string, Json>>
    return [
      text(name),
      text(one.requests),
      percent(one.hit_rate),
      percent(one.repeat_ceiling),
      ...LEVELS.map((level) => percent(levels[level]?.share)),
      text(one.misses),
      bypasses(one),
    ]
  })
  const head = ['OPERATION', 'REQUESTS', 'HITS', 'REPEATS', 'L1', 'L2', 'L3', 'STALE', 'COALESCED', 'MISSES', 'BYPASSED']
  return table(head, rows)
}

function bypasses({ bypassed, bypasses: by }: Json): string {
  const why = Object.entries(by as Readonly<Record<string, number>>)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`)
  return why.length === 0 ? text(bypassed) : `${bypassed} (${why.join(', ')})`
}

function likenessPart(standings: readonly Json[]): readonly string[] {
  if (standings.length === 0) return ['  likeness: nothing was asked in other words yet, or no plugin answers by likeness']
  const rows = standings.map((one) => [
    text(one.population),
    percent(one.epsilon),
    one.shadow === true ? 'shadow' : `from ${Number(one.cut).toFixed(3)}`,
    text(one.requests),
    percent(one.hit_rate),
    percent(one.ceiling),
    interval(one.error_of_all),
    interval(one.error_of_hits),
    `${one.audits} (${one.failed_audits} failed)`,
    `${one.labels} (${one.dropped} dropped)`,
  ])
  const head = ['LIKENESS', 'EPSILON', 'SERVES', 'REQUESTS', 'HITS', 'CEILING', 'ERR/ALL', 'ERR/HITS', 'AUDITS', 'LABELS']
  return ['by likeness; errors by audits, with their 95 % interval, ERR/HITS in % of the hits:', table(head, rows)]
}

function storeLine(store: Json, near: Json, underWay: unknown): string {
  const state = store.is_away === true ? 'away: calls go on without it' : 'there'
  const failed = `${store.failed_lookups} look-ups and ${store.failed_writes} writes failed`
  const owed = Number(store.owed_deletions) === 0 ? '' : `, ${store.owed_deletions} deletions owed`
  const kept = `${near.entries} replies near by (${(Number(near.bytes) / 1_048_576).toFixed(1)} MiB), ${underWay} calls under way`
  return `  store: ${state}; ${failed}${owed}; ${kept}`
}

function moneyPart(money: Json | null): string {
  if (money === null) return '  money: no plugin of the assembly keeps books'
  const { from, to, hits, saved_usd, spent, net_usd, unpriced_hits, unpriced_calls } = money
  const own = Object.entries(spent as Json).map(([purpose, usd]) => `${purpose} ${usd}`)
  const unknown = Number(unpriced_hits) + Number(unpriced_calls)
  return [
    `  money from ${text(from)} to ${text(to)}, of all nodes, in USD:`,
    `  ${hits} hits saved ${saved_usd}; the cache's own calls cost ${own.join(', ')}`,
    `  net ${net_usd}${unknown === 0 ? '' : ` (${unpriced_hits} hits and ${unpriced_calls} calls without a price are in no sum)`}`,
  ].join('\n')
}

function interval(error: unknown): string {
  if (error === null || error === undefined) return 'no audit yet'
  const { share, low, high } = error as Readonly<Record<string, number>>
  return `${percent(share)} (${percent(low)} to ${percent(high)})`
}

function percent(share: unknown): string {
  return typeof share === 'number' ? (share * 100).toFixed(2) : '-'
}

/** A control character in a name must not move the cursor of who reads it. */
function text(value: unknown): string {
  return value === null || value === undefined ? '-' : String(value).replaceAll(/\p{Cc}/gu, ' ')
}
