import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import {
  type DatasetSpec,
  type OutcomeSet,
  outcomeLines,
  outcomeSetName,
  parseDatasetSpec,
  parseDatasetSpecs,
  parseOutcomes,
} from '@switchyard/routing/learned'

/** What may be said of outcomes on the command line. */
export interface SetOptions {
  /** A datasets.json; where absent, the one beside each file. */
  readonly datasets?: string
  /** The model that quality and savings are measured against, in place of the entry's. */
  readonly reference?: string
  /** A JSON file {model: [input, output]} in pico-USD a token, for files without an entry. */
  readonly prices?: string
}

/** Reads files of outcomes, or all of a folder's that have an entry. Throws a TypeError that says what is missing and the mend. */
export async function readSets(paths: readonly string[], options: SetOptions): Promise<readonly OutcomeSet[]> {
  const sets: OutcomeSet[] = []
  for (const path of paths) {
    if (!(await isFolder(path))) {
      sets.push(await readSet(path, options))
      continue
    }
    const specs = await specsOf(options.datasets ?? join(path, 'datasets.json'))
    const files = (await readdir(resolve(path))).toSorted().filter((file) => specs?.has(outcomeSetName(file) ?? ''))
    if (files.length === 0)
      throw new TypeError(`${path} holds no file that ${options.datasets ?? 'its datasets.json'} has an entry for.`)
    for (const file of files) sets.push(await readSet(join(path, file), options))
  }
  return sets
}

/** Reads one file of outcomes with its entry. */
export async function readSet(path: string, options: SetOptions): Promise<OutcomeSet> {
  const name = outcomeSetName(path)
  if (name === undefined) throw new TypeError(`${path} is no file of outcomes: they end in .jsonl or .jsonl.gz.`)
  const spec = await specOf(path, name, options)
  return parseOutcomes(name, spec, outcomeLines(path, await bytesOf(path)))
}

async function specOf(path: string, name: string, { datasets, reference, prices }: SetOptions): Promise<DatasetSpec> {
  const own = (await specsOf(datasets ?? join(dirname(path), 'datasets.json')))?.get(name)
  if (own === undefined && prices === undefined)
    throw new TypeError(
      `Nothing states the prices of the models in ${path}. Put a datasets.json with an entry "${name}" beside it, or give one by --datasets, or prices by --prices FILE: {"model": [input, output]} in pico-USD a token.`,
    )
  const stated = prices === undefined ? own?.prices : (JSON.parse((await bytesOf(prices)).toString('utf8')) as unknown)
  return parseDatasetSpec(name, { ...own, prices: stated, ...(reference !== undefined && { reference }) })
}

async function specsOf(file: string): Promise<ReadonlyMap<string, DatasetSpec> | undefined> {
  let text: string
  try {
    text = await readFile(resolve(file), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return parseDatasetSpecs(JSON.parse(text))
  } catch (error) {
    throw new TypeError(`${file}: ${(error as Error).message}`, { cause: error })
  }
}

async function bytesOf(path: string): Promise<Buffer> {
  try {
    return await readFile(resolve(path))
  } catch (error) {
    throw new TypeError(`${path} cannot be read: ${(error as Error).message}.`, { cause: error })
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(resolve(path))).isDirectory()
  } catch (error) {
    throw new TypeError(`There is no ${path}. Give a file of outcomes or a folder of them.`, { cause: error })
  }
}
