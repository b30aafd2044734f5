import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Compared, compare, NOT_COMPARED, readBooks } from './books.ts'
import { judge, type Verdict } from './judge.ts'
import { type LoadNode, startLoadNode } from './load-node.ts'
import { type OwnRedis, startRedis } from './redis.ts'
import { LEASE, type NodeMessage, type NodeSettings, SCHEMES, type Scenario, type Scheme } from './schemes.ts'
import { startTallyingUpstream, type TallyingUpstream } from './upstream.ts'

/** One run of one scheme. */
export interface BudgetRun extends Verdict, Compared {
  readonly scenario: string
  readonly scheme: Scheme
  readonly processes: number
  /** Calls cut by the kill of their process, and by their client. */
  readonly crashed: number
  readonly cancelled: number
  readonly kills: number
  readonly redisRestarts: number
  /** Calls turned away because the counters could not be asked. */
  readonly away: number
  readonly failures: Readonly<Record<string, number>>
  readonly seconds: number
}

export interface RunOptions {
  readonly scenario: Scenario
  readonly scheme: Scheme
  readonly processes: number
  readonly seed: number
}

const REDIS_AWAY_MS = 400
/** A run is over when no call was admitted for so long: every lease has run out and was swept by then. */
const QUIET_MS = LEASE.leaseMs + LEASE.graceMs + 2_000
const LONGEST_MS = 90_000
const LOOK_MS = 20

/** Runs it from an empty Redis to a budget that admits nothing more. */
export async function runBudget({ scenario, scheme, processes, seed }: RunOptions): Promise<BudgetRun> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-bench-'))
  let redis: OwnRedis | undefined
  let upstream: TallyingUpstream | undefined
  const nodes: (LoadNode | undefined)[] = []
  try {
    await mkdir(join(folder, 'redis'))
    redis = await startRedis(join(folder, 'redis'))
    let lastStart = performance.now()
    upstream = await startTallyingUpstream(() => {
      lastStart = performance.now()
    })
    const started = performance.now()
    const told = listener()
    const settings = (index: number, start: number): NodeSettings => ({
      scheme,
      index,
      start,
      limitUsd: scenario.limitUsd,
      concurrent: Math.ceil(scenario.concurrent / processes),
      upstreamUrl: (upstream as TallyingUpstream).url,
      redisUrl: (redis as OwnRedis).url,
      folder,
      seed: seed * 1_000 + index * 10 + start,
    })
    const begin = async (index: number, start: number): Promise<LoadNode> => {
      const node = await startLoadNode(settings(index, start), told.hear)
      nodes[index] = node
      return node
    }
    await Promise.all(Array.from({ length: processes }, (_, index) => begin(index, 0)))
    for (const node of nodes) node?.order('go')
    lastStart = performance.now()

    const ours = SCHEMES.find(({ name }) => name === scheme)?.ours === true
    const limitPico = BigInt(scenario.limitUsd) * 1_000_000_000_000n
    const events = eventsOf(scenario, ours)
    const under: Promise<void>[] = []
    const starts = new Map<number, number>()
    let crashed = 0
    let kills = 0
    const { bills } = upstream
    const cut = (index: number, start: number): number =>
      bills.filter(({ id, how }) => how === 'running' && id.startsWith(`${index}-${start}-`)).length
    const killed = async (index: number): Promise<void> => {
      const node = nodes[index]
      if (node === undefined) return
      nodes[index] = undefined
      const start = starts.get(index) ?? 0
      starts.set(index, start + 1)
      kills += 1
      crashed += cut(index, start)
      await node.kill()
      const again = await begin(index, start + 1)
      again.order('go')
    }
    while ((bills.length === 0 || performance.now() - lastStart < QUIET_MS) && performance.now() - started < LONGEST_MS) {
      const spent = Number(upstream.billedPico) / Number(limitPico)
      while (events[0] !== undefined && spent >= events[0].at) {
        const event = events.shift() as Event
        under.push(event.what === 'kill' ? killed(kills % processes) : redis.restart(REDIS_AWAY_MS))
      }
      await delay(LOOK_MS)
    }
    await Promise.all(under)
    for (const node of nodes) node?.order('rest')
    await delay(QUIET_MS)
    // Calls that were still waiting in line are told only now.
    const refusedAt = [...told.refusedAt]
    const audit = ours ? await told.audit(nodes[0] as LoadNode) : undefined
    for (const node of nodes) node?.order('end')
    await Promise.race([Promise.all(nodes.map((node) => node?.exited)), delay(15_000)])
    const verdict = judge(bills, refusedAt, limitPico)
    return {
      scenario: scenario.name,
      scheme,
      processes,
      ...verdict,
      crashed,
      cancelled: bills.filter(({ how }) => how === 'cut').length - crashed,
      kills,
      redisRestarts: ours ? 1 - events.filter(({ what }) => what === 'redis').length : 0,
      away: told.away(),
      failures: told.failures,
      ...(audit === undefined ? NOT_COMPARED : compare(readBooks(join(folder, 'ledger.db')), bills, limitPico, audit)),
      seconds: (performance.now() - started) / 1_000,
    }
  } finally {
    await Promise.all(nodes.map((node) => node?.kill()))
    await upstream?.close()
    await redis?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Event {
  /** Part of the limit that was truly spent. */
  readonly at: number
  readonly what: 'kill' | 'redis'
}

function eventsOf({ kills, redisRestart }: Scenario, ours: boolean): Event[] {
  const events: Event[] = kills.map((at) => ({ at, what: 'kill' }))
  if (ours) events.push({ at: redisRestart, what: 'redis' })
  return events.sort((one, other) => one.at - other.at)
}

interface Listener {
  readonly refusedAt: readonly number[]
  readonly failures: Record<string, number>
  away(): number
  hear(message: NodeMessage): void
  /** Sums of the counters, as a process reads them. */
  audit(node: LoadNode): Promise<Readonly<Record<string, string>>>
}

function listener(): Listener {
  const refusedAt: number[] = []
  const failures: Record<string, number> = {}
  let away = 0
  let audited: ((sums: Readonly<Record<string, string>>) => void) | undefined
  return {
    refusedAt,
    failures,
    away: () => away,
    hear(message) {
      if (message.kind === 'refused') refusedAt.push(message.at)
      else if (message.kind === 'away') away += 1
      else if (message.kind === 'failed') failures[message.why] = (failures[message.why] ?? 0) + 1
      else if (message.kind === 'audit') audited?.(message.sums)
    },
    audit(node) {
      return new Promise((resolve) => {
        audited = resolve
        node.order('audit')
      })
    },
  }
}
