import { type HarnessEncoder, type Prepared, prepare, seeded, shuffled, workload } from '@switchyard/cache-semantic/evaluate'
import type { StreamSet } from './data.ts'

/** Traffic of one kind, built from a set that has pools and questions that stand alone. */
export interface Workload {
  readonly name: string
  /** Shares that are an intent's first text verbatim, and that nobody asks twice. */
  readonly canned: number
  readonly fresh: number
}

/** The kinds of traffic that are tried. */
export const WORKLOADS: readonly Workload[] = [
  { name: 'assistant, 20 % canned', canned: 0.2, fresh: 0.25 },
  { name: 'half canned', canned: 0.5, fresh: 0.05 },
  { name: 'exact-heavy, 90 % canned', canned: 0.9, fresh: 0.02 },
]

/** Nodes of the fleet, and texts that each keeps. */
export const FLEET = { nodes: 4, l1Entries: 500 } as const

const REQUESTS = 12_000
const ZIPF = 1

/** Streams of one kind, one a seed: other intents are frequent, other texts canned. */
export async function workloadStreams<V>(
  set: StreamSet,
  { canned, fresh }: Workload,
  seeds: readonly number[],
  encoder: HarnessEncoder<V>,
): Promise<readonly (readonly Prepared<V>[])[]> {
  const pools = poolsOf(set)
  return Promise.all(
    seeds.map(async (seed) => {
      const random = seeded(seed * 104_729 + 7)
      const dealt = shuffled([...pools], random).map(([label, texts]) => [label, shuffled(texts, random)] as const)
      const options = { requests: REQUESTS, zipf: ZIPF, canned, fresh, random }
      return prepare(workload(new Map(dealt), shuffled(set.alone, random), options), encoder)
    }),
  )
}

function poolsOf({ rows, alone }: StreamSet): ReadonlyMap<string, readonly string[]> {
  const single = new Set(alone)
  const pools = new Map<string, string[]>()
  for (const { text, label } of rows) {
    if (single.has(text)) continue
    const pool = pools.get(label)
    if (pool === undefined) pools.set(label, [text])
    else pool.push(text)
  }
  return pools
}
