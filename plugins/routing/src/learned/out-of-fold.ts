import type { ArmTable } from './arms.ts'
import { estimator, fitPosterior } from './posterior.ts'
import { placeOf } from './seeded.ts'

/** Estimates of rows by models that never saw them: row-major, `place in rows * arms + arm`. */
export interface HeldOut {
  readonly quality: Float64Array
  readonly cost: Float64Array
  readonly evidence: Float64Array
}

/** What says how rows are dealt to folds, and who hears of each fold that is done. */
export interface FoldOptions {
  readonly folds: number
  readonly seed: number
  readonly onFold?: (done: number, folds: number) => void
}

/** Cross-validated estimates of the given rows. Equal prompts share a fold, so that no row is estimated by its own twin. */
export function heldOutEstimates(
  table: ArmTable,
  prompts: readonly string[],
  terms: readonly ReadonlyMap<number, number>[],
  rows: readonly number[],
  { folds, seed, onFold }: FoldOptions,
): HeldOut {
  const arms = table.arms.length
  const quality = new Float64Array(rows.length * arms)
  const cost = new Float64Array(rows.length * arms)
  const evidence = new Float64Array(rows.length)
  const fold = rows.map((row) => Math.floor(placeOf(prompts[row] as string, seed) * folds))
  for (let held = 0; held < folds; held += 1) {
    const seen = rows.filter((_, at) => fold[at] !== held)
    if (seen.length > 0) {
      const estimate = estimator(fitPosterior(table, terms, seen))
      rows.forEach((row, at) => {
        if (fold[at] !== held) return
        const one = estimate(terms[row] as ReadonlyMap<number, number>, table.inputTokens[row] as number)
        quality.set(one.quality, at * arms)
        cost.set(one.cost, at * arms)
        evidence[at] = one.evidence
      })
    }
    onFold?.(held + 1, folds)
  }
  return { quality, cost, evidence }
}
