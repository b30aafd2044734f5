import type { ArmTable } from './arms.ts'
import type { Calibration } from './calibrate.ts'
import { armRows, bootstrap, type Interval, oracleRows, type Result, resultOf, routeRows } from './evaluate.ts'
import { type FitOptions, type Fitted, fitRouter, termsOfSet } from './fit.ts'
import type { OutcomeSet } from './outcomes.ts'

/** What a claim stands beside, ours first. */
export const STRATEGIES = ['learned', 'always-strong', 'always-cheap', 'random-mix', 'static-best', 'oracle'] as const

/** A name of `STRATEGIES`. */
export type StrategyLabel = (typeof STRATEGIES)[number]

/** A strategy's result on one test half at one target. */
export interface Comparison extends Result {
  readonly set: string
  readonly strategy: StrategyLabel
  readonly targetQuality: number
  /** Of the learned strategy alone: what was chosen and promised on the train half, and the test half's intervals. */
  readonly calibration?: Calibration
  readonly interval?: Interval
}

/** The halves of a set by place of its rows. */
export interface Split {
  readonly train: readonly number[]
  readonly test: readonly number[]
}

/** Fits on one half, reads the other once, and compares with what needs no learning; everything is chosen on the train half. */
export function compareStrategies(
  set: OutcomeSet,
  split: Split,
  targets: readonly number[],
  options: Partial<FitOptions> = {},
  terms: readonly ReadonlyMap<number, number>[] = termsOfSet(set),
): readonly Comparison[] {
  const fitted = fitRouter(set, split.train, options, terms)
  const { table } = fitted
  const reference = armRows(table, split.test, table.reference)
  const calibrations = targets.map((target) => fitted.calibrated(target))
  const routed = routeRows(
    fitted,
    set.rows.map(({ prompt }) => prompt),
    split.test,
    calibrations.map(({ policy }) => policy),
  )
  const singles = singlesOf(fitted, split.train)
  const cheapest = singles.reduce((best, one) => (one.saved > best.saved ? one : best))
  const oracle = resultOf(oracleRows(table, split.test), reference)
  const single = (arm: number, share?: number): Result => resultOf(armRows(table, split.test, arm, share), reference)
  return targets.flatMap((targetQuality, at) => {
    const calibration = calibrations[at] as Calibration
    const served = routed[at] as (typeof routed)[number]
    const mix = bestMix(singles, targetQuality)
    const row = (strategy: StrategyLabel, result: Result): Comparison => ({ set: set.name, strategy, targetQuality, ...result })
    return [
      { ...row('learned', resultOf(served, reference)), calibration, interval: bootstrap(served, reference) },
      row('always-strong', single(table.reference)),
      row('always-cheap', single(cheapest.arm)),
      row('random-mix', single(mix.arm, mix.share)),
      row('static-best', single(bestSingle(singles, targetQuality, table).arm)),
      row('oracle', oracle),
    ]
  })
}

interface Single extends Result {
  readonly arm: number
}

function singlesOf({ table }: Fitted, train: readonly number[]): readonly Single[] {
  const reference = armRows(table, train, table.reference)
  return table.arms.flatMap((arm, at) =>
    arm.check === undefined ? [{ arm: at, ...resultOf(armRows(table, train, at), reference) }] : [],
  )
}

function bestSingle(singles: readonly Single[], target: number, { reference }: ArmTable): { readonly arm: number } {
  let best: { readonly arm: number; readonly saved: number } = { arm: reference, saved: 0 }
  for (const one of singles) if (one.quality >= target && one.saved > best.saved) best = one
  return best
}

function bestMix(singles: readonly Single[], target: number): { readonly arm: number; readonly share: number } {
  let best = { arm: (singles[0] as Single).arm, share: 0, saved: 0 }
  for (const { arm, quality, saved } of singles) {
    const share = quality >= target ? 1 : (1 - target) / (1 - quality)
    if (share * saved > best.saved) best = { arm, share, saved: share * saved }
  }
  return best
}
