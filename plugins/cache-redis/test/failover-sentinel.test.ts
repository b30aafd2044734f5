import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PrivateRedis, privateRedisSentinels } from '../../../scripts/services/index.ts'
import type { CacheRedisInput } from '../src/index.ts'
import { killUnderLoad } from './support/failover.ts'
import { failureOf, needs, open, PATIENCE } from './support/server.ts'

const group = await privateRedisSentinels()
needs(group)
afterAll(() => (group.status === 'ready' ? group.stop() : undefined))

let options: CacheRedisInput
let [master, ...replicas] = [] as PrivateRedis[]
beforeAll(() => {
  if (group.status !== 'ready') return
  ;[master, ...replicas] = group.nodes
  options = { sentinel: { nodes: group.sentinels.map(({ port }) => ({ host: '127.0.0.1', port })), master: group.master } }
})

const value = new Uint8Array(1)

test('a deletion that no replica confirms rejects, and is made all the same', async () => {
  const { cache } = await open({ ...options, keyPrefix: 'unconfirmed:', replicaTimeoutMs: 200 })
  await cache.set('k', { value, tags: ['t'] })
  for (const replica of replicas) replica.pause()
  try {
    const error = await failureOf(cache.deleteByTag('t'))
    expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true })
    expect((error as Error).message).toMatch(/0 of 1 replicas confirmed it within 200 ms/)
    expect(await cache.get('k')).toBeUndefined()
    const { cache: careless } = await open({ ...options, keyPrefix: 'unconfirmed:', waitForReplicas: 0 })
    await careless.deleteByTag('t')
  } finally {
    for (const replica of replicas) replica.resume()
  }
  const deleted = () =>
    cache.deleteByTag('t').then(
      () => true,
      () => false,
    )
  await expect.poll(deleted, PATIENCE).toBe(true)
  const { cache: strict } = await open({ ...options, keyPrefix: 'unconfirmed:', waitForReplicas: 3, replicaTimeoutMs: 50 })
  expect(((await failureOf(strict.deleteByTag('t'))) as Error).message).toMatch(/2 of 3 replicas/)
})

test(
  'a master killed under load: nothing that was deleted comes back, and calls go on with the next',
  {
    timeout: 30_000,
  },
  () => killUnderLoad(options, [master as PrivateRedis]),
)
