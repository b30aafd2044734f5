import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { percentile } from '../measure/statistics.ts'
import { type FleetNode, startNode, TENANT } from './nodes.ts'
import { startTopology, type TopologyName } from './topologies.ts'

/** What one kill came to. */
export interface FailoverRun {
  readonly topology: TopologyName
  readonly requests: number
  readonly failed: number
  /** What failed requests were told, and how many were. */
  readonly failures: Readonly<Record<string, number>>
  /** Replies that were out of date when they were asked for, by an invalidation that had resolved. */
  readonly stale: number
  readonly invalidations: number
  /** Invalidations that were rejected, which whoever makes them tries again. */
  readonly refused: number
  /** Of the kill until every node follows the log again and invalidations resolve. */
  readonly recoveryMs: number
  readonly hitPercent: { readonly before: number; readonly away: number; readonly after: number }
  readonly p99Ms: { readonly before: number; readonly away: number; readonly after: number }
  readonly slowestMs: number
}

type Phase = 'before' | 'away' | 'after'

const NODES = 2
const CLIENTS_PER_NODE = 8
const DOCUMENTS = 50
/** Between a client's requests. */
const THINK_MS = 5
const INVALIDATE_EVERY_MS = 50
const PHASE_MS = 3_000
const PATIENCE_MS = 60_000
const PHASES: readonly Phase[] = ['before', 'away', 'after']

/** Kills the master under load, once. Throws where nothing recovers within a minute. */
export async function runFailover(topology: TopologyName): Promise<FailoverRun> {
  const keyPrefix = `bench-${randomUUID()}:`
  const servers = await startTopology(topology, keyPrefix)
  const versions = new Array<number>(DOCUMENTS).fill(0)
  /** No older one may be given any more. */
  const oldest = [...versions]
  const nodes: FleetNode[] = []
  let running = true
  let phase: Phase = 'before'
  let invalidated = 0
  let lastInvalidatedAt = 0
  const counts = { requests: 0, failed: 0, stale: 0, refused: 0 }
  const failures: Record<string, number> = {}
  const hits = { before: 0, away: 0, after: 0 }
  const times: Record<Phase, number[]> = { before: [], away: [], after: [] }

  async function request(node: FleetNode, document: number): Promise<void> {
    const [wanted, during, began] = [oldest[document] as number, phase, performance.now()]
    counts.requests += 1
    try {
      const { version, level } = await node.ask(document)
      if (version < wanted) counts.stale += 1
      if (level !== 'miss') hits[during] += 1
    } catch (error) {
      counts.failed += 1
      const why = `${(error as { code?: string }).code}: ${(error as Error).message}`
      failures[why] = (failures[why] ?? 0) + 1
    }
    times[during].push(performance.now() - began)
  }

  async function client(node: FleetNode, number: number): Promise<void> {
    for (let at = number; running; at += 7) {
      // Small numbers more often, as traffic has it.
      await request(node, Math.floor(((at * 0.618) % 1) ** 2 * DOCUMENTS))
      await delay(THINK_MS)
    }
  }

  async function invalidator(node: FleetNode, number: number): Promise<void> {
    for (let at = number; running; at += 1) {
      const document = at % DOCUMENTS
      versions[document] = (versions[document] as number) + 1
      const version = versions[document] as number
      const began = performance.now()
      try {
        await node.admin.invalidate({ tenant: TENANT, tags: [`doc:${document}`] }, { by: 'bench' })
        oldest[document] = Math.max(oldest[document] as number, version)
        invalidated += 1
        lastInvalidatedAt = Math.max(lastInvalidatedAt, began)
      } catch {
        counts.refused += 1
      }
      // At once, and on every node: if anybody still has the old one, it is now.
      await Promise.all(nodes.map((one) => request(one, document)))
      await delay(INVALIDATE_EVERY_MS)
    }
  }

  try {
    for (let at = 0; at < NODES; at += 1) {
      nodes.push(await startNode({ where: servers.where, keyPrefix, versionOf: (document) => versions[document] as number }))
    }
    const work = nodes.flatMap((node, which) => [
      ...Array.from({ length: CLIENTS_PER_NODE }, (_, at) => client(node, which * CLIENTS_PER_NODE + at)),
      invalidator(node, which * (DOCUMENTS / NODES)),
    ])
    await delay(PHASE_MS)
    phase = 'away'
    const killedAt = performance.now()
    await servers.kill()
    await untilAway(nodes)
    const awayAt = performance.now()
    while (!(nodes.every(({ store }) => store.changes?.current() === true) && lastInvalidatedAt > awayAt)) {
      if (performance.now() - killedAt > PATIENCE_MS)
        throw new Error(`${topology}: not recovered ${PATIENCE_MS} ms after the kill`)
      await delay(5)
    }
    const recoveryMs = performance.now() - killedAt
    phase = 'after'
    await delay(PHASE_MS)
    running = false
    await Promise.all(work)
    const by = <T>(of: (one: Phase) => T): Record<Phase, T> => ({ before: of('before'), away: of('away'), after: of('after') })
    return {
      topology,
      ...counts,
      failures,
      invalidations: invalidated,
      recoveryMs,
      hitPercent: by((one) => (100 * hits[one]) / times[one].length),
      p99Ms: by((one) => percentile(times[one], 99)),
      slowestMs: Math.max(...PHASES.flatMap((one) => times[one])),
    }
  } finally {
    running = false
    for (const node of nodes) await node.close()
    await servers.stop()
  }
}

/** Until some node has no lease any more. */
async function untilAway(nodes: readonly FleetNode[]): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  while (nodes.every(({ store }) => store.changes?.current() === true) && performance.now() < until) await delay(1)
}
