import type { HealthState } from '@switchyard/contract'
import { percentile } from '../../measure/statistics.ts'
import type { Sample } from './client.ts'

/** A change of a deployment's state, as the gateway's admin API tells it. */
export interface StateChange {
  readonly from: HealthState
  readonly to: HealthState
  readonly reason: string
  /** Epoch ms. */
  readonly at: number
}

/** All that was seen of one fault. Times are epoch ms. */
export interface ChaosRun {
  readonly fault: string
  readonly target: string
  readonly targets: number
  /** Requests a second. */
  readonly rate: number
  readonly faultAt: number
  readonly faultEndAt: number
  readonly samples: readonly Sample[]
  /** Requests as the target itself saw them. */
  readonly arrivals: readonly number[]
  /** Of the target's deployment; newest first, as it is told. */
  readonly history: readonly StateChange[]
}

export interface ChaosRow {
  readonly fault: string
  readonly target: string
  readonly requests: number
  /** Of the requests whose reply was not cut after content, in percent. */
  readonly succeededPercent: number
  /** By what was seen: what failed before any content, or cannot be told from it. */
  readonly failures: Readonly<Record<string, number>>
  /** Streams that broke after content, and said so by an error event. */
  readonly toldCuts: number
  readonly silentTruncations: number
  /** To the first content, before the fault. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** During the fault, less that before it. */
  readonly addedP50Ms: number
  readonly addedP99Ms: number
  /** From the fault's begin until health left the target out, or else until it got next to no traffic; undefined where neither came. */
  readonly ejectedMs: number | undefined
  readonly ejectedBy: 'health' | 'traffic' | undefined
  /** It was out when the fault began, for a finding of before: then nothing is said of this one. */
  readonly outBefore: boolean
  /** From the fault's end until the target had a request again, once health no longer left it out. */
  readonly recoveredMs: number | undefined
  /** From the fault's end until it had half of its share. */
  readonly halfShareMs: number | undefined
  /** Where it stood at the end of the run. */
  readonly endState: HealthState
  readonly attemptsPerRequest: number
  /** Targets that were missed. */
  readonly missed: readonly Target[]
}

/** What a run is held to. */
export type Target = 'success' | 'ejection' | 'attempts' | 'silent cuts'

const LEAST_SUCCEEDED_PERCENT = 99.9
const LATEST_EJECTION_MS = 2_000
const MOST_ATTEMPTS = 1.2

/** Traffic is gone, or back, where this share of the usual comes within a second. */
const GONE_SHARE = 0.1
const BACK_SHARE = 0.5
const SECOND = 1_000

/** Works a run out, and holds it to the targets. Pure. */
export function summarize(run: ChaosRun): ChaosRow {
  const row = counts(run)
  const missed: Target[] = []
  if (!(row.succeededPercent >= LEAST_SUCCEEDED_PERCENT)) missed.push('success')
  if (!row.outBefore && !(row.ejectedMs !== undefined && row.ejectedMs <= LATEST_EJECTION_MS)) missed.push('ejection')
  if (!(row.attemptsPerRequest <= MOST_ATTEMPTS)) missed.push('attempts')
  if (row.silentTruncations > 0) missed.push('silent cuts')
  return { ...row, missed }
}

function counts(run: ChaosRun): Omit<ChaosRow, 'missed'> {
  const { samples, faultAt, faultEndAt } = run
  const toldCuts = samples.filter(isToldCut).length
  const failed = samples.filter((sample) => sample.seen !== 'ok' && !isToldCut(sample))
  const first = (from: number, to: number): readonly number[] =>
    samples.filter(({ at, seen }) => seen === 'ok' && at >= from && at < to).map(({ firstMs }) => firstMs)
  const before = first(Number.NEGATIVE_INFINITY, faultAt)
  const during = first(faultAt, faultEndAt)
  const p50Ms = percentile(before, 50)
  const p99Ms = percentile(before, 99)
  return {
    fault: run.fault,
    target: run.target,
    requests: samples.length,
    succeededPercent: (100 * (samples.length - toldCuts - failed.length)) / (samples.length - toldCuts),
    failures: counted(failed),
    toldCuts,
    silentTruncations: samples.filter(({ seen }) => seen === 'silent-truncation').length,
    p50Ms,
    p99Ms,
    addedP50Ms: percentile(during, 50) - p50Ms,
    addedP99Ms: percentile(during, 99) - p99Ms,
    ...ejection(run),
    ...recovery(run),
    endState: run.history[0]?.to ?? 'healthy',
    attemptsPerRequest: attempts(samples) / samples.length,
  }
}

/** A break after content that the client was told of: nobody can try such a stream again. */
export function isToldCut({ seen, content }: Pick<Sample, 'seen' | 'content'>): boolean {
  return seen === 'error-event-mid-stream' && content
}

/** By the gateway's count; a request of which it said nothing counts once. */
function attempts(samples: readonly Sample[]): number {
  return samples.reduce((sum, { attempts }) => sum + (attempts !== undefined && attempts >= 0 ? attempts : 1), 0)
}

function counted(failed: readonly Sample[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { seen, detail } of failed) {
    const kind = seen === 'error-status' || seen === 'error-event-mid-stream' ? `${seen} ${detail}` : seen
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

type Ejection = Pick<ChaosRow, 'ejectedMs' | 'ejectedBy' | 'outBefore'>

function ejection({ history, arrivals, faultAt, faultEndAt, rate, targets }: ChaosRun): Ejection {
  const none = { ejectedMs: undefined, ejectedBy: undefined }
  if (stateAt(history, faultAt) === 'ejected') return { ...none, outBefore: true }
  const change = history.toReversed().find(({ at, to }) => to === 'ejected' && at >= faultAt && at < faultEndAt)
  if (change !== undefined) return { ejectedMs: change.at - faultAt, ejectedBy: 'health', outBefore: false }
  const gone = whenGone(arrivals, faultAt, faultEndAt, (GONE_SHARE * rate) / targets)
  if (gone === undefined) return { ...none, outBefore: false }
  return { ejectedMs: gone - faultAt, ejectedBy: 'traffic', outBefore: false }
}

function stateAt(history: readonly StateChange[], at: number): HealthState {
  return history.find((change) => change.at <= at)?.to ?? 'healthy'
}

function recovery({ arrivals, history, faultEndAt, rate, targets }: ChaosRun): Pick<ChaosRow, 'recoveredMs' | 'halfShareMs'> {
  const out = stateAt(history, faultEndAt) === 'ejected'
  const backAt = out ? history.toReversed().find(({ at, from }) => at > faultEndAt && from === 'ejected')?.at : faultEndAt
  if (backAt === undefined) return { recoveredMs: undefined, halfShareMs: undefined }
  const after = arrivals.filter((at) => at >= backAt)
  return {
    recoveredMs: offset(after[0], faultEndAt),
    halfShareMs: offset(whenBack(after, Math.ceil((BACK_SHARE * rate) / targets)), faultEndAt),
  }
}

/** The first moment from which no more than `most` requests come within a second. */
function whenGone(arrivals: readonly number[], from: number, to: number, most: number): number | undefined {
  const within = arrivals.filter((at) => at >= from && at < to)
  // A target that saw nothing at all was killed or stopped: its silence says nothing of the gateway.
  if (within.length === 0) return undefined
  return [from, ...within].find(
    (since) => since + SECOND <= to && within.filter((at) => at > since && at <= since + SECOND).length <= most,
  )
}

/** The first moment from which so many requests come within a second. */
function whenBack(arrivals: readonly number[], enough: number): number | undefined {
  return arrivals.find((since, index) => {
    const last = arrivals[index + enough - 1]
    return last !== undefined && last < since + SECOND
  })
}

function offset(at: number | undefined, from: number): number | undefined {
  return at === undefined ? undefined : at - from
}
