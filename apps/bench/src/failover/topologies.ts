import { createHash } from 'node:crypto'
import type { RedisAddress } from '@switchyard/cache-redis'
import { freePort } from '../peers/program.ts'
import { type OwnServer, startServer } from './redis-server.ts'

export const TOPOLOGIES = ['sentinel', 'cluster'] as const
export type TopologyName = (typeof TOPOLOGIES)[number]

/** Redis in a shape that outlives its master. */
export interface Topology {
  /** Where it is, as cache-redis takes it. */
  readonly where:
    | { readonly sentinel: { readonly nodes: readonly RedisAddress[]; readonly master: string } }
    | { readonly cluster: readonly RedisAddress[] }
  /** Kills the master that has the log of the cache. */
  kill(): Promise<void>
  stop(): Promise<void>
}

const MASTER = 'switchyard'
const SLOTS = 16_384
const MASTERS = 3

/** Starts one of the bench's own. Throws where Redis is not installed, saying how to get it. */
export async function startTopology(name: TopologyName, keyPrefix: string): Promise<Topology> {
  const servers: OwnServer[] = []
  const stop = async (): Promise<void> => void (await Promise.all(servers.map((server) => server.stop())))
  try {
    return { ...(name === 'sentinel' ? await sentinels(servers) : await cluster(servers, keyPrefix)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A master, two replicas, three sentinels. */
async function sentinels(servers: OwnServer[]): Promise<Omit<Topology, 'stop'>> {
  const start = async (words: readonly string[], configuration?: string): Promise<OwnServer> => {
    const server = await startServer(words, configuration)
    servers.push(server)
    return server
  }
  const master = await start([])
  for (let at = 0; at < 2; at += 1) await start(['--replicaof', `127.0.0.1 ${master.port}`])
  await untilReplicas(master, 2)
  const configuration = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} 2`,
    `sentinel down-after-milliseconds ${MASTER} 1000`,
    `sentinel failover-timeout ${MASTER} 5000`,
    '',
  ].join('\n')
  const watching = [await start(['--sentinel'], configuration), await start(['--sentinel'], configuration)]
  watching.push(await start(['--sentinel'], configuration))
  const knows = ['num-slaves\r\n$1\r\n2', 'num-other-sentinels\r\n$1\r\n2']
  for (const sentinel of watching) {
    await sentinel.until(['SENTINEL', 'MASTER', MASTER], (said) => knows.every((text) => said.includes(text)))
  }
  return { where: { sentinel: { nodes: watching.map(address), master: MASTER } }, kill: master.kill }
}

/** Three masters with a replica each. */
async function cluster(servers: OwnServer[], keyPrefix: string): Promise<Omit<Topology, 'stop'>> {
  const busPorts: number[] = []
  for (let at = 0; at < MASTERS * 2; at += 1) {
    const busPort = await freePort()
    const words = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-port', String(busPort)]
    servers.push(await startServer(words))
    busPorts.push(busPort)
  }
  const first = servers[0] as OwnServer
  for (const [at, server] of servers.entries()) {
    const [from, to] = [at, at + 1].map((which) => Math.floor((SLOTS * which) / MASTERS)) as [number, number]
    if (at < MASTERS) await server.ask('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to - 1))
    await server.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1))
    if (at > 0) await server.ask('CLUSTER', 'MEET', '127.0.0.1', String(first.port), String(busPorts[0]))
  }
  const whole = ['cluster_state:ok', `cluster_known_nodes:${servers.length}`]
  for (const server of servers) await server.until(['CLUSTER', 'INFO'], (said) => whole.every((text) => said.includes(text)))
  const masters = servers.slice(0, MASTERS)
  for (const [at, master] of masters.entries()) {
    await servers[MASTERS + at]?.ask('CLUSTER', 'REPLICATE', await master.ask('CLUSTER', 'MYID'))
    await untilReplicas(master, 1)
  }
  const slot = Number(await first.ask('CLUSTER', 'KEYSLOT', `${keyPrefix}{cache}:log`))
  const owner = masters[Math.min(MASTERS - 1, Math.floor((slot * MASTERS) / SLOTS))] as OwnServer
  return { where: { cluster: servers.map(address) }, kill: owner.kill }
}

function address({ port }: OwnServer): RedisAddress {
  return { host: '127.0.0.1', port }
}

/** Until replicas have told the master how far they are. */
function untilReplicas(master: OwnServer, count: number): Promise<void> {
  return master.until(['INFO', 'replication'], (said) => said.match(/state=online,offset=[1-9]/g)?.length === count)
}

/** A secret that is the same on all nodes of a run. */
export function secretOf(keyPrefix: string): string {
  return createHash('sha256').update(keyPrefix).digest('hex')
}
