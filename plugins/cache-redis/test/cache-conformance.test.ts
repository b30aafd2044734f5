import { type Cache, cache } from '@switchyard/contract'
import { cacheSuite, conformance, judgeMutants, pluginSubject, type Subject } from '@switchyard/testkit'
import { Cluster, Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { privateRedisCluster } from '../../../scripts/services/index.ts'
import { type CacheRedisInput, cacheRedis } from '../src/index.ts'
import { freshPrefix, needs, needsServer, serverUrl, settleLog } from './support/server.ts'

const cluster = await privateRedisCluster()
const nodes = cluster.status === 'ready' ? cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })) : []
afterAll(() => (cluster.status === 'ready' ? cluster.stop() : undefined))

function subject(name: string, where: CacheRedisInput, settler: () => Redis | Cluster): Subject<Cache> {
  let client: Redis | Cluster | undefined
  afterAll(() => client?.disconnect())
  return pluginSubject<Cache, string>({
    name,
    port: cache,
    // The server keeps time too: leases, and what it drops.
    clock: 'system',
    plugin: (keyPrefix) => cacheRedis({ ...where, keyPrefix }),
    async fixture() {
      client ??= settler()
      return { fixture: await settleLog(client, freshPrefix()), close: async () => {} }
    },
  }) as Subject<Cache, never>
}

describe('one Redis', () => {
  needsServer()
  const one = subject('cache-redis', { url: serverUrl }, () => new Redis(serverUrl as string))
  describe.concurrent('the cache suite', () => conformance(cacheSuite, one, test))

  test('every mutant of it is killed', { timeout: 60_000 }, async () => {
    const { problems, verdicts } = await judgeMutants(cacheSuite, one, { concurrency: 16 })
    expect(problems).toEqual([])
    expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
  })
})

describe('a Redis Cluster', () => {
  needs(cluster)
  const whole = subject('cluster', { cluster: nodes }, () => new Cluster(nodes))
  describe.concurrent('the cache suite', () => conformance(cacheSuite, whole, test))
})
