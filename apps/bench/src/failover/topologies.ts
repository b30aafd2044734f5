import { createHash } from 'node:crypto'
import type { RedisAddress } from '@switchyard/cache-redis'
import {
  notRunLine,
  type PrivateRedis,
  privateRedisCluster,
  privateRedisSentinels,
} from '../../../../scripts/services/index.ts'

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

const address = ({ port }: PrivateRedis): RedisAddress => ({ host: '127.0.0.1', port })

/** Starts one of the bench's own. Throws where Redis is not installed, saying how to get it. */
export async function startTopology(name: TopologyName, keyPrefix: string): Promise<Topology> {
  return name === 'sentinel' ? sentinels() : cluster(keyPrefix)
}

async function sentinels(): Promise<Topology> {
  const group = await privateRedisSentinels()
  if (group.status !== 'ready') throw new Error(notRunLine(group))
  return {
    where: { sentinel: { nodes: group.sentinels.map(address), master: group.master } },
    kill: () => (group.nodes[0] as PrivateRedis).kill(),
    stop: group.stop,
  }
}

async function cluster(keyPrefix: string): Promise<Topology> {
  const group = await privateRedisCluster({ replicas: true })
  if (group.status !== 'ready') throw new Error(notRunLine(group))
  const { nodes, replicas } = group
  return {
    where: { cluster: [...nodes, ...replicas].map(address) },
    async kill() {
      const slot = Number(await nodes[0]?.ask('CLUSTER', 'KEYSLOT', `${keyPrefix}{cache}:log`))
      const owner = Math.min(nodes.length - 1, Math.floor((slot * nodes.length) / 16_384))
      await (nodes[owner] as PrivateRedis).kill()
    },
    stop: group.stop,
  }
}

/** A secret that is the same on all nodes of a run. */
export function secretOf(keyPrefix: string): string {
  return createHash('sha256').update(keyPrefix).digest('hex')
}
