import { table } from '../table.ts'
import type { ModelCost } from './log-costs.ts'
import type { LikenessRow, NearRow } from './log-likeness.ts'
import type { BadLines } from './read-log.ts'

/** What a log says of a cache. Counts of requests, unless they are shares. */
export interface Analysis {
  readonly log: string
  readonly scope: string
  readonly sampling: string
  readonly requests: number
  readonly badLines: BadLines
  readonly eligible: number
  readonly bypassed: readonly { readonly reason: string; readonly count: number }[]
  readonly repeats: {
    readonly exact: number
    readonly normalised: number
    readonly labelled: number
    readonly sameAnswer: number
    readonly cappedAt?: number
  }
  /** `ttlMs` null: for ever. */
  readonly byTtl: readonly { readonly ttlMs: number | null; readonly hits: number; readonly coalesced: number }[]
  readonly bySize: readonly { readonly bytes: number; readonly hits: number }[]
  readonly timed: boolean
  readonly outOfOrder: number
  readonly upstreamMs: number
  readonly likeness: {
    /** Requests that likeness may be asked for, those of them that were kept, and those of these with a label. */
    readonly asked: number
    readonly looked: number
    readonly judged: number
    readonly judgedBy: 'labels' | 'answers' | 'nothing'
    readonly rows: readonly LikenessRow[]
    readonly near: readonly NearRow[]
  }
  readonly models: readonly ModelCost[]
}

const MIB = 1_048_576
const MODELS = 10

/** The analysis as a person reads it. */
export function analysisText(analysis: Analysis): string {
  return [
    head(analysis),
    bypassText(analysis),
    repeatText(analysis),
    levelText(analysis),
    likenessText(analysis),
    moneyText(analysis),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function head({ requests, eligible, badLines, scope, sampling }: Analysis): string {
  const lines = [
    `${requests} requests, of which the cache would look up ${eligible} (${percent(eligible, requests)} %), at scope ${scope}, sampling ${sampling}.`,
  ]
  if (badLines.count > 0) {
    const named = badLines.first.map(({ line, why }) => `line ${line}: ${why}`).join('; ')
    lines.push(
      `${badLines.count} lines hold no request and were passed over (${named}${badLines.count > badLines.first.length ? '; …' : ''}).`,
    )
  }
  return lines.join('\n')
}

function bypassText({ bypassed, requests }: Analysis): string {
  if (bypassed.length === 0) return ''
  return table(
    ['LEFT ALONE', 'REQUESTS', '%'],
    bypassed.map(({ reason, count }) => [reason, String(count), percent(count, requests)]),
  )
}

function repeatText({ repeats, eligible, requests }: Analysis): string {
  const { exact, normalised, labelled, sameAnswer, cappedAt } = repeats
  const rows = [
    ['exact, by the gateway’s own key', String(exact), percent(exact, requests), percent(exact, eligible)],
    [
      'also but for case, spaces and marks',
      String(exact + normalised),
      percent(exact + normalised, requests),
      percent(exact + normalised, eligible),
    ],
  ]
  if (labelled > 0)
    rows.push([
      'by label or answer',
      String(sameAnswer),
      percent(sameAnswer, requests),
      `${percent(sameAnswer, labelled)} of ${labelled} that have one`,
    ])
  const lines = [table(['REPEATS', 'REQUESTS', '% OF ALL', '% OF THOSE LOOKED UP'], rows)]
  if (labelled === 0) lines.push('The ceiling is not known: no line has a label or an answer.')
  if (cappedAt !== undefined)
    lines.push(`More than ${cappedAt} distinct requests: repeats of the later ones were not seen. Raise --max-distinct.`)
  return lines.join('\n')
}

function levelText({ byTtl, bySize, timed, outOfOrder, upstreamMs, requests }: Analysis): string {
  const shown = timed ? byTtl : byTtl.filter(({ ttlMs }) => ttlMs === null)
  const ttls = shown.map(({ ttlMs, hits, coalesced }) => [
    ttlMs === null ? 'for ever' : span(ttlMs),
    percent(hits, requests),
    timed ? percent(coalesced, requests) : '-',
    percent(hits + coalesced, requests),
  ])
  const sizes = bySize.map(({ bytes, hits }) => [`${Math.round(bytes / MIB)} MiB`, percent(hits, requests)])
  const lines = [table(['KEPT', 'HITS %', 'COALESCED %', 'TOGETHER %'], ttls), '', table(['IN ONE PROCESS', 'HITS %'], sizes)]
  if (timed)
    lines.push(
      `Coalesced: came while the same was under way; where a line tells no duration, for ${upstreamMs} ms (--upstream-ms).`,
    )
  else lines.push('No line has a time, so that nothing can be said of lifetimes and of requests at once.')
  if (outOfOrder > 0)
    lines.push(`${outOfOrder} requests have an earlier time than one above them; they count at the later time.`)
  return lines.join('\n')
}

function likenessText({ likeness }: Analysis): string {
  const { asked, looked, judged, judgedBy, rows, near } = likeness
  if (asked === 0) return 'Likeness: no request may be answered by another that is worded otherwise.'
  const part = looked < asked ? ` The first ${looked} of ${asked} were looked at (--max-alike).` : ''
  if (judgedBy === 'nothing') {
    const body = near.map(({ similarity, count }) => [similarity.toFixed(1), String(count), percent(count, looked)])
    return [
      table(['NEAR REPEATS FROM', 'REQUESTS', '% OF THOSE LOOKED AT'], body),
      `How many of these one answer would do for is not known, and so no wrong rate is: give lines a label or the answer.${part}`,
    ].join('\n')
  }
  const body = rows.map(({ epsilon, exact, alike, rates, held }) => [
    decimal(epsilon),
    decimal(exact),
    decimal(alike),
    decimal(rates.hitRate),
    `${decimal(rates.errorOfAll)} ${held ? 'kept' : 'PASSED'}`,
    decimal(rates.errorOfHits),
    decimal(rates.auditShare),
    decimal(rates.judgeShare),
  ])
  const by =
    judgedBy === 'labels'
      ? 'Right is what has the same label.'
      : 'Right is an answer in the same words, so that the wrong rate is at most this: two answers may say the same in other words. Labels would tell.'
  return [
    table(
      ['EPSILON %', 'EXACT %', 'ALIKE %', 'TOGETHER %', 'WRONG % OF ALL', 'WRONG % OF HITS', 'AUDITED %', 'JUDGED %'],
      body,
    ),
    `The audited policy from an empty cache, embedded encoder, ${judged} requests in the log's order. ${by}${part}`,
  ].join('\n')
}

function moneyText({ models }: Analysis): string {
  const rows = models
    .slice(0, MODELS)
    .map(({ model, requests, repeats, micro, repeatMicro }) => [
      printable(model),
      String(requests),
      String(repeats),
      usd(micro),
      usd(repeatMicro),
    ])
  const all = (of: (one: ModelCost) => number | undefined): number => models.reduce((sum, one) => sum + (of(one) ?? 0), 0)
  rows.push([
    'total',
    String(all(({ requests }) => requests)),
    String(all(({ repeats }) => repeats)),
    usd(all(({ micro }) => micro)),
    usd(all(({ repeatMicro }) => repeatMicro)),
  ])
  const notes = []
  const estimated = all((one) => one.estimated)
  const withoutOutput = all((one) => one.withoutOutput)
  const unpriced = models.filter(({ micro }) => micro === undefined).length
  if (models.length > MODELS) notes.push(`${models.length - MODELS} more models are in the total.`)
  if (estimated > 0) notes.push(`Tokens of ${estimated} requests are estimated.`)
  if (withoutOutput > 0) notes.push(`${withoutOutput} have neither usage nor answer: their output is not in the cost.`)
  if (unpriced > 0) notes.push(`${unpriced} models have no price in the catalog.`)
  return [table(['MODEL', 'REQUESTS', 'EXACT REPEATS', 'COST', 'OF WHICH REPEATS'], rows), ...notes].join('\n')
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : ((100 * part) / whole).toFixed(2)
}

function decimal(share: number): string {
  return (100 * share).toFixed(2)
}

function usd(micro: number | undefined): string {
  return micro === undefined ? '-' : `$${(micro / 1e6).toFixed(micro < 10_000 ? 6 : 2)}`
}

function span(ms: number): string {
  const minutes = ms / 60_000
  if (minutes < 60) return `${minutes} min`
  return minutes < 1_440 ? `${minutes / 60} h` : `${minutes / 1_440} d`
}

/** A control character in a name must not move the cursor of who reads it. */
function printable(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, ' ').slice(0, 60)
}
