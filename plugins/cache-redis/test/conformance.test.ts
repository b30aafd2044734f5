import { type Bus, bus, type Counters, counters, type Port } from '@switchyard/contract'
import {
  busSuite,
  conformance,
  countersSuite,
  judgeMutants,
  pluginSubject,
  type Subject,
  startPlugin,
  systemClock,
} from '@switchyard/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { privateRedisCluster } from '../../../scripts/services/index.ts'
import { type CacheRedisInput, cacheRedis } from '../src/index.ts'
import { freshPrefix, needs, needsServer, PATIENCE, serverUrl } from './support/server.ts'

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
      return { fixture: freshPrefix(), close: async () => {} }
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
    const { problems, verdicts } = await judgeMutants(countersSuite, countersSubject, { concurrency: 8 })
    expect(problems).toEqual([])
    expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
  })
})

describe('a Redis Cluster', () => {
  needs(cluster)
  describe('the counters suite', () => conformance(countersSuite, subject('cluster', counters, inCluster), test))
  describe('the bus suite', () => conformance(busSuite, subject('cluster', bus, inCluster), test))

  test('one node of it, given as a lone server, stops the start and says so', async () => {
    const node = cluster.status === 'ready' ? cluster.nodes[0] : undefined
    const starting = startPlugin(cacheRedis({ url: node?.url ?? '' }), { clock: systemClock() })
    await expect(starting).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('`cluster`') })
  })

  test('a node that is lost costs its own slots only', async () => {
    const plugin = await startPlugin(cacheRedis(inCluster()), { clock: systemClock() })
    try {
      const here = plugin.port(counters)
      const tags = Array.from({ length: 30 }, (_, at) => `{${at}}k`)
      expect(await here.read(tags)).toEqual(tags.map(() => 0n))
      const lost = cluster.status === 'ready' ? cluster.nodes[0] : undefined
      await lost?.ask('CONFIG', 'SET', 'cluster-require-full-coverage', 'no')
      lost?.pause()
      const said = await Promise.allSettled(tags.map((tag) => here.read([tag])))
      lost?.resume()
      const failed = said.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
      expect(failed.length).toBeGreaterThan(0)
      expect(failed.length).toBeLessThan(tags.length)
      for (const error of failed) expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
      const again = (): Promise<number> =>
        here.read(tags).then(
          (sums) => sums.length,
          () => 0,
        )
      await expect.poll(again, PATIENCE).toBe(tags.length)
    } finally {
      await plugin.close()
    }
  })
})
