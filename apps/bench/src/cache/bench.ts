import {
  type EvaluationRow,
  evaluateSet,
  HASHED_ENCODER,
  type HarnessEncoder,
  hindsightRows,
  prepare,
  seeded,
  shuffled,
} from '@switchyard/cache-semantic/evaluate'
import { writeJson } from '../measure/table.ts'
import { type CacheData, DEFAULT_DATA, readData, type StreamSet } from './data.ts'
import { combinedEncoder, sentenceEncoder } from './encoders.ts'
import { type PairRow, pairRows } from './pairs.ts'
import { printPairs, printRows } from './print.ts'
import { FLEET, WORKLOADS, workloadStreams } from './workloads.ts'

/** Encoders by their name on the command line. */
export const ENCODERS = ['hashed', 'use', 'use+hashed'] as const

/** What `bench cache` is asked. */
export interface CacheBenchOptions {
  readonly data?: string
  readonly json?: string
  readonly encoder: readonly (typeof ENCODERS)[number][]
  /** Orders of each set, and streams of each workload. */
  readonly orders: number
}

/** Bounds that every set is tried at. */
const EPSILONS: readonly number[] = [0.01, 0.03]
/** Cold start, every text new: one node that keeps all of them. */
const ONE_NODE = { nodes: 1, l1Entries: Number.POSITIVE_INFINITY } as const

/** `pnpm bench cache`: how often the semantic cache answers, and how often wrongly, beside what needs no learning. */
export async function cacheBench(options: CacheBenchOptions): Promise<void> {
  const folder = options.data ?? DEFAULT_DATA
  const data = await readData(folder)
  const started = process.cpuUsage()
  const rows: EvaluationRow[] = []
  const pairs: PairRow[] = []
  let sentences: HarnessEncoder<Float32Array> | undefined
  for (const name of options.encoder) {
    if (name !== 'hashed') sentences ??= await sentenceEncoder(progress)
    const found =
      sentences === undefined || name === 'hashed'
        ? await tried(data, HASHED_ENCODER, options)
        : await tried(data, name === 'use' ? sentences : combinedEncoder(sentences), options)
    rows.push(...found.rows)
    pairs.push(...found.pairs)
  }
  progress('')
  printRows(rows)
  printPairs(pairs)
  const { user, system } = process.cpuUsage(started)
  const cpuSeconds = (user + system) / 1e6
  console.log(`\n${cpuSeconds.toFixed(0)} s of CPU time; ${folder}`)
  if (options.json !== undefined) await writeJson(options.json, { rows: [...rows, ...pairs], ...{ cpuSeconds } })
}

async function tried<V>(
  { streams, pairs }: CacheData,
  encoder: HarnessEncoder<V>,
  { orders }: CacheBenchOptions,
): Promise<{ readonly rows: readonly EvaluationRow[]; readonly pairs: readonly PairRow[] }> {
  const rows: EvaluationRow[] = []
  for (const set of streams) rows.push(...(await ofSet(set, encoder, orders)))
  const paired: PairRow[] = []
  for (const set of pairs) paired.push(...(await pairRows(set, encoder, EPSILONS)))
  return { rows, pairs: paired }
}

async function ofSet<V>(set: StreamSet, encoder: HarnessEncoder<V>, orders: number): Promise<readonly EvaluationRow[]> {
  const seeds = Array.from({ length: orders }, (_, at) => at + 1)
  const prepared = await prepare(set.rows, encoder)
  const base = { seed: 1, encoder, progress }
  const cold = {
    ...base,
    ...ONE_NODE,
    set: set.name,
    epsilon: 0,
    streams: seeds.map((seed) => shuffled(prepared, seeded(seed))),
  }
  const rows = [...EPSILONS.map((epsilon) => evaluateSet({ ...cold, epsilon })), ...hindsightRows(cold, EPSILONS)]
  if (set.alone.length === 0) return rows
  for (const kind of WORKLOADS) {
    const streams = await workloadStreams(set, kind, seeds, encoder)
    for (const epsilon of EPSILONS)
      rows.push(evaluateSet({ ...base, ...FLEET, set: `${set.name}: ${kind.name}`, epsilon, streams }))
  }
  return rows
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
  else if (text !== '' && !text.startsWith('encoding')) process.stderr.write(`${text}\n`)
}
