import { type Comparison, STRATEGIES } from './strategies.ts'

/** A row of the report for programs; `macro` is the unweighted mean over sets. */
export interface EconomyRow {
  readonly set: string
  readonly strategy: string
  readonly targetQuality: number
  /** Relative to the reference: 1 is equal. */
  readonly quality: number
  /** Share of the reference's cost; negative where dearer. */
  readonly saved: number
  /** The least quality of any set in this row. */
  readonly worstQuality: number
}

/** The name of the row over all sets. */
export const MACRO = 'macro'

/**
 * One row for each set, strategy and target, medians over the runs, and the macro rows: the median over runs of the mean over sets,
 * with the least of the sets' medians as `worstQuality`. A run is one half of every set.
 */
export function economyRows(runs: readonly (readonly Comparison[])[]): readonly EconomyRow[] {
  const first = runs[0] ?? []
  const sets = [...new Set(first.map(({ set }) => set))]
  const targets = [...new Set(first.map(({ targetQuality }) => targetQuality))]
  return targets.flatMap((targetQuality) =>
    STRATEGIES.flatMap((strategy) => {
      const of = (set: string): Comparison[] =>
        runs.flatMap((run) =>
          run.filter((one) => one.set === set && one.strategy === strategy && one.targetQuality === targetQuality),
        )
      const rows = sets.map((set) => {
        const quality = medianOf(of(set).map((one) => one.quality))
        return {
          set,
          strategy,
          targetQuality,
          quality,
          saved: medianOf(of(set).map((one) => one.saved)),
          worstQuality: quality,
        }
      })
      const mean = (field: 'quality' | 'saved'): number =>
        medianOf(
          runs.map((run) => {
            const ours = run.filter((one) => one.strategy === strategy && one.targetQuality === targetQuality)
            return ours.reduce((sum, one) => sum + one[field], 0) / ours.length
          }),
        )
      const worstQuality = Math.min(...rows.map(({ quality }) => quality))
      return [...rows, { set: MACRO, strategy, targetQuality, quality: mean('quality'), saved: mean('saved'), worstQuality }]
    }),
  )
}

/** The middle value; of an even count, the mean of the two. NaN for none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}
