import { writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import {
  type EvaluationRow,
  evaluateSet,
  HASHED_ENCODER,
  hindsightRows,
  prepare,
  type Rates,
  seeded,
  shuffled,
} from '@switchyard/cache-semantic/evaluate'
import { orFailOnData } from '../route/failing.ts'
import { progressOn } from '../route/progress.ts'
import { table } from '../table.ts'
import { readRequests } from './read-requests.ts'

/** What `switchyard cache evaluate` is asked. */
export interface EvaluateOptions {
  readonly data: string
  readonly text: string
  readonly labels: string
  readonly order: 'given' | 'shuffled'
  readonly seed: number
  readonly epsilon?: readonly number[]
  readonly judgeNoise: number
  readonly judgeShare: number
  readonly language: string
  readonly json?: string
}

const DEFAULT_EPSILONS = [0.01]
const ORDERS = 3

/** `switchyard cache evaluate`: replays labelled requests through an empty cache of one node, with the embedded encoder. */
export async function cacheEvaluate(options: EvaluateOptions): Promise<void> {
  await orFailOnData(async () => {
    if (options.judgeShare === 0) throw new TypeError('--judge-share 0 learns nothing, so that nothing would ever be served.')
    const { step, done } = progressOn(process.stderr)
    const { epsilon: epsilons = DEFAULT_EPSILONS, order, seed, data, json } = options
    const requests = await prepare(await readRequests(data, options.text, options.labels), HASHED_ENCODER, options.language)
    const seeds = Array.from({ length: ORDERS }, (_, at) => seed + at)
    const set = {
      set: basename(data).replace(/\.(jsonl|ndjson|json)?(\.gz)?$/, ''),
      encoder: HASHED_ENCODER,
      streams: order === 'given' ? [requests] : seeds.map((one) => shuffled(requests, seeded(one))),
      seed,
      judgeNoise: options.judgeNoise,
      judgeShare: options.judgeShare,
      nodes: 1,
      l1Entries: Number.POSITIVE_INFINITY,
      progress: step,
      epsilon: 0,
    }
    const rows = [...epsilons.map((epsilon) => evaluateSet({ ...set, epsilon })), ...hindsightRows(set, epsilons)]
    done()
    console.log(report(rows))
    if (json !== undefined) await writeFile(resolve(json), `${JSON.stringify({ rows }, null, 2)}\n`)
  })
}

function report(rows: readonly EvaluationRow[]): string {
  const [first] = rows
  const head = [
    'POLICY',
    'EPSILON',
    'HITS',
    'ERR/ALL',
    'ERR/HITS',
    'CEILING',
    'EXACT',
    'FUZZY',
    'AUDITS',
    'JUDGED',
    'LAST QUARTER',
    'WORST ERR/ALL',
  ]
  const body = rows.map((row) => [
    row.threshold === undefined ? row.policy : `${row.policy} ${row.threshold.toFixed(2)}`,
    percent(row.epsilon),
    percent(row.hitRate),
    percent(row.errorOfAll),
    percent(row.errorOfHits),
    percent(row.ceiling),
    percent(row.levels.l1 + row.levels.l2),
    percent(row.levels.l3),
    percent(row.auditShare),
    percent(row.judgeShare),
    row.lastQuarter === undefined ? '-' : quarter(row.lastQuarter),
    `${percent(row.worstErrorOfAll)} ${row.held ? 'kept' : 'PASSED EPSILON'}`,
  ])
  const orders = `${first?.requests ?? 0} requests; the audited policy's figures are means over ${first?.orders ?? 0} orders`
  return `${orders}. In % of all requests; ERR/HITS in % of the hits.\n${table(head, body)}`
}

function quarter({ hitRate, errorOfAll }: Pick<Rates, 'hitRate' | 'errorOfAll'>): string {
  return `${percent(hitRate)} @ ${percent(errorOfAll)}`
}

function percent(share: number): string {
  return (100 * share).toFixed(2)
}
