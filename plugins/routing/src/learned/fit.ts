import { ARM_DEFAULTS, type Arm, type ArmOptions, type ArmTable, armTable } from './arms.ts'
import { type Calibration, type Candidates, calibrate, candidatesOf } from './calibrate.ts'
import { heldOutEstimates } from './out-of-fold.ts'
import type { OutcomeSet } from './outcomes.ts'
import { fitPosterior, type Posterior } from './posterior.ts'
import { placeOf } from './seeded.ts'
import { termsOf } from './terms.ts'
import type { EvidenceNorm } from './traffic-guard.ts'

/** How a router is fitted. */
export interface FitOptions {
  /** Standard errors that a policy must stand above its target, from 0. */
  readonly margin: number
  readonly folds: number
  readonly seed: number
  /** At most this many rows are learned from, dealt by the seed: time to fit grows with their square, time to decide with them. */
  readonly maxRows: number
  readonly arms: ArmOptions
  /** Hears of each fold of the cross-validation. */
  readonly onFold?: (done: number, folds: number) => void
}

/** One standard error, five folds. What the margin buys is measured in the handbook's page on savings. */
export const FIT_DEFAULTS: FitOptions = { margin: 1, folds: 5, seed: 1, maxRows: 8_000, arms: ARM_DEFAULTS }

/** Fewest rows that anything is learned from. */
export const MIN_FIT_ROWS = 50

/** A fitted router: the posterior of all its rows, and what cross-validation said of every policy. */
export interface Fitted {
  readonly table: ArmTable
  readonly terms: readonly ReadonlyMap<number, number>[]
  readonly posterior: Posterior
  readonly candidates: Candidates
  /** Evidence below which a prompt is like next to none of the rows: half of what 99.5 % of held-out rows have. */
  readonly leastEvidence: number
  /** Mean and deviation of held-out evidence, by which other traffic is told. */
  readonly norm: EvidenceNorm
  /** The policy for a target, 0 to 1 of the reference's quality. */
  calibrated(targetQuality: number, margin?: number): Calibration
}

/** A set's prompts as terms, which several fits of the same set may share. */
export function termsOfSet({ rows }: OutcomeSet): readonly ReadonlyMap<number, number>[] {
  return rows.map(({ prompt }) => termsOf(prompt))
}

/** Fits on the given rows of a set; no other row is looked at. Deterministic by `seed`. Below 50 rows every target gets the reference. */
export function fitRouter(
  set: OutcomeSet,
  given: readonly number[],
  options: Partial<FitOptions> = {},
  terms: readonly ReadonlyMap<number, number>[] = termsOfSet(set),
): Fitted {
  const { margin, folds, seed, maxRows, arms, onFold } = { ...FIT_DEFAULTS, ...options }
  const rows =
    given.length <= maxRows ? given : given.filter((row) => placeOf(set.rows[row]?.id ?? '', seed) < maxRows / given.length)
  const chosen = new Set(rows)
  const table = armTable(set, arms, (row) => chosen.has(row))
  const prompts = set.rows.map(({ prompt }) => prompt)
  const heldOut = heldOutEstimates(table, prompts, terms, rows, { folds, seed, ...(onFold && { onFold }) })
  const candidates = rows.length < MIN_FIT_ROWS ? { all: [], rows: rows.length } : candidatesOf(table, rows, heldOut)
  const evidence = heldOut.evidence.toSorted()
  return {
    table,
    terms,
    posterior: fitPosterior(table, terms, rows),
    candidates,
    leastEvidence: (evidence[Math.floor(evidence.length / 200)] ?? 0) / 2,
    norm: normOf(heldOut.evidence),
    calibrated: (target, own = margin) => calibrate(candidates, target, own, table.reference),
  }
}

function normOf(evidence: Float64Array): EvidenceNorm {
  const count = Math.max(1, evidence.length)
  const mean = evidence.reduce((sum, one) => sum + one, 0) / count
  const square = evidence.reduce((sum, one) => sum + (one - mean) ** 2, 0) / count
  return { mean, deviation: Math.sqrt(square) }
}

/** The models that an arm may call, the fallback last. */
export function modelsOf({ models, fallback }: Arm): readonly string[] {
  return fallback === undefined ? models : [...models, fallback]
}
