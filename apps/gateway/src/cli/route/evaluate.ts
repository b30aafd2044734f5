import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  type Comparison,
  compareStrategies,
  type EconomyRow,
  economyRows,
  type OutcomeSet,
  type Split,
  STRATEGIES,
  statedHalf,
  withTokens,
} from '@switchyard/routing/learned'
import { table } from '../table.ts'
import { orFailOnData } from './failing.ts'
import { joinSets } from './join-sets.ts'
import { progressOn } from './progress.ts'
import { readSet, readSets, type SetOptions } from './read-sets.ts'

/** What `switchyard route evaluate` is asked. */
export interface EvaluateOptions extends SetOptions {
  readonly train: readonly string[]
  readonly test: readonly string[]
  readonly targetQuality: readonly number[]
  readonly json?: string
  readonly margin?: number
}

/**
 * `switchyard route evaluate`: learns from one file and routes another; from the train half of a file to its test half where both
 * are the same. Prints what `pnpm bench cost` does.
 */
export async function routeEvaluate(options: EvaluateOptions): Promise<void> {
  await orFailOnData(async () => {
    const progress = progressOn(process.stderr)
    const compared: Comparison[] = []
    const fit = options.margin === undefined ? {} : { margin: options.margin }
    for (const { set, split } of await pairsOf(options)) {
      progress.step(`${set.name}: ${split.train.length} rows to learn from, ${split.test.length} to route`)
      compared.push(...compareStrategies(set, split, options.targetQuality, fit))
    }
    progress.done()
    const rows = economyRows([compared])
    console.log(report(rows, compared))
    if (options.json !== undefined) await writeFile(resolve(options.json), `${JSON.stringify({ rows }, null, 2)}\n`)
  })
}

interface Pair {
  readonly set: OutcomeSet
  readonly split: Split
}

async function pairsOf({ train, test, ...options }: EvaluateOptions): Promise<readonly Pair[]> {
  const same = train.length === test.length && train.every((path, at) => resolve(path) === resolve(test[at] ?? ''))
  if (same) return (await readSets(train, options)).map((set) => ({ set, split: statedHalf(set) }))
  const learned = withTokens(joinSets(await readSets(train, options)))
  const { length } = learned.rows
  const pairs: Pair[] = []
  for (const path of test) {
    const other = withTokens(await readSet(path, { ...options, reference: learned.spec.reference }))
    const set = { ...learned, name: other.name, rows: [...learned.rows, ...other.rows] }
    const place = (offset: number) => (_: unknown, row: number) => row + offset
    pairs.push({ set, split: { train: learned.rows.map(place(0)), test: other.rows.map(place(length)) } })
  }
  return pairs
}

function report(rows: readonly EconomyRow[], compared: readonly Comparison[]): string {
  const sets = [...new Set(rows.map(({ set }) => set))]
  const targets = [...new Set(rows.map(({ targetQuality }) => targetQuality))]
  return targets
    .map((target) => {
      const body = sets.map((set) => [set, ...STRATEGIES.map((strategy) => cell(rows, compared, { set, strategy, target }))])
      return `Target ${percent(target)}: quality -> saved, each in % of the reference's\n${table(['SET', ...STRATEGIES], body)}`
    })
    .join('\n\n')
}

function cell(
  rows: readonly EconomyRow[],
  compared: readonly Comparison[],
  { set, strategy, target }: { readonly set: string; readonly strategy: string; readonly target: number },
): string {
  const is = (one: { set: string; strategy: string; targetQuality: number }): boolean =>
    one.set === set && one.strategy === strategy && one.targetQuality === target
  const row = rows.find(is)
  const error = strategy === 'learned' ? compared.find(is)?.standardError : undefined
  if (row === undefined) return '-'
  return `${percent(row.quality)}${error === undefined ? '' : ` ± ${percent(error)}`} -> ${percent(row.saved)}`
}

function percent(value: number): string {
  return (100 * value).toFixed(1)
}
