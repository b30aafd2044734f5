import { acquireService } from './acquire.ts'
import { hasOpenssl } from './certificates.ts'
import type { NotRun, Outcome } from './contract.ts'
import { freePort } from './ports.ts'
import { endLeftovers } from './records.ts'
import { findRedisPrograms, type PrivateRedis, type PrivateRedisOptions, startRedis } from './redis.ts'

/** Masters of a cluster, which together serve every slot. */
export interface PrivateCluster {
  readonly nodes: readonly PrivateRedis[]
  /** One of each master, in their order; none where none were asked for. */
  readonly replicas: readonly PrivateRedis[]
  stop(): Promise<void>
}

/** A master with two replicas, and the sentinels that replace it. */
export interface PrivateSentinels {
  /** Name that the sentinels have for the group. */
  readonly master: string
  readonly sentinels: readonly PrivateRedis[]
  /** The master of the beginning, and its replicas. */
  readonly nodes: readonly PrivateRedis[]
  stop(): Promise<void>
}

const SLOTS = 16_384
const MASTERS = 3
const FORMED_MS = 20_000
/** A master waits 5 s for further replicas before it sends its data, unless told not to. */
const AT_ONCE = ['--repl-diskless-sync-delay', '0'] as const

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

/**
 * A cluster of three masters, each with one replica where `replicas` says so. The caller stops it; it ends with the process in any
 * case.
 */
export async function privateRedisCluster(
  options: { readonly replicas?: boolean } = {},
): Promise<({ readonly status: 'ready' } & PrivateCluster) | NotRun> {
  const programs = programsOrReason()
  if (typeof programs !== 'string') return programs
  await endLeftovers()
  const settings = [
    '--cluster-enabled',
    'yes',
    '--cluster-config-file',
    'nodes.conf',
    '--cluster-node-timeout',
    '2000',
    ...AT_ONCE,
  ]
  // The usual bus port, 10,000 above the other, lies among those that the system gives to outgoing connections.
  const busPorts = await Promise.all(Array.from({ length: options.replicas === true ? 2 * MASTERS : MASTERS }, freePort))
  const { nodes: all, stop } = await startAll(
    busPorts.map((port) => () => startRedis(programs, false, { settings: [...settings, '--cluster-port', String(port)] })),
    async (nodes) => {
      await form(nodes, busPorts[0] as number)
      await Promise.all(nodes.slice(MASTERS).map((replica, at) => replicate(replica, nodes[at] as PrivateRedis)))
    },
  )
  return { status: 'ready', nodes: all.slice(0, MASTERS), replicas: all.slice(MASTERS), stop }
}

/** A master, two replicas and three sentinels. The caller stops them; they end with the process in any case. */
export async function privateRedisSentinels(): Promise<({ readonly status: 'ready' } & PrivateSentinels) | NotRun> {
  const programs = programsOrReason()
  if (typeof programs !== 'string') return programs
  await endLeftovers()
  const first = await startRedis(programs, false, { settings: AT_ONCE })
  const master = 'switchyard'
  const configuration = [
    `sentinel monitor ${master} 127.0.0.1 ${first.port} 2`,
    `sentinel down-after-milliseconds ${master} 1000`,
    `sentinel failover-timeout ${master} 5000`,
    '',
  ].join('\n')
  const replica = { settings: [...AT_ONCE, '--replicaof', `127.0.0.1 ${first.port}`] }
  const data = await startAll(
    Array.from({ length: 2 }, () => () => startRedis(programs, false, replica)),
    async (replicas) => untilLinked(first, replicas.length),
    [first],
  )
  // After the replicas: a sentinel asks the master for them at once, and then each ten seconds only.
  const { nodes: sentinels, stop } = await startAll(
    Array.from({ length: 3 }, () => () => startRedis(programs, false, { configuration, settings: ['--sentinel'] })),
    async (all) => {
      const knows = ['num-slaves\r\n$1\r\n2', 'num-other-sentinels\r\n$1\r\n2']
      for (const sentinel of all) {
        await until(sentinel, ['SENTINEL', 'MASTER', master], (said) => knows.every((text) => said.includes(text)))
      }
    },
    [first, ...data.nodes],
  )
  return { status: 'ready', master, nodes: [first, ...data.nodes], sentinels, stop }
}

/** Starts servers side by side and readies them; where either fails, stops all of them, `with` too. */
async function startAll(
  starts: readonly (() => Promise<PrivateRedis>)[],
  ready: (nodes: readonly PrivateRedis[]) => Promise<void>,
  beside: readonly PrivateRedis[] = [],
): Promise<{ readonly nodes: readonly PrivateRedis[]; stop(): Promise<void> }> {
  const started = await Promise.allSettled(starts.map((start) => start()))
  const nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const stop = async (): Promise<void> => {
    await Promise.all([...beside, ...nodes].map((node) => node.stop()))
  }
  try {
    for (const one of started) if (one.status === 'rejected') throw one.reason
    await ready(nodes)
  } catch (error) {
    await stop()
    throw error
  }
  return { nodes, stop }
}

async function replicate(replica: PrivateRedis, master: PrivateRedis): Promise<void> {
  await replica.ask('CLUSTER', 'REPLICATE', await master.ask('CLUSTER', 'MYID'))
  await untilLinked(master, 1)
}

/** Until replicas have told the master how far they are, and so count for WAIT. */
function untilLinked(master: PrivateRedis, count: number): Promise<void> {
  const told = (said: string): number => said.match(/state=online,offset=[1-9]/g)?.length ?? 0
  return until(master, ['INFO', 'replication'], (said) => told(said) === count)
}

async function until(node: PrivateRedis, words: readonly string[], is: (said: string) => boolean): Promise<void> {
  const deadline = Date.now() + FORMED_MS
  for (;;) {
    const said = await node.ask(...words)
    if (is(said)) return
    if (Date.now() > deadline) throw new Error(`the servers did not find together; one says:\n${said}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Shares the slots out among the masters, introduces all to each other, and waits until each believes in the whole. */
async function form(nodes: readonly PrivateRedis[], firstBusPort: number): Promise<void> {
  const first = nodes[0] as PrivateRedis
  for (const [at, node] of nodes.entries()) {
    if (at < MASTERS) {
      const from = Math.floor((SLOTS * at) / MASTERS)
      const to = Math.floor((SLOTS * (at + 1)) / MASTERS) - 1
      await node.ask('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
    }
    await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1))
    if (node !== first) await node.ask('CLUSTER', 'MEET', '127.0.0.1', String(first.port), String(firstBusPort))
  }
  for (const node of nodes) {
    const whole = ['cluster_state:ok', `cluster_known_nodes:${nodes.length}`]
    await until(node, ['CLUSTER', 'INFO'], (said) => whole.every((text) => said.includes(text)))
  }
}

function programsOrReason(): string | NotRun {
  if ((process.env.SWITCHYARD_WITHOUT ?? '').split(',').includes('redis')) return notRun('SWITCHYARD_WITHOUT names it')
  return findRedisPrograms() ?? notRun('a server of its own is needed here, and redis-server is not installed')
}

function notRun(because: string, missing = 'redis-server'): NotRun {
  return { status: 'not-run', name: 'redis', because, get: `installing the package ${missing}` }
}
