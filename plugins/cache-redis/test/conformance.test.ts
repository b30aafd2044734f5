import { type Bus, bus, type Counters, counters, type Port } from '@switchyard/contract'
import { busSuite, conformance, countersSuite, judgeMutants, pluginSubject, type Subject } from '@switchyard/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { privateRedisCluster } from '../../../scripts/services/index.ts'
import { type CacheRedisInput, cacheRedis } from '../src/index.ts'
import { freshPrefix, needs, needsServer, serverUrl } from './support/server.ts'

const cluster = await privateRedisCluster()
afterAll(() => (cluster.status === 'ready' ? cluster.stop() : undefined))

function subject<T>(name: string, port: Port<T>, where: () => CacheRedisInput): Subject<T> {
  return pluginSubject<T, string>({
    name,
    port,
    // A message is under way in real time, and advancing a virtual clock meanwhile would time its call out.
    clock: port.id === bus.id ? 'system' : 'virtual',
    plugin: (keyPrefix) => cacheRedis({ ...where(), keyPrefix }),
    async fixture() {
      const { keyPrefix, clear } = freshPrefix()
      return { fixture: keyPrefix, close: serverUrl === undefined ? async () => {} : clear }
    },
  }) as Subject<T, never>
}

const atServer = (): CacheRedisInput => ({ url: serverUrl })
const inCluster = (): CacheRedisInput => ({
  cluster: cluster.status === 'ready' ? cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })) : [],
})

const countersSubject: Subject<Counters> = subject('cache-redis', counters, atServer)
const busSubject: Subject<Bus> = subject('cache-redis', bus, atServer)

describe('one Redis', () => {
  needsServer()
  describe('the counters suite', () => conformance(countersSuite, countersSubject, test))
  describe('the bus suite', () => conformance(busSuite, busSubject, test))

  test('every mutant of its counters is killed', { timeout: 120_000 }, async () => {
    const { problems, verdicts } = await judgeMutants(countersSuite, countersSubject)
    expect(problems).toEqual([])
    expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
  })

  test('every mutant of its bus is killed', { timeout: 120_000 }, async () => {
    const { problems, verdicts } = await judgeMutants(busSuite, busSubject)
    expect(problems).toEqual([])
    expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
  })
})

describe('a Redis Cluster', () => {
  needs(cluster)
  describe('the counters suite', () => conformance(countersSuite, subject('cluster', counters, inCluster), test))
  describe('the bus suite', () => conformance(busSuite, subject('cluster', bus, inCluster), test))
})
