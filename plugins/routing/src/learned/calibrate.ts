import type { ArmTable } from './arms.ts'
import type { HeldOut } from './out-of-fold.ts'

/**
 * How arms are chosen: the arm of the greatest `quality - lambda * cost`, lambda in quality a pico-USD; or one arm always; or the
 * reference always. `share` of the prompts, 0 to 1, are routed so; the rest go to the reference.
 */
export interface Policy {
  readonly kind: 'lambda' | 'arm' | 'reference'
  readonly lambda: number
  readonly arm: number
  readonly share: number
}

/** A policy with what the rows it was calibrated on say of it; qualities relative to the reference's. */
export interface Calibration {
  readonly targetQuality: number
  readonly margin: number
  readonly policy: Policy
  readonly quality: number
  /** Quality less the margin. */
  readonly lowerBound: number
  /** Share of the reference's cost, negative where dearer. */
  readonly saved: number
  readonly rows: number
}

/** One point of the curve of cost against quality. */
export interface CurvePoint {
  readonly lambda: number
  readonly quality: number
  readonly standardError: number
  readonly saved: number
}

/** A policy's choices on calibration rows, added up. */
interface Candidate extends CurvePoint {
  readonly arm: number
}

const STEPS_A_DECADE = 20
const LEAST_DECADE = -2.5
const DECADES = 4.5

/** The arm of the greatest `quality - lambda * cost`; ties go to the first. Estimates of one prompt, from `start`. */
export function bestArm(quality: Float64Array, cost: Float64Array, lambda: number, arms: number, start = 0): number {
  let best = 0
  let most = Number.NEGATIVE_INFINITY
  for (let arm = 0; arm < arms; arm += 1) {
    const worth = (quality[start + arm] as number) - lambda * (cost[start + arm] as number)
    if (worth > most) {
      most = worth
      best = arm
    }
  }
  return best
}

/** Everything that may be chosen, with its held-out quality and cost: every lambda and every arm. */
export interface Candidates {
  readonly all: readonly Candidate[]
  readonly rows: number
}

/** Tries every lambda and every arm on held-out rows. */
export function candidatesOf(table: ArmTable, rows: readonly number[], heldOut: HeldOut): Candidates {
  const arms = table.arms.length
  const sums = referenceSums(table, rows)
  const all: Candidate[] = []
  const scale = sums.cost / rows.length
  for (let step = 0; step <= DECADES * STEPS_A_DECADE; step += 1) {
    const lambda = 10 ** (LEAST_DECADE + step / STEPS_A_DECADE) / scale
    const choice = rows.map((_, at) => bestArm(heldOut.quality, heldOut.cost, lambda, arms, at * arms))
    all.push({ lambda, arm: -1, ...measured(table, rows, (at) => choice[at] as number, sums) })
  }
  for (let arm = 0; arm < arms; arm += 1) all.push({ lambda: 0, arm, ...measured(table, rows, () => arm, sums) })
  return { all, rows: rows.length }
}

/**
 * The cheapest candidate whose quality, less `margin` standard errors of its paired difference to the reference, meets the target.
 * One that does not is taken for the share of prompts for which it does. The reference where none saves.
 */
export function calibrate({ all, rows }: Candidates, targetQuality: number, margin: number, reference: number): Calibration {
  let policy: Policy = { kind: 'reference', lambda: 0, arm: reference, share: 1 }
  let best = { quality: 1, lowerBound: 1, saved: 0 }
  const allowed = targetQuality - 1
  for (const { lambda, arm, quality, standardError, saved } of all) {
    const loss = quality - 1 - margin * standardError
    const share = loss >= allowed ? 1 : allowed / loss
    if (!(share > 0) || share * saved <= best.saved) continue
    best = { quality: 1 + share * (quality - 1), lowerBound: 1 + share * loss, saved: share * saved }
    policy = { kind: arm === -1 ? 'lambda' : 'arm', lambda, arm: arm === -1 ? reference : arm, share }
  }
  if (policy.kind === 'arm' && policy.arm === reference) policy = { ...policy, kind: 'reference' }
  return { targetQuality, margin, policy, ...best, rows }
}

function referenceSums(table: ArmTable, rows: readonly number[]): { readonly quality: number; readonly cost: number } {
  let quality = 0
  let cost = 0
  for (const row of rows) {
    quality += table.quality[table.reference * table.rows + row] as number
    cost += table.cost[table.reference * table.rows + row] as number
  }
  return { quality, cost }
}

/**
 * Quality relative to the reference with the standard error of the paired difference. One imagined row that is lost outright keeps
 * the error of an arm that never differed on few rows from being nought.
 */
function measured(
  table: ArmTable,
  rows: readonly number[],
  choice: (at: number) => number,
  sums: { readonly quality: number; readonly cost: number },
): Omit<CurvePoint, 'lambda'> {
  let difference = 0
  let square = 1
  let cost = 0
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at] as number
    const cell = choice(at) * table.rows + row
    const gap = (table.quality[cell] as number) - (table.quality[table.reference * table.rows + row] as number)
    difference += gap
    square += gap * gap
    cost += table.cost[cell] as number
  }
  const count = rows.length
  const mean = difference / count
  const base = sums.quality / count
  const error = Math.sqrt(Math.max(0, square / count - mean * mean) / count)
  return base > 0
    ? { quality: 1 + mean / base, standardError: error / base, saved: 1 - cost / sums.cost }
    : { quality: 0, standardError: 1, saved: 0 }
}
