import { setTimeout as delay } from 'node:timers/promises'
import { startFakeUpstream } from '@switchyard/testkit'
import { Pool } from 'undici'
import { median, percentile } from '../measure/statistics.ts'
import { table, writeJson } from '../measure/table.ts'
import { seeded } from '../simulate/seeded.ts'
import { askStream, type Got } from './client.ts'
import { SHARINGS, type Sharing, startFleet } from './nodes.ts'

export interface StampedeOptions {
  readonly clients: number
  readonly processes: number
  readonly rounds: number
  readonly seed: number
  /** Default: all. */
  readonly only?: readonly Sharing[]
  readonly json?: string
}

/** One way to share, with clients that come within so many milliseconds; figures are medians over the rounds, calls the most of one. */
export interface StampedeRow {
  readonly sharing: Sharing
  readonly withinMs: number
  readonly upstreamCalls: number
  readonly firstTokenP50Ms: number
  readonly firstTokenP99Ms: number
  /** Clients who got what others got while it came, and who got it from a store afterwards; over all rounds. */
  readonly coalesced: number
  readonly stored: number
  /**
   * Over all processes: bodies other than the leader's, byte for byte, of those who shared its stream. Else, and of those who came
   * later: other words, as each upstream call and each reply from a store has an id of its own.
   */
  readonly bodiesUnlike: number
  readonly failed: number
}

/** Wait for the first token, and between the others. */
const FIRST_MS = 150
const BETWEEN_MS = 10
const TOKENS: readonly string[] = Array.from({ length: 20 }, (_, at) => ` token${at}`)
const WITHIN_MS = [20, 400]

/**
 * `pnpm bench stampede`: clients that ask several processes for the same stream at once, with calls not shared, shared within a process, and
 * shared over all. Sets the exit code unless the fleet that shares asks upstream once, gives every client the same, and gives half of
 * them their first token no later than a fleet that does not share.
 */
export async function stampedeBench(options: StampedeOptions): Promise<readonly StampedeRow[]> {
  const { clients, processes, rounds, seed, only = SHARINGS, json } = options
  const rows: StampedeRow[] = []
  for (const sharing of only) {
    const upstream = await startFakeUpstream({ tokens: TOKENS, delayMs: FIRST_MS, tokenDelayMs: BETWEEN_MS })
    try {
      const fleet = await startFleet(sharing, processes, upstream.url)
      const pools = fleet.origins.map((origin) => new Pool(origin, { connections: Math.ceil(clients / processes) }))
      try {
        const ask = (question: string, at: number): Promise<Got> => askStream(pools[at % pools.length] as Pool, question)
        // Code is compiled and connections are opened by another question.
        for (let at = 0; at < 2; at += 1) await stampede(ask, `warm up ${at}`, { clients, withinMs: 0, seed })
        for (const withinMs of WITHIN_MS) {
          const played: Played[] = []
          for (let round = 0; round < rounds; round += 1) {
            upstream.clear()
            const question = `question ${round} of those within ${withinMs} ms`
            const got = await stampede(ask, question, { clients, withinMs, seed: seed + round })
            played.push({ got, calls: upstream.requests.length })
          }
          rows.push(rowOf(sharing, withinMs, played))
        }
      } finally {
        await Promise.all(pools.map((pool) => pool.close()))
        await fleet.stop()
      }
    } finally {
      await upstream.close()
    }
  }
  console.log(`${clients} equal streams over ${processes} processes; first token after ${FIRST_MS} ms, ${TOKENS.length} chunks`)
  console.log(printed(rows))
  if (json !== undefined) await writeJson(json, { rows })
  const complaints = complaintsOf(rows)
  for (const complaint of complaints) console.error(complaint)
  if (complaints.length > 0) process.exitCode = 1
  return rows
}

interface Played {
  readonly got: readonly Got[]
  readonly calls: number
}

interface Moment {
  readonly clients: number
  readonly withinMs: number
  readonly seed: number
}

function stampede(
  ask: (question: string, at: number) => Promise<Got>,
  question: string,
  { clients, withinMs, seed }: Moment,
): Promise<Got[]> {
  const random = seeded(seed)
  const waits = Array.from({ length: clients }, () => withinMs * random())
  return Promise.all(
    waits.map(async (ms, at) => {
      await delay(ms)
      return ask(question, at)
    }),
  )
}

const LATER: ReadonlySet<string> = new Set(['l1', 'l2'])

function rowOf(sharing: Sharing, withinMs: number, played: readonly Played[]): StampedeRow {
  const got = played.flatMap((one) => one.got)
  const times = (rank: number): number =>
    median(
      played.map((one) =>
        percentile(
          one.got.map(({ firstTokenMs }) => firstTokenMs),
          rank,
        ),
      ),
    )
  return {
    sharing,
    withinMs,
    upstreamCalls: Math.max(...played.map(({ calls }) => calls)),
    firstTokenP50Ms: times(50),
    firstTokenP99Ms: times(99),
    coalesced: got.filter(({ cache }) => cache === 'coalesced').length,
    stored: got.filter(({ cache }) => LATER.has(cache)).length,
    bodiesUnlike: played.reduce((total, one) => total + unlike(one.got, sharing === 'shared'), 0),
    failed: got.filter(({ status, firstTokenMs }) => status !== 200 || Number.isNaN(firstTokenMs)).length,
  }
}

function unlike(got: readonly Got[], byBytes: boolean): number {
  const first = got.find(({ cache }) => !LATER.has(cache)) ?? got[0]
  if (first === undefined) return 0
  return got.filter(({ cache, body }) =>
    byBytes && !LATER.has(cache) ? body !== first.body : wordsOf(body) !== wordsOf(first.body),
  ).length
}

function wordsOf(body: string): string {
  return [...body.matchAll(/"content":"([^"]*)"/g)].map(([, word]) => word).join('')
}

function printed(rows: readonly StampedeRow[]): string {
  return table(
    [
      'calls are shared',
      'clients within ms',
      'upstream calls',
      'first token p50 ms',
      'p99 ms',
      'coalesced',
      'stored',
      'unlike',
      'failed',
    ],
    rows.map((row) => [
      { none: 'not at all', local: 'in a process', shared: 'over the fleet' }[row.sharing],
      row.withinMs,
      row.upstreamCalls,
      row.firstTokenP50Ms,
      row.firstTokenP99Ms,
      row.coalesced,
      row.stored,
      row.bodiesUnlike,
      row.failed,
    ]),
  )
}

function complaintsOf(rows: readonly StampedeRow[]): readonly string[] {
  const complaints: string[] = []
  for (const row of rows) {
    const when = `within ${row.withinMs} ms`
    if (row.failed > 0) complaints.push(`${row.sharing}, ${when}: ${row.failed} clients got no answer`)
    if (row.sharing !== 'shared') continue
    if (row.upstreamCalls !== 1) complaints.push(`${when}: ${row.upstreamCalls} upstream calls in a round, not 1`)
    if (row.bodiesUnlike > 0) complaints.push(`${when}: ${row.bodiesUnlike} bodies unlike the leader’s`)
    const without = rows.find(({ sharing, withinMs }) => sharing === 'none' && withinMs === row.withinMs)
    if (without !== undefined && row.firstTokenP50Ms >= without.firstTokenP50Ms) {
      complaints.push(`${when}: half of the first tokens come later than without sharing`)
    }
  }
  return complaints
}
