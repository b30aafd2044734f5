import { percentile } from '../measure/statistics.ts'
import { table, writeJson } from '../measure/table.ts'
import { type Clustered, clustered } from './clusters.ts'
import { everyOne, type Filled, ours, usearch } from './indexes.ts'

/** What `bench vectors` is asked. */
export interface VectorsBenchOptions {
  readonly sizes: readonly number[]
  readonly dimensions: number
  /** Searches that are timed. */
  readonly queries: number
  readonly seed: number
  readonly json?: string
}

/** One index over so many vectors. Recall is the share of the true nearest that were found, of as many as were asked for. */
export interface VectorsRow {
  readonly index: string
  readonly vectors: number
  readonly dimensions: number
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** For how long a search holds the event loop at a time. */
  readonly heldP99Ms: number
  readonly recallAt1: number
  readonly recallAt8: number
  readonly putMicros: number
  readonly bytes: number | undefined
  readonly targetMs: number | undefined
  readonly met: boolean | undefined
}

const COUNT = 8
/** Searches before those that are timed, and searches whose truth is computed. */
const WARM = 100
const JUDGED = 100
/** Milliseconds that ours may take at the median, by number of vectors; and it may miss none. */
const TARGETS: Readonly<Record<number, number>> = { 10000: 0.5, 100000: 4 }

/** `pnpm bench vectors`: exact search in memory beside an approximate index, on synthetic vectors. */
export async function vectorsBench(options: VectorsBenchOptions): Promise<readonly VectorsRow[]> {
  const rows: VectorsRow[] = []
  for (const size of options.sizes) rows.push(...(await ofSize(size, options)))
  console.log(
    `\nThe ${COUNT} nearest, one search at a time, interleaved over the indexes; vectors are synthetic, in seeded clusters.`,
  )
  console.log(
    table(
      [
        'index',
        'vectors',
        'numbers',
        'p50 ms',
        'p99 ms',
        'held p99 ms',
        'recall@1',
        'recall@8',
        'put µs',
        'MB',
        'target ms',
        'met',
      ],
      rows.map((row) => [
        row.index,
        String(row.vectors),
        String(row.dimensions),
        row.p50Ms.toFixed(3),
        row.p99Ms.toFixed(3),
        row.heldP99Ms.toFixed(3),
        row.recallAt1.toFixed(4),
        row.recallAt8.toFixed(4),
        row.putMicros,
        row.bytes && row.bytes / 1e6,
        row.targetMs,
        row.met === undefined ? undefined : row.met ? 'yes' : 'NO',
      ]),
    ),
  )
  if (options.json !== undefined) await writeJson(options.json, { rows })
  return rows
}

async function ofSize(size: number, { queries, dimensions, seed }: VectorsBenchOptions): Promise<readonly VectorsRow[]> {
  const data = clustered(size, WARM + queries, dimensions, seed)
  process.stderr.write(`${size} vectors: filling\n`)
  const peer = await usearch(data.stored)
  if (peer === undefined) process.stderr.write('usearch is not installed: add it to apps/bench to have it beside\n')
  const indexes = [ours(data.stored), ...(peer === undefined ? [] : [peer])]
  process.stderr.write(`${size} vectors: searching\n`)
  const times = new Map<Filled, number[]>(indexes.map((index) => [index, []]))
  for (let at = 0; at < data.queries.count; at += 1) {
    for (const [index, taken] of times) {
      const began = performance.now()
      await index.nearest(data.queries.at(at), COUNT)
      if (at >= WARM) taken.push(performance.now() - began)
    }
  }
  return await judged(data, times)
}

async function judged({ stored, queries }: Clustered, times: ReadonlyMap<Filled, number[]>): Promise<readonly VectorsRow[]> {
  const truth = everyOne(stored)
  const truthTimes: number[] = []
  const found = new Map<Filled, [number, number]>([...times.keys(), truth].map((index) => [index, [0, 0]]))
  const asked = Math.min(JUDGED, queries.count)
  for (let at = 0; at < asked; at += 1) {
    const query = queries.at(at)
    const began = performance.now()
    const wanted = await truth.nearest(query, COUNT)
    truthTimes.push(performance.now() - began)
    for (const [index, hits] of found) {
      const places = index === truth ? wanted : await index.nearest(query, COUNT)
      hits[0] += places[0] === wanted[0] ? 1 : 0
      hits[1] += places.filter((place) => wanted.includes(place)).length
    }
  }
  return [...times, [truth, truthTimes] as const].map(([index, taken]) => {
    const [first, all] = found.get(index) ?? [0, 0]
    const [recallAt1, recallAt8, p50Ms] = [first / asked, all / (asked * Math.min(COUNT, stored.count)), percentile(taken, 50)]
    const targetMs = index.name === 'switchyard' ? TARGETS[stored.count] : undefined
    return {
      index: index.name,
      vectors: stored.count,
      dimensions: stored.dimensions,
      count: COUNT,
      p50Ms,
      p99Ms: percentile(taken, 99),
      heldP99Ms: percentile(index.holds ?? taken, 99),
      recallAt1,
      recallAt8,
      putMicros: index.putMicros,
      bytes: index.bytes,
      targetMs,
      met: targetMs === undefined ? undefined : p50Ms <= targetMs && recallAt1 === 1 && recallAt8 === 1,
    }
  })
}
