import { replayFleet } from './fleet.ts'
import type { HarnessEncoder, Prepared } from './prepared.ts'
import type { Replayed } from './replay.ts'
import { seeded } from './seeded.ts'
import { bestThresholds } from './static-threshold.ts'
import { ceilingOf, type Rates, ratesOf } from './tally.ts'

/** One policy on one set at one bound. All rates are shares in [0, 1] of all requests, but `errorOfHits`, which is of the hits. */
export interface EvaluationRow {
  readonly set: string
  /** `audited` is ours; `static-hindsight` the best cosine threshold, chosen after the whole stream was seen. */
  readonly policy: string
  readonly encoder: string
  /** The bound that was asked for. */
  readonly epsilon: number
  readonly hitRate: number
  readonly errorOfAll: number
  readonly errorOfHits: number
  /** What an oracle would hit. */
  readonly ceiling: number
  readonly requests: number
  /** Orders that the figures are the mean of. */
  readonly orders: number
  /** The worst of the orders, and whether it kept the bound. */
  readonly worstErrorOfAll: number
  readonly held: boolean
  /** Hits by level. */
  readonly levels: { readonly l1: number; readonly l2: number; readonly l3: number }
  readonly auditShare: number
  readonly judgeShare: number
  readonly lastQuarter: Pick<Rates, 'hitRate' | 'errorOfAll' | 'errorOfHits'> | undefined
  /** Of a static policy. */
  readonly threshold?: number
}

/** What a set is tried with. */
export interface SetOptions<V> {
  readonly set: string
  readonly encoder: HarnessEncoder<V>
  readonly epsilon: number
  /** The same requests in several orders, or several streams of one kind. */
  readonly streams: readonly (readonly Prepared<V>[])[]
  readonly seed: number
  readonly judgeNoise?: number
  readonly judgeShare?: number
  readonly nodes: number
  readonly l1Entries: number
  /** Told before each replay. */
  readonly progress: (text: string) => void
}

/** The audited policy's row. */
export function evaluateSet<V>(options: SetOptions<V>): EvaluationRow {
  const { set, encoder, epsilon, streams, seed, progress } = options
  const runs = streams.map((stream, at) => {
    progress(`${set}: audited, ${encoder.id}, epsilon ${epsilon}, order ${at + 1} of ${streams.length}`)
    return replayFleet(stream, { ...options, random: seeded((seed + at) * 7_919 + 1), index: encoder.index() })
  })
  return { ...base(options, runs), policy: 'audited', lastQuarter: meanRates(runs.map(({ last }) => ratesOf(last))) }
}

/** The row of the best static threshold, on the first of the streams. */
export function hindsightRows<V>(options: SetOptions<V>, epsilons: readonly number[]): readonly EvaluationRow[] {
  const { set, encoder, streams, progress } = options
  const first = streams.slice(0, 1)
  progress(`${set}: static threshold with hindsight, ${encoder.id}`)
  const found = bestThresholds(first[0] ?? [], epsilons, encoder.index)
  return found.map(({ threshold, tally }, at) => {
    const epsilon = epsilons[at] as number
    const row = base({ ...options, epsilon, streams: first }, [{ all: tally, last: tally }])
    return { ...row, policy: 'static-hindsight', lastQuarter: undefined, threshold }
  })
}

function base<V>(
  { set, encoder, epsilon, streams }: SetOptions<V>,
  runs: readonly Replayed[],
): Omit<EvaluationRow, 'policy' | 'lastQuarter'> {
  const rates = runs.map(({ all }) => ratesOf(all))
  const worst = Math.max(...rates.map(({ errorOfAll }) => errorOfAll))
  const level = (which: 'l1' | 'l2' | 'l3'): number => mean(runs.map(({ all }) => all[which] / Math.max(1, all.requests)))
  return {
    set,
    encoder: encoder.id,
    epsilon,
    ...meanRates(rates),
    ceiling: mean(streams.map((stream) => ceilingOf(stream.map(({ label }) => label)))),
    requests: streams[0]?.length ?? 0,
    orders: runs.length,
    worstErrorOfAll: worst,
    held: worst <= epsilon,
    levels: { l1: level('l1'), l2: level('l2'), l3: level('l3') },
  }
}

function meanRates(rates: readonly Rates[]): Rates {
  const of = (which: keyof Rates): number => mean(rates.map((one) => one[which]))
  return {
    hitRate: of('hitRate'),
    errorOfAll: of('errorOfAll'),
    errorOfHits: of('errorOfHits'),
    auditShare: of('auditShare'),
    judgeShare: of('judgeShare'),
  }
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
