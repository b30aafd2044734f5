import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { dataHashOf, type Fitted, fitRouter, type OutcomeSet, routerArtefact, termsOfSet } from '@switchyard/routing/learned'
import { table } from '../table.ts'
import { curveSvg } from './curve-svg.ts'
import { orFailOnData } from './failing.ts'
import { joinSets } from './join-sets.ts'
import { progressOn } from './progress.ts'
import { readSets, type SetOptions } from './read-sets.ts'

/** What `switchyard route fit` is asked. */
export interface FitCommandOptions extends SetOptions {
  readonly data: readonly string[]
  /** Share of the reference's quality, 0 to 1.5. */
  readonly targetQuality: number
  readonly out?: string
  readonly report?: string
  readonly margin?: number
  readonly seed: number
}

/** `switchyard route fit`: learns a router from files of outcomes and writes its artefact, and its curve as SVG. */
export async function routeFit(options: FitCommandOptions): Promise<void> {
  await orFailOnData(async () => {
    const progress = progressOn(process.stderr)
    progress.step(`Reading ${options.data.join(', ')}`)
    const set = joinSets(await readSets(options.data, options))
    progress.step(`Reading ${set.rows.length} prompts`)
    const terms = termsOfSet(set)
    const rows = set.rows.map((_, row) => row)
    const fitted = fitRouter(
      set,
      rows,
      {
        seed: options.seed,
        ...(options.margin !== undefined && { margin: options.margin }),
        onFold: (done, folds) => progress.step(`Holding out fold ${done} of ${folds}`),
      },
      terms,
    )
    progress.done()
    const stamp = { createdAt: new Date().toISOString(), dataHash: dataHashOf(set) }
    const artefact = routerArtefact(set, fitted, options.targetQuality, stamp)
    console.log(summary(set, fitted, options.targetQuality))
    if (options.out !== undefined) {
      await writeFile(resolve(options.out), `${JSON.stringify(artefact)}\n`)
      console.log(`Artefact: ${options.out}`)
    }
    if (options.report !== undefined) {
      await writeFile(resolve(options.report), curveSvg(artefact))
      console.log(`Report: ${options.report}`)
    }
  })
}

function summary(set: OutcomeSet, fitted: Fitted, targetQuality: number): string {
  const { policy, quality, lowerBound, saved, margin } = fitted.calibrated(targetQuality)
  const arm = fitted.table.arms[policy.arm]?.id ?? ''
  const how =
    policy.kind === 'reference'
      ? `the evidence is too thin for anything but ${set.spec.reference}`
      : `${percent(policy.share)} of prompts by ${policy.kind === 'arm' ? arm : `gain per dollar over ${fitted.table.arms.length} arms`}`
  const arms = fitted.candidates.all
    .filter((one) => one.arm !== -1)
    .map((one) => [fitted.table.arms[one.arm]?.id ?? '', percent(one.quality), percent(one.saved)])
  return [
    `${set.rows.length} prompts of ${set.name}, measured against ${set.spec.reference}; target ${percent(targetQuality)}`,
    table(['ARM', 'QUALITY', 'SAVED'], arms),
    `Chosen: ${how}`,
    `Held out: ${percent(saved)} saved at ${percent(quality)} of the quality, at least ${percent(lowerBound)} less ${margin} standard errors`,
  ].join('\n')
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`
}
