import { table, writeJson } from '../measure/table.ts'
import { type Outcome, simulate } from './run.ts'
import { COMPARISONS } from './scenarios.ts'

export interface SimulateOptions {
  readonly seed: number
  readonly json?: string
}

/** One variant of one comparison. */
export interface SimulateRow extends Outcome {
  readonly comparison: string
  readonly variant: string
}

/** `pnpm bench simulate`: what the tuned guards do on a virtual clock; the same seed prints the same tables on any machine. */
export async function simulateBench({ seed, json }: SimulateOptions): Promise<readonly SimulateRow[]> {
  const rows: SimulateRow[] = []
  for (const { name, what, scenario, variants } of COMPARISONS) {
    const found: SimulateRow[] = []
    for (const { name: variant, options } of variants) {
      found.push({ comparison: name, variant, ...(await simulate({ ...scenario, options }, seed)) })
    }
    console.log(`${name}: ${what}\n${print(found)}\n`)
    rows.push(...found)
  }
  if (json !== undefined) await writeJson(json, { rows })
  return rows
}

function print(rows: readonly SimulateRow[]): string {
  return table(
    ['variant', 'served %', 'refused %', 'p50 ms', 'p95 ms', 'p99 ms', 'attempts/call'],
    rows.map(({ variant, calls, served, refused, attempts, p50Ms, p95Ms, p99Ms }) => [
      variant,
      (100 * served) / calls,
      (100 * refused) / calls,
      p50Ms,
      p95Ms,
      p99Ms,
      attempts / calls,
    ]),
  )
}
