import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readBooks } from '../budget/books.ts'
import { type LoadNode, startLoadNode } from '../budget/load-node.ts'
import type { NodeMessage, NodeSettings } from '../budget/schemes.ts'
import { startTallyingUpstream } from '../budget/upstream.ts'
import { type Cell, table, writeJson } from '../measure/table.ts'
import { seeded } from '../simulate/seeded.ts'
import { type Reconciled, reconcile } from './reconcile.ts'

export interface KillOptions {
  readonly times: number
  readonly concurrent: number
  readonly seed: number
  readonly json?: string
}

/** One kill: what the killed process had sent, after the next start has booked what it left. */
export interface KillRound extends Reconciled {
  readonly round: number
  /** Milliseconds of load before the kill, from its first call. */
  readonly afterMs: number
}

const LEAST_MS = 50
const SPREAD_MS = 1_200
/** Far beyond what a run can spend: what is tried here are the books, not the limit. */
const LIMIT_USD = 1_000_000

/**
 * `pnpm bench kill`: a process with kernel, budget, journal and SQLite is killed under load, at random moments, and started again, and its
 * ledger is laid beside what the upstream billed. Sets the exit code where they differ by more than the attempts whose end nobody saw.
 */
export async function killBench({ times, concurrent, seed, json }: KillOptions): Promise<readonly KillRound[]> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-bench-'))
  const upstream = await startTallyingUpstream()
  const random = seeded(seed)
  const rounds: KillRound[] = []
  const complaints: string[] = []
  let sums: Readonly<Record<string, string>> | undefined
  let node: LoadNode | undefined
  const hear = (message: NodeMessage): void => {
    if (message.kind === 'audit') sums = message.sums
    else if (message.kind === 'failed') complaints.push(`a call failed: ${message.why}`)
    else if (message.kind !== 'ready') complaints.push(`a call was ${message.kind}`)
  }
  const start = (round: number): Promise<LoadNode> => {
    const settings: NodeSettings = {
      scheme: 'worst',
      index: 0,
      start: round,
      limitUsd: LIMIT_USD,
      concurrent,
      upstreamUrl: upstream.url,
      redisUrl: undefined,
      folder,
      seed: seed * 1_000 + round,
    }
    return startLoadNode(settings, hear)
  }
  /** Lets it send calls, for so long after the first. */
  const load = async (sender: LoadNode, ms: number): Promise<void> => {
    const before = upstream.bills.length
    sender.order('go')
    while (upstream.bills.length === before) await delay(5)
    await delay(ms)
  }
  try {
    console.log(HEAD)
    node = await start(0)
    for (let round = 0; round < times; round++) {
      const afterMs = Math.round(LEAST_MS + SPREAD_MS * random())
      await load(node, afterMs)
      await node.kill()
      // What the upstream bills ends when it sees that the client is gone.
      while (upstream.running > 0) await delay(5)
      node = await start(round + 1)
      const found = reconcile(readBooks(join(folder, 'ledger.db')), upstream.bills, `0-${round}-`)
      rounds.push({ round: round + 1, afterMs, ...found })
      console.log(print([rounds.at(-1) as KillRound]).split('\n')[1])
      for (const line of found.differences) console.log(`  ${line}`)
    }
    await load(node, LEAST_MS)
    node.order('audit')
    while (sums === undefined) await delay(20)
    node.order('end')
    await node.exited
    const all = reconcile(readBooks(join(folder, 'ledger.db')), upstream.bills, '0-')
    complaints.push(...all.differences, ...counterDifference(sums, all))
    console.log(`\n${summary(all, rounds.length)}`)
    for (const line of new Set(complaints)) console.log(`differs: ${line}`)
    if (complaints.length > 0) process.exitCode = 1
    if (json !== undefined) await writeJson(json, { rows: rounds.map(plain) })
    return rounds
  } finally {
    await node?.kill()
    await upstream.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function counterDifference(sums: Readonly<Record<string, string>>, { chargedNano }: Reconciled): readonly string[] {
  const team = Object.entries(sums).find(([key]) => key.includes(':b:team@'))?.[1]
  if (team === undefined) return ['the counter of the budget cannot be read']
  return BigInt(team) === chargedNano ? [] : [`the counter stands at ${team} and the ledger at ${chargedNano} nano-USD`]
}

const COLUMNS = [
  'kill',
  'after ms',
  'billed calls',
  'billed USD',
  'charged USD',
  'unsettled',
  'never sent',
  'differences',
] as const
const HEAD = COLUMNS.join('  ')

function print(rounds: readonly KillRound[]): string {
  return table(
    COLUMNS,
    rounds.map((round): readonly Cell[] => [
      String(round.round).padStart(4),
      String(round.afterMs).padStart(8),
      String(round.billed).padStart(12),
      usd(round.billedNano).padStart(10),
      usd(round.chargedNano).padStart(11),
      String(round.unsettled).padStart(9),
      String(round.neverSent).padStart(10),
      String(round.differences.length).padStart(11),
    ]),
  )
}

/** What all rounds come to, in words. */
export function summary(all: Reconciled, kills: number): string {
  const settledBilled = all.billedNano - all.unsettledBilledNano
  const settledCharged = all.chargedNano - all.unsettledChargedNano
  return [
    `${kills} kills, ${all.billed} calls billed ${usd(all.billedNano)} USD, charged ${usd(all.chargedNano)} USD`,
    `settled: billed ${usd(settledBilled)}, charged ${usd(settledCharged)}: ${settledBilled === settledCharged ? 'equal' : 'NOT EQUAL'}`,
    `unsettled: ${all.unsettled} (${all.neverSent} never sent), billed ${usd(all.unsettledBilledNano)}, charged as expected ${usd(all.unsettledChargedNano)}`,
  ].join('\n')
}

function usd(nano: bigint): string {
  return (Number(nano) / 1e9).toFixed(6)
}

function plain(round: KillRound): object {
  return Object.fromEntries(
    Object.entries(round).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value]),
  )
}
