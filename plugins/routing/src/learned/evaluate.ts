import type { ArmTable } from './arms.ts'
import type { Policy } from './calibrate.ts'
import { chooseArm } from './choice.ts'
import type { Fitted } from './fit.ts'
import { estimator } from './posterior.ts'
import { placeOf, seeded } from './seeded.ts'

/** What a strategy made of test rows, in order: scores, and pico-USD of every call it made. */
export interface Served {
  readonly quality: Float64Array
  readonly cost: Float64Array
}

/** A strategy's result on a test half; quality and its error are relative to the reference, `saved` is a share of its cost. */
export interface Result {
  readonly quality: number
  readonly standardError: number
  readonly saved: number
}

/** A result with 90 % intervals from a bootstrap over test rows. */
export interface Interval {
  readonly quality: readonly [number, number]
  readonly saved: readonly [number, number]
}

/** Routes test rows by policies that share one pass of estimates. `terms` and `prompts` are those of the fitted set. */
export function routeRows(
  fitted: Fitted,
  prompts: readonly string[],
  rows: readonly number[],
  policies: readonly Policy[],
): readonly Served[] {
  const { table, terms, posterior, leastEvidence } = fitted
  const estimate = estimator(posterior)
  const served = policies.map(() => emptyServed(rows.length))
  rows.forEach((row, at) => {
    const one = estimate(terms[row] as ReadonlyMap<number, number>, table.inputTokens[row] as number)
    const place = placeOf(prompts[row] as string)
    policies.forEach((policy, which) => {
      const { arm } = chooseArm({ policy, reference: table.reference, leastEvidence }, one, place)
      record(served[which] as Served, at, table, arm, row)
    })
  })
  return served
}

/** One arm on all rows, or a mixture of it with the reference: its expectation at a share of 0 to 1. */
export function armRows(table: ArmTable, rows: readonly number[], arm: number, share = 1): Served {
  const served = emptyServed(rows.length)
  rows.forEach((row, at) => {
    const [own, base] = [arm * table.rows + row, table.reference * table.rows + row]
    served.quality[at] = share * (table.quality[own] as number) + (1 - share) * (table.quality[base] as number)
    served.cost[at] = share * (table.cost[own] as number) + (1 - share) * (table.cost[base] as number)
  })
  return served
}

/** The cheapest single model of each row that scores no less than the reference does: what no router can know. */
export function oracleRows(table: ArmTable, rows: readonly number[]): Served {
  const singles = table.arms.flatMap((arm, at) => (arm.check === undefined ? [at] : []))
  const served = emptyServed(rows.length)
  rows.forEach((row, at) => {
    let best = table.reference
    for (const arm of singles) {
      const good =
        (table.quality[arm * table.rows + row] as number) >= (table.quality[table.reference * table.rows + row] as number)
      if (good && (table.cost[arm * table.rows + row] as number) < (table.cost[best * table.rows + row] as number)) best = arm
    }
    record(served, at, table, best, row)
  })
  return served
}

/** Quality and saving of what was served, against the reference on the same rows. */
export function resultOf(served: Served, reference: Served): Result {
  const rows = reference.quality.length
  const base = total(reference.quality) / rows
  const relative = total(served.quality) / rows / base
  let square = 0
  for (let at = 0; at < rows; at += 1)
    square += ((served.quality[at] as number) - relative * (reference.quality[at] as number)) ** 2
  return {
    quality: relative,
    standardError: Math.sqrt(square) / rows / base,
    saved: 1 - total(served.cost) / total(reference.cost),
  }
}

/** 90 % intervals by 400 draws of rows. */
export function bootstrap(served: Served, reference: Served, seed = 1): Interval {
  const chance = seeded(seed)
  const rows = reference.quality.length
  const qualities: number[] = []
  const savings: number[] = []
  for (let draw = 0; draw < 400; draw += 1) {
    const sums = [0, 0, 0, 0] as [number, number, number, number]
    for (let at = 0; at < rows; at += 1) {
      const row = Math.floor(chance() * rows)
      sums[0] += served.quality[row] as number
      sums[1] += reference.quality[row] as number
      sums[2] += served.cost[row] as number
      sums[3] += reference.cost[row] as number
    }
    qualities.push(sums[0] / sums[1])
    savings.push(1 - sums[2] / sums[3])
  }
  return { quality: middleNinety(qualities), saved: middleNinety(savings) }
}

function middleNinety(values: number[]): readonly [number, number] {
  values.sort((a, b) => a - b)
  return [values[Math.floor(values.length * 0.05)] as number, values[Math.ceil(values.length * 0.95) - 1] as number]
}

function emptyServed(rows: number): Served {
  return { quality: new Float64Array(rows), cost: new Float64Array(rows) }
}

function record(served: Served, at: number, table: ArmTable, arm: number, row: number): void {
  served.quality[at] = table.quality[arm * table.rows + row] as number
  served.cost[at] = table.cost[arm * table.rows + row] as number
}

function total(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value
  return sum
}
