import { type Comparison, type EconomyRow, MACRO, medianOf, type OutcomeSet, STRATEGIES } from '@switchyard/routing/learned'
import { table } from '../measure/table.ts'
import type { GateLine } from './gate.ts'
import type { LatencyRow } from './latency.ts'
import type { OtherTrafficRow } from './other-traffic.ts'

const percent = (value: number): string => (100 * value).toFixed(1)
const range = ([low, high]: readonly [number, number]): string => `${percent(low)} to ${percent(high)}`

/** Prints the learned strategy: the stated halves with intervals, and the median and spread of the random ones. */
export function printLearned(
  sets: readonly OutcomeSet[],
  stated: readonly Comparison[],
  runs: readonly (readonly Comparison[])[],
): void {
  const rows = stated
    .filter(({ strategy }) => strategy === 'learned')
    .map((one) => {
      const others = runs.flatMap((run) =>
        run.filter((it) => it.set === one.set && it.strategy === 'learned' && it.targetQuality === one.targetQuality),
      )
      const saved = others.map((it) => it.saved)
      return [
        one.set,
        percent(one.targetQuality),
        `${percent(one.quality)} ± ${percent(one.standardError)}`,
        one.interval && range(one.interval.quality),
        percent(one.saved),
        one.interval && range(one.interval.saved),
        one.calibration && `${one.calibration.policy.kind} ${one.calibration.policy.share.toFixed(2)}`,
        percent(Math.max(0, one.targetQuality - one.quality)),
        others.length === 0 ? undefined : percent(medianOf(others.map((it) => it.quality))),
        others.length === 0 ? undefined : percent(medianOf(saved)),
        others.length === 0 ? undefined : range([Math.min(...saved), Math.max(...saved)]),
      ]
    })
  console.log(
    `\nLearned, ${sets.length} sets. Quality in % of the reference's; saved in % of its cost; fitted on the train half, test read once.`,
  )
  console.log(
    table(
      ['set', 'target', 'quality', '90 %', 'saved', '90 %', 'policy', 'missed by', 'halves: quality', 'saved', 'from to'],
      rows,
    ),
  )
}

/** Prints every strategy side by side, quality -> saved. */
export function printBaselines(rows: readonly EconomyRow[]): void {
  const targets = [...new Set(rows.map(({ targetQuality }) => targetQuality))]
  for (const target of targets) {
    const at = rows.filter(({ targetQuality }) => targetQuality === target)
    const sets = [...new Set(at.map(({ set }) => set))]
    const cell = (set: string, strategy: string): string => {
      const row = at.find((one) => one.set === set && one.strategy === strategy)
      if (row === undefined) return '-'
      const worst = set === MACRO ? ` (${percent(row.worstQuality)})` : ''
      return `${percent(row.quality)}${worst} -> ${percent(row.saved)}`
    }
    console.log(`\nTarget ${percent(target)} %: quality -> saved, medians; macro with the worst set's quality`)
    console.log(
      table(
        ['set', ...STRATEGIES],
        sets.map((set) => [set, ...STRATEGIES.map((strategy) => cell(set, strategy))]),
      ),
    )
  }
}

/** Prints the claims, over the halves and on the stated one alone. */
export function printGate(lines: readonly GateLine[], stated: readonly EconomyRow[]): void {
  console.log('\nClaims: macro saving, and whether every set is within one standard error of its target (medians over halves)')
  console.log(
    table(
      [
        'target',
        'saved',
        'every set',
        'worst set',
        'by errors',
        'below',
        'by an error',
        'mean miss',
        'worst miss',
        'stated: saved',
        'stated: worst',
      ],
      lines.map((line) => {
        const own = stated.find(
          (row) => row.set === MACRO && row.strategy === 'learned' && row.targetQuality === line.targetQuality,
        )
        return [
          percent(line.targetQuality),
          percent(line.saved),
          line.everySetWithin ? 'within' : 'NOT within',
          line.worstSet,
          line.worstErrors,
          `${percent(line.below)} %`,
          `${percent(line.belowByAnError)} %`,
          percent(line.meanMiss),
          percent(line.worstMiss),
          own && percent(own.saved),
          own && percent(own.worstQuality),
        ]
      }),
    ),
  )
}

/** Prints what a decision costs. */
export function printLatency(rows: readonly LatencyRow[]): void {
  if (rows.length === 0) return
  console.log('\nOne decision, on unseen prompts, by an artefact read back')
  console.log(
    table(
      ['set', 'learned rows', 'arms', 'decisions', 'p50 ms', 'p99 ms', 'artefact MB', 'load ms'],
      rows.map((row) => [
        row.set,
        row.examples,
        row.arms,
        row.decisions,
        row.p50Ms.toFixed(3),
        row.p99Ms.toFixed(3),
        row.artefactBytes / 1e6,
        row.loadMs,
      ]),
    ),
  )
}

/** Prints what a promise was worth on traffic that it was not made for. */
export function printOther(rows: readonly OtherTrafficRow[]): void {
  if (rows.length === 0) return
  console.log('\nOther traffic than fitted for; guarded: 5 % also get the reference, billed')
  console.log(
    table(
      ['learned from', 'routed', 'promised', 'rows', 'as it is', 'guarded', 'shut after'],
      rows.map((row) => [
        row.learned,
        row.routed,
        percent(row.targetQuality),
        row.rows,
        `${percent(row.quality)} -> ${percent(row.saved)}`,
        `${percent(row.guardedQuality)} -> ${percent(row.guardedSaved)}`,
        row.shutAfter,
      ]),
    ),
  )
}
