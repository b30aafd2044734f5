import { seedCatalog } from '@switchyard/catalog'
import { orFailOnData } from '../route/failing.ts'
import { type Analysis, analysisText } from './analysis-text.ts'
import { type LogCosts, logCosts } from './log-costs.ts'
import { type Alike, alikeOf, type LikenessRow, nearRepeats, replayLikeness } from './log-likeness.ts'
import { type PlanSettings, planning } from './planned-requests.ts'
import { type ProgressBar, progressBar } from './progress-bar.ts'
import { type ReadLog, readLog } from './read-log.ts'
import { type Repeats, repeats } from './repeats.ts'

/** What `switchyard cache analyse` is asked. */
export interface AnalyseOptions extends PlanSettings {
  readonly log: string
  readonly near?: readonly number[]
  readonly upstreamMs: number
  readonly maxDistinct: number
  readonly maxAlike: number
  readonly epsilon?: readonly number[]
  readonly language: string
  readonly json: boolean
}

const EPSILONS = [0.005, 0.01, 0.03]
const MINUTE_MS = 60_000
const TTLS_MS = [MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS, 1_440 * MINUTE_MS, 10_080 * MINUTE_MS, Number.POSITIVE_INFINITY]
const MIB = 1_048_576
const SIZES_MIB = [16, 64, 256]
const REDRAWN_EACH = 500

/** `switchyard cache analyse`: what a cache would have spared a team's own traffic, read from a log of its requests. Calls nothing. */
export async function cacheAnalyse(options: AnalyseOptions): Promise<void> {
  await orFailOnData(async () => {
    const analysis = await analysisOf(options)
    console.log(options.json ? JSON.stringify(analysis, null, 2) : analysisText(analysis))
  })
}

async function analysisOf(options: AnalyseOptions): Promise<Analysis> {
  const log = await readLog(options.log)
  const say = progressBar()
  const counts = repeats({
    ttlsMs: TTLS_MS,
    nearBytes: (options.near ?? SIZES_MIB).map((mib) => mib * MIB),
    upstreamMs: options.upstreamMs,
    maxDistinct: options.maxDistinct,
  })
  const costs = logCosts(seedCatalog())
  const bypassed = new Map<string, number>()
  const alike: Alike[] = []
  let asked = 0
  let requests = 0
  const planOf = planning(options)
  try {
    for await (const request of log.requests()) {
      requests += 1
      if (requests % REDRAWN_EACH === 0) say('reading', log.share)
      const planned = planOf(request)
      if ('bypass' in planned) {
        bypassed.set(planned.bypass, (bypassed.get(planned.bypass) ?? 0) + 1)
        costs.add(request, false)
        continue
      }
      costs.add(request, counts.count(request, planned.plan))
      const one = alikeOf(request, planned.plan)
      if (one === undefined) continue
      asked += 1
      if (alike.length < options.maxAlike) alike.push(one)
    }
    return {
      ...summary(options, log, requests, bypassed, counts, costs),
      likeness: likenessOf(alike, asked, options, say),
    }
  } finally {
    say.done()
  }
}

function summary(
  { log: file, upstreamMs, maxDistinct, scope, sampling }: AnalyseOptions,
  { bad }: ReadLog,
  requests: number,
  bypassed: ReadonlyMap<string, number>,
  counts: Repeats,
  costs: LogCosts,
): Omit<Analysis, 'likeness'> {
  return {
    log: file,
    scope,
    sampling,
    requests,
    badLines: bad,
    eligible: counts.eligible,
    bypassed: [...bypassed].map(([reason, count]) => ({ reason, count })).sort((one, other) => other.count - one.count),
    repeats: {
      exact: counts.exact,
      normalised: counts.normalised,
      labelled: counts.labelled,
      sameAnswer: counts.sameAnswer,
      ...(counts.capped && { cappedAt: maxDistinct }),
    },
    byTtl: counts.byTtl.map(({ ttlMs, ...found }) => ({ ttlMs: Number.isFinite(ttlMs) ? ttlMs : null, ...found })),
    bySize: counts.bySize,
    timed: counts.timed,
    outOfOrder: counts.outOfOrder,
    upstreamMs,
    models: costs.models,
  }
}

function likenessOf(
  all: readonly Alike[],
  asked: number,
  { epsilon: epsilons = EPSILONS, language }: AnalyseOptions,
  say: ProgressBar,
): Analysis['likeness'] {
  const labelled = all.filter(({ label }) => label !== undefined)
  const byLabels = labelled.some(({ label }) => label?.startsWith('label ') === true)
  // Where some lines have labels, answers in words beside them would count as others.
  const judged = byLabels ? labelled.filter(({ label }) => label?.startsWith('label ') === true) : labelled
  const base = { asked, looked: all.length, judged: judged.length }
  if (judged.length === 0) {
    const near = nearRepeats(all, language, (share) => say('near repeats', share))
    return { ...base, judgedBy: 'nothing', rows: [], near }
  }
  const rows = epsilons.map(
    (epsilon): LikenessRow =>
      replayLikeness(judged, epsilon, language, (share) => say(`likeness at ${100 * epsilon} %`, share)),
  )
  return { ...base, judgedBy: byLabels ? 'labels' : 'answers', rows, near: [] }
}
