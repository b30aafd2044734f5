import { loadavg } from 'node:os'
import { type Cell, table, writeJson } from '../measure/table.ts'
import { type BudgetRun, runBudget } from './run.ts'
import { SCHEMES, type Scheme, scenariosOf } from './schemes.ts'

export interface BudgetBenchOptions {
  readonly processes: number
  /** Calls in flight of the small budget. */
  readonly concurrent: number
  readonly rounds: number
  readonly seed: number
  readonly only?: readonly Scheme[]
  readonly json?: string
}

/** What Switchyard must reach: percent of the limit that could be used. */
const USABLE_PERCENT = 96

/**
 * `pnpm bench budget`: processes that share a budget, with clients that leave, processes that are killed, settles that come twice and a
 * Redis that loses everything, beside schemes that are common elsewhere. Sets the exit code where a hold of the worst case fails.
 */
export async function budgetBench(options: BudgetBenchOptions): Promise<readonly BudgetRun[]> {
  const { processes, concurrent, rounds, seed, only, json } = options
  const runs: BudgetRun[] = []
  for (const scenario of scenariosOf(concurrent)) {
    const here: BudgetRun[] = []
    for (const { name: scheme } of SCHEMES) {
      if (only !== undefined && !only.includes(scheme)) continue
      for (let round = 0; round < rounds; round++) {
        const run = await runBudget({ scenario, scheme, processes, seed: seed + round })
        console.error(
          `load ${loadavg()[0]?.toFixed(1)}: ${scenario.name}, ${scheme}: ${run.seconds.toFixed(0)} s, ${run.calls} calls`,
        )
        here.push(run)
      }
    }
    console.log(`${scenario.name}, ${processes} processes\n${print(here)}\n`)
    runs.push(...here)
  }
  const missed = runs.filter(({ scheme }) => scheme === 'worst').flatMap(missedBy)
  console.log(missed.length === 0 ? 'targets met: no overshoot, no lock-out, the books right' : missed.join('\n'))
  if (missed.length > 0) process.exitCode = 1
  if (json !== undefined) await writeJson(json, { rows: runs.map(plain) })
  return runs
}

/** What a run with holds of the worst case has missed, a line each. */
export function missedBy(run: BudgetRun): readonly string[] {
  const { scenario, scheme, overshootPercent, phantoms, refusals, billedPercent, leftNano, wrongRows, failures } = run
  const lines: string[] = []
  const where = `missed, ${scenario}, ${scheme}:`
  if (overshootPercent > 0) lines.push(`${where} ${overshootPercent.toFixed(2)} % beyond the budget`)
  if (phantoms > 0) lines.push(`${where} ${phantoms} of ${refusals} refusals while a tenth of the budget was free`)
  if (billedPercent < USABLE_PERCENT) lines.push(`${where} ${billedPercent.toFixed(1)} % of the budget could be used`)
  if (leftNano !== 0n) lines.push(`${where} the counter is ${leftNano} nano-USD beyond the ledger after all leases`)
  if (wrongRows !== 0) lines.push(`${where} ${wrongRows} rows are not what was billed`)
  for (const why in failures) lines.push(`${where} ${failures[why]} calls failed: ${why}`)
  return lines
}

function print(runs: readonly BudgetRun[]): string {
  const head = [
    'scheme',
    'billed %',
    'overshoot %',
    'first refusal at %',
    'refusals',
    'of them phantom',
    'calls',
    'left',
    'crashed',
    'kills',
    'redis',
    'away',
    'failed',
    'charged %',
    'unsettled',
    'never sent',
    'billed beyond them %',
    'wrong rows',
    'holds left',
  ]
  return table(
    head,
    runs.map((run): readonly Cell[] => [
      SCHEMES.find(({ name }) => name === run.scheme)?.does,
      run.billedPercent,
      run.overshootPercent,
      run.firstRefusalPercent,
      String(run.refusals),
      String(run.phantoms),
      String(run.calls),
      String(run.cancelled),
      String(run.crashed),
      String(run.kills),
      String(run.redisRestarts),
      String(run.away),
      String(Object.values(run.failures).reduce((sum, count) => sum + count, 0)),
      run.chargedPercent,
      count(run.unsettled),
      count(run.neverSent),
      run.unsettledBeyondPercent,
      count(run.wrongRows),
      count(run.leftNano),
    ]),
  )
}

function count(value: number | bigint | undefined): string | undefined {
  return value === undefined ? undefined : String(value)
}

function plain(run: BudgetRun): object {
  return { ...run, leftNano: run.leftNano?.toString() }
}
