import {
  type Comparison,
  compareStrategies,
  economyRows,
  medianOf,
  type OutcomeSet,
  randomHalf,
  statedHalf,
  termsOfSet,
} from '@switchyard/routing/learned'
import { writeJson } from '../measure/table.ts'
import { DEFAULT_DATA, readData } from './data.ts'
import { gateLines } from './gate.ts'
import { decisionLatency } from './latency.ts'
import { otherTraffic } from './other-traffic.ts'
import { printBaselines, printGate, printLatency, printLearned, printOther } from './print.ts'

/** What `bench cost` is asked. */
export interface CostBenchOptions {
  readonly data?: string
  readonly json?: string
  /** Random halves beside the stated one; 0: the stated one alone. */
  readonly halves: number
  readonly margin?: number
}

/** Qualities that are promised, relative to the reference. */
export const TARGETS: readonly number[] = [0.98, 0.99, 1]

const LATENCY_EXAMPLES = 3_000

/** `pnpm bench cost`: what the learned router saves at a promised quality, beside strategies that learn nothing. */
export async function costBench(options: CostBenchOptions): Promise<void> {
  const folder = options.data ?? DEFAULT_DATA
  let sets: readonly OutcomeSet[]
  try {
    sets = await readData(folder)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    console.error(error.message)
    process.exitCode = 1
    return
  }
  const started = process.cpuUsage()
  const stated: Comparison[] = []
  const runs: Comparison[][] = Array.from({ length: options.halves }, () => [])
  const fit = options.margin === undefined ? {} : { margin: options.margin }
  for (const set of sets) {
    progress(`${set.name}: the stated halves`)
    const terms = termsOfSet(set)
    stated.push(...compareStrategies(set, statedHalf(set), TARGETS, fit, terms))
    for (const [seed, run] of runs.entries()) {
      progress(`${set.name}: random halves ${seed + 1} of ${options.halves}`)
      run.push(...compareStrategies(set, randomHalf(set, seed + 1), TARGETS, fit, terms))
    }
  }
  progress('')
  const { user, system } = process.cpuUsage(started)
  const over = runs.length > 0 ? runs : [stated]
  printLearned(sets, stated, runs)
  const rows = economyRows(over)
  printBaselines(rows)
  const gate = gateLines(over)
  printGate(gate, economyRows([stated]))
  progress('other traffic than fitted for')
  const other = otherTraffic(sets)
  progress('')
  printOther(other)
  const latency = latencyOf(sets)
  printLatency(latency)
  console.log(`\n${((user + system) / 1e6).toFixed(0)} s of CPU time for ${(1 + runs.length) * sets.length} fits; ${folder}`)
  if (options.json !== undefined)
    await writeJson(options.json, {
      rows,
      ...{ stated: economyRows([stated]), gate, other, latency, spread: spreadOf(sets, over) },
    })
}

function latencyOf(sets: readonly OutcomeSet[]): ReturnType<typeof decisionLatency>[] {
  return sets.filter(({ rows }) => rows.length >= LATENCY_EXAMPLES + 200).map((set) => decisionLatency(set, LATENCY_EXAMPLES))
}

function spreadOf(sets: readonly OutcomeSet[], runs: readonly (readonly Comparison[])[]): readonly unknown[] {
  return TARGETS.flatMap((targetQuality) =>
    sets.map(({ name }) => {
      const ours = runs.flatMap((run) =>
        run.filter((one) => one.set === name && one.strategy === 'learned' && one.targetQuality === targetQuality),
      )
      const saved = ours.map((one) => one.saved)
      const quality = ours.map((one) => one.quality)
      return {
        set: name,
        targetQuality,
        saved: [Math.min(...saved), medianOf(saved), Math.max(...saved)],
        quality: [Math.min(...quality), medianOf(quality), Math.max(...quality)],
      }
    }),
  )
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}
