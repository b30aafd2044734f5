import { type Comparison, MACRO, medianOf } from '@switchyard/routing/learned'

/** Whether a claim holds: the macro saving, and every set within one standard error of the target, medians over halves. */
export interface GateLine {
  readonly targetQuality: number
  /** Macro saving, median over halves. */
  readonly saved: number
  readonly worstSet: string
  /** The worst set's quality less the target, in its standard errors, medians over halves. */
  readonly worstErrors: number
  readonly everySetWithin: boolean
  /** Share of (set, half) whose quality is below the target at all, and by more than one standard error. */
  readonly below: number
  readonly belowByAnError: number
  /** Mean and greatest of what the promise was missed by, 0 where kept; the greatest is of the sets' medians. */
  readonly meanMiss: number
  readonly worstMiss: number
}

/** Judges the learned strategy at each target. */
export function gateLines(runs: readonly (readonly Comparison[])[]): readonly GateLine[] {
  const learned = runs.flatMap((run, at) =>
    run.filter(({ strategy }) => strategy === 'learned').map((one) => ({ ...one, run: at })),
  )
  return [...new Set(learned.map(({ targetQuality }) => targetQuality))].map((targetQuality) => {
    const ours = learned.filter((one) => one.targetQuality === targetQuality)
    const sets = [...new Set(ours.map(({ set }) => set))].map((set) => {
      const own = ours.filter((one) => one.set === set)
      const quality = medianOf(own.map((one) => one.quality))
      const error = medianOf(own.map(({ standardError }) => standardError))
      return { set, quality, errors: (quality - targetQuality) / Math.max(error, 1e-9) }
    })
    const worst = sets.reduce(
      (least, one) => (one.errors < least.errors ? one : least),
      sets[0] ?? { set: MACRO, quality: 1, errors: 0 },
    )
    const misses = ours.map(({ quality }) => Math.max(0, targetQuality - quality))
    return {
      targetQuality,
      saved: medianOf(runs.map((_, at) => mean(ours.filter(({ run }) => run === at).map(({ saved }) => saved)))),
      worstSet: worst.set,
      worstErrors: worst.errors,
      everySetWithin: sets.every(({ errors }) => errors >= -1),
      below: share(ours, (one) => one.quality < targetQuality),
      belowByAnError: share(ours, (one) => one.quality + one.standardError < targetQuality),
      meanMiss: mean(misses),
      worstMiss: Math.max(0, ...sets.map(({ quality }) => targetQuality - quality)),
    }
  })
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function share<T>(items: readonly T[], test: (item: T) => boolean): number {
  return items.filter(test).length / items.length
}
