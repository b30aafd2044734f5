import { vectors } from '@switchyard/contract'
import { conformance, judgeMutants, pluginSubject, vectorsSuite } from '@switchyard/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { privateRedisCluster } from '../../../scripts/services/index.ts'
import { type CacheRedisInput, cacheRedis } from '../src/index.ts'
import { freshPrefix, needs, needsServer, serverUrl } from './support/server.ts'

const cluster = await privateRedisCluster()
afterAll(() => (cluster.status === 'ready' ? cluster.stop() : undefined))

const subject = (name: string, where: () => CacheRedisInput) =>
  pluginSubject({
    name,
    port: vectors,
    // A node that cannot follow the log does not search, and it follows in real time.
    clock: 'system',
    plugin: () => cacheRedis({ ...where(), keyPrefix: freshPrefix() }),
  })

const atServer = subject('cache-redis', () => ({ url: serverUrl }))
const inCluster = subject('cache-redis in a cluster', () => ({
  cluster: cluster.status === 'ready' ? cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })) : [],
}))

describe('one Redis', () => {
  needsServer()
  describe('the vectors suite', () => conformance(vectorsSuite, atServer, test))

  test('every mutant of its vectors is killed', { timeout: 120_000 }, async () => {
    const { problems, verdicts } = await judgeMutants(vectorsSuite, atServer, { concurrency: 8 })
    expect(problems).toEqual([])
    expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
  })
})

describe('a Redis Cluster', () => {
  needs(cluster)
  describe('the vectors suite', () => conformance(vectorsSuite, inCluster, test))
})
