import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type OutcomeSet, outcomeLines, outcomeSetName, parseDatasetSpecs, parseOutcomes } from '@switchyard/routing/learned'

const PROJECT = join(import.meta.dirname, '../../../..')

/** Where the development data stands beside a checkout of the project. */
export const DEFAULT_DATA: string = join(PROJECT, '..', 'shared', 'data', 'cost')

/** Where such data is had by anyone, since none of it may be committed. */
export const WHERE_DATA_IS_HAD = `Give --data DIR: files of JSON lines {"id", "prompt", "split", "m": {model: [score, output tokens, answer]}}, plain or
gzipped, and a datasets.json with the reference, the arms and the prices of each. Public outcomes to make them from:
  github.com/lm-sys/RouteLLM (MMLU and GSM8K, two models), github.com/TIGER-AI-Lab/MMLU-Pro (eval_results),
  github.com/WildEval/ZeroEval (GSM8K, 19 models), github.com/ulab-uiuc/LLMRouter (a mixture of tasks),
  github.com/HuanzhiMao/BFCL-Result (function calls).`

/** Reads every file of outcomes in a folder that its datasets.json has an entry for. Throws a TypeError saying what is missing. */
export async function readData(folder: string): Promise<readonly OutcomeSet[]> {
  let files: readonly string[]
  try {
    files = (await readdir(folder)).toSorted()
  } catch (error) {
    throw new TypeError(`There is no folder ${folder}. ${WHERE_DATA_IS_HAD}`, { cause: error })
  }
  if (!files.includes('datasets.json')) throw new TypeError(`${folder} has no datasets.json. ${WHERE_DATA_IS_HAD}`)
  const specs = parseDatasetSpecs(JSON.parse(await readFile(join(folder, 'datasets.json'), 'utf8')))
  const sets: OutcomeSet[] = []
  for (const file of files) {
    const name = outcomeSetName(file)
    const spec = name === undefined ? undefined : specs.get(name)
    if (name === undefined || spec === undefined) continue
    sets.push(parseOutcomes(name, spec, outcomeLines(file, await readFile(join(folder, file)))))
  }
  if (sets.length === 0) throw new TypeError(`${folder} has no file that its datasets.json names. ${WHERE_DATA_IS_HAD}`)
  return sets
}
