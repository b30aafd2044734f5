import { acquireService } from './acquire.ts'
import { hasOpenssl } from './certificates.ts'
import type { NotRun, Outcome } from './contract.ts'
import { freePort } from './ports.ts'
import { endLeftovers } from './records.ts'
import { findRedisPrograms, type PrivateRedis, type PrivateRedisOptions, startRedis } from './redis.ts'

/** Masters of a cluster, which together serve every slot. */
export interface PrivateCluster {
  readonly nodes: readonly PrivateRedis[]
  stop(): Promise<void>
}

const SLOTS = 16_384
const MASTERS = 3
const FORMED_MS = 20_000

/** The run's Redis. Tests share it: each has a random key prefix of its own, and removes what it leaves. */
export function redisForTests(): Promise<Outcome> {
  return acquireService('redis')
}

/** A Redis that this test may harm. The caller stops it; it ends with the process in any case. */
export async function privateRedis(
  options: PrivateRedisOptions = {},
): Promise<({ readonly status: 'ready' } & PrivateRedis) | NotRun> {
  const programs = programsOrReason()
  if (typeof programs !== 'string') return programs
  if (options.tls === true && !hasOpenssl())
    return notRun('its TLS needs certificates, and openssl is not installed', 'openssl')
  await endLeftovers()
  return { status: 'ready', ...(await startRedis(programs, false, options)) }
}

/** A cluster of three masters with no replicas. The caller stops it; it ends with the process in any case. */
export async function privateRedisCluster(): Promise<({ readonly status: 'ready' } & PrivateCluster) | NotRun> {
  const programs = programsOrReason()
  if (typeof programs !== 'string') return programs
  await endLeftovers()
  const settings = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--cluster-node-timeout', '2000']
  // The usual bus port, 10,000 above the other, lies among those that the system gives to outgoing connections.
  const busPorts = await Promise.all(Array.from({ length: MASTERS }, freePort))
  const started = await Promise.allSettled(
    busPorts.map((port) => startRedis(programs, false, { settings: [...settings, '--cluster-port', String(port)] })),
  )
  const nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  try {
    for (const one of started) if (one.status === 'rejected') throw one.reason
    await form(nodes, busPorts[0] as number)
  } catch (error) {
    await stop()
    throw error
  }
  return { status: 'ready', nodes, stop }
}

/** Shares the slots out, introduces the nodes to each other, and waits until each believes in the whole. */
async function form(nodes: readonly PrivateRedis[], firstBusPort: number): Promise<void> {
  const first = nodes[0] as PrivateRedis
  for (const [at, node] of nodes.entries()) {
    const from = Math.floor((SLOTS * at) / nodes.length)
    const to = Math.floor((SLOTS * (at + 1)) / nodes.length) - 1
    await node.ask('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
    await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1))
    if (node !== first) await node.ask('CLUSTER', 'MEET', '127.0.0.1', String(first.port), String(firstBusPort))
  }
  const deadline = Date.now() + FORMED_MS
  for (const node of nodes) {
    for (;;) {
      const info = await node.ask('CLUSTER', 'INFO')
      if (info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`)) break
      if (Date.now() > deadline) throw new Error(`the cluster did not form:\n${info}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

function programsOrReason(): string | NotRun {
  if ((process.env.SWITCHYARD_WITHOUT ?? '').split(',').includes('redis')) return notRun('SWITCHYARD_WITHOUT names it')
  return findRedisPrograms() ?? notRun('a server of its own is needed here, and redis-server is not installed')
}

function notRun(because: string, missing = 'redis-server'): NotRun {
  return { status: 'not-run', name: 'redis', because, get: `installing the package ${missing}` }
}
