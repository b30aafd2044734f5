import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import type { Labelled, Pair } from '@switchyard/cache-semantic/evaluate'

const PROJECT = join(import.meta.dirname, '../../../..')

/** Where the development data stands beside a checkout of the project. */
export const DEFAULT_DATA: string = join(PROJECT, '..', 'shared', 'data', 'semantic-cache')

/** Where such data is had by anyone, since none of it is committed. */
export const WHERE_DATA_IS_HAD = `Give --data DIR. Read below it are: a JSON object of lists of [text, intent], such as data/data_full.json of
github.com/clinc/oos-eval (CC BY 3.0); a JSON list of {"origin", "similar"}, such as examples/benchmark/mock_data.json of
github.com/zilliztech/GPTCache (MIT); and any JSON lines {"text", "label"}, where equal labels may share an answer.`

/** A set of requests; pools are its texts by label, and `alone` those that share with none, where the file says which. */
export interface StreamSet {
  readonly name: string
  readonly rows: readonly Labelled[]
  readonly alone: readonly string[]
}

/** A set of pairs: one is stored, the other asks. */
export interface PairSet {
  readonly name: string
  readonly pairs: readonly Pair[]
}

/** All that was found in a folder. */
export interface CacheData {
  readonly streams: readonly StreamSet[]
  readonly pairs: readonly PairSet[]
}

/** Reads every file below a folder whose shape is known. Throws a TypeError where there is none, saying where data is had. */
export async function readData(folder: string): Promise<CacheData> {
  let files: readonly string[]
  try {
    files = (await readdir(folder, { recursive: true })).toSorted()
  } catch (error) {
    throw new TypeError(`There is no folder ${folder}. ${WHERE_DATA_IS_HAD}`, { cause: error })
  }
  const streams: StreamSet[] = []
  const pairs: PairSet[] = []
  for (const file of files) {
    if (!/\.(json|jsonl|ndjson)$/.test(file)) continue
    const path = join(folder, file)
    const name = `${basename(dirname(path))}/${basename(file, extname(file))}`
    const value = parsed(await readFile(path, 'utf8'))
    if (isListOf(value, isPair)) pairs.push({ name, pairs: value })
    else if (isListOf(value, isLabelled)) streams.push({ name, rows: distinct(value), alone: [] })
    else if (isIntentLists(value)) streams.push({ name, ...fromIntentLists(value) })
  }
  if (streams.length + pairs.length === 0) throw new TypeError(`${folder} holds nothing of a known shape. ${WHERE_DATA_IS_HAD}`)
  return { streams, pairs }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // One value a line, or nothing that is ours.
  }
  try {
    return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as unknown]))
  } catch {
    return undefined
  }
}

type IntentLists = Readonly<Record<string, readonly (readonly [string, string])[]>>

function isIntentLists(value: unknown): value is IntentLists {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const lists = Object.values(value)
  return lists.length > 0 && lists.every((list) => isListOf(list, isTextAndIntent))
}

function isListOf<T>(value: unknown, is: (one: unknown) => one is T): value is readonly T[] {
  return Array.isArray(value) && value.length > 0 && value.every(is)
}

function isTextAndIntent(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'string'
}

function isPair(value: unknown): value is Pair {
  const { origin, similar } = (value ?? {}) as Partial<Pair>
  return typeof origin === 'string' && typeof similar === 'string'
}

function isLabelled(value: unknown): value is Labelled {
  const { text, label } = (value ?? {}) as Partial<Labelled>
  return typeof text === 'string' && (typeof label === 'string' || typeof label === 'number')
}

/** A label that lists are named for (`x` in `x_train`) says that its texts are of no intent: each is an answer of its own. */
function fromIntentLists(lists: IntentLists): Omit<StreamSet, 'name'> {
  const names = Object.keys(lists)
  const alone: string[] = []
  const rows = distinct(Object.values(lists).flatMap((list) => list.map(([text, label]) => ({ text, label })))).map(
    ({ text, label }) => {
      if (!names.some((name) => name.startsWith(`${label}_`))) return { text, label }
      alone.push(text)
      return { text, label: `${label} ${alone.length}` }
    },
  )
  return { rows, alone }
}

function distinct(rows: readonly Labelled[]): readonly Labelled[] {
  const seen = new Set<string>()
  return rows.flatMap(({ text, label }) => {
    if (seen.has(text)) return []
    seen.add(text)
    return [{ text, label: String(label) }]
  })
}
