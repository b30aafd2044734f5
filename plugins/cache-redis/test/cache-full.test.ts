import { afterAll, beforeEach, expect, test } from 'vitest'
import { privateRedis } from '../../../scripts/services/index.ts'
import type { CacheRedisInput } from '../src/index.ts'
import { logKeys } from '../src/log/keys.ts'
import { copiesOf } from './support/copies.ts'
import { failureOf, needs, open, PATIENCE } from './support/server.ts'

const server = await privateRedis()
needs(server)
const redis = server as Extract<typeof server, { status: 'ready' }>
afterAll(() => (server.status === 'ready' ? server.stop() : undefined))
beforeEach(async () => {
  if (server.status === 'ready') await server.ask('FLUSHALL')
})

const own = (options: CacheRedisInput = {}) => open({ url: redis.url, leaseMs: 400, ...options })
const value = new Uint8Array(1)

test('a full Redis refuses entries, but deletions are made and copies stay of use', async () => {
  const [{ cache }, { cache: other }] = [await own(), await own()]
  await cache.set('k', { value, tags: ['t'] })
  const copies = copiesOf(other)
  await copies.read('k')
  await redis.ask('CONFIG', 'SET', 'maxmemory', '1')
  try {
    expect(await failureOf(cache.set('more', { value }))).toMatchObject({ code: 'OVERLOADED', details: { vendorCode: 'OOM' } })
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(other.changes?.current()).toBe(true)
    expect(copies.use('k')).toBeDefined()
    await cache.deleteByTag('t')
    expect(copies.use('k')).toBeUndefined()
    expect(await other.get('k')).toBeUndefined()
    expect(await other.delete('k')).toBe(false)
  } finally {
    await redis.ask('CONFIG', 'SET', 'maxmemory', '0')
  }
})

test('where everything may be evicted, what was deleted never comes back', async () => {
  const { cache, log } = await own()
  await cache.set('deleted', { value, tags: ['t'] })
  await cache.set('kept', { value })
  await cache.deleteByTag('t')
  // What an eviction of the table does to it, whoever chose it.
  await redis.ask('DEL', logKeys('switchyard:').state)
  await expect.poll(() => log.records.some(({ message }) => /has a gap/.test(message ?? '')), PATIENCE).toBe(true)
  for (const key of ['deleted', 'kept']) expect(await cache.get(key)).toBeUndefined()
  await redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random')
  await redis.ask('CONFIG', 'SET', 'maxmemory', '3mb')
  try {
    const bulk = Buffer.alloc(100_000)
    for (let at = 0; at < 60; at += 1) {
      await cache.set(`k${at}`, { value: bulk, tags: [`t${at}`] })
      await cache.deleteByTag(`t${at}`)
      expect(await cache.get(`k${at}`)).toBeUndefined()
    }
    for (let at = 0; at < 60; at += 1) expect(await cache.get(`k${at}`)).toBeUndefined()
  } finally {
    await redis.ask('CONFIG', 'SET', 'maxmemory', '0')
    await redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
  }
})

test('a lost Redis is refused at once; one that comes back empty makes every copy void', async () => {
  const { cache } = await own()
  await cache.set('k', { value, tags: ['t'] })
  const copies = copiesOf(cache)
  await copies.read('k')
  await redis.kill()
  try {
    await expect.poll(() => failureOf(cache.get('k')), PATIENCE).toMatchObject({ details: { sent: false } })
    for (const call of [cache.set('k', { value }), cache.delete('k'), cache.deleteByTag('t'), cache.countByTag?.('t')]) {
      expect(await failureOf(call as Promise<unknown>)).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true })
    }
    await expect.poll(() => cache.changes?.current(), PATIENCE).toBe(false)
  } finally {
    await redis.restart()
  }
  await expect.poll(() => cache.changes?.current(), PATIENCE).toBe(true)
  expect(copies.told.at(-1)).toBe('all')
  expect(copies.use('k')).toBeUndefined()
})

test('a node that starts while Redis is away follows it once it is there', async () => {
  await redis.kill()
  const { cache } = await own({ connectOnStart: false })
  expect(cache.mark?.(['t'])).toBeUndefined()
  expect(await failureOf(cache.get('k'))).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  await redis.restart()
  await expect.poll(() => cache.changes?.current(), PATIENCE).toBe(true)
  await cache.set('k', { value, tags: ['t'] })
  await cache.deleteByTag('t')
  expect(await cache.get('k')).toBeUndefined()
})

test('an entry larger than maxEntryBytes is TOO_LARGE, and a time that is none is INVALID_REQUEST', async () => {
  const { cache } = await own({ maxEntryBytes: 1_000, countTags: false })
  const error = await failureOf(cache.set('k'.repeat(100), { value: new Uint8Array(1_000) }))
  expect(error).toMatchObject({ code: 'TOO_LARGE', details: { maxEntryBytes: 1_000 } })
  expect(await failureOf(cache.set('k', { value, expiresAt: Number.NaN }))).toMatchObject({ code: 'INVALID_REQUEST' })
  const tags = Array.from({ length: 1_001 }, (_, at) => String(at))
  expect(await failureOf(cache.set('k', { value, tags }))).toMatchObject({ code: 'INVALID_REQUEST' })
  await cache.set('far', { value, expiresAt: 1e300 })
  expect(await cache.get('far')).toEqual({ value: new Uint8Array(1), expiresAt: 1e300 })
  expect(cache.countByTag).toBeUndefined()
})

test('counts are estimates that end with what they count', async () => {
  const { cache } = await own()
  const now = Date.now()
  await Promise.all(
    Array.from({ length: 500 }, (_, at) => cache.set(`k${at}`, { value, tags: ['t'], expiresAt: now + 1_000 * (at + 1) })),
  )
  await cache.set('for ever', { value, tags: ['t', 'u'] })
  const { count, exact } = (await cache.countByTag?.('t')) ?? expect.unreachable()
  expect(exact).toBe(false)
  // The standard error of a HyperLogLog is 0.81 %; five of them.
  expect(Math.abs(count - 501)).toBeLessThanOrEqual(21)
  expect((await cache.countByTag?.('u'))?.count).toBe(1)
  const counters = (await redis.ask('KEYS', 'switchyard:{n:*')).match(/switchyard:\{n:\S+/g) ?? []
  expect(counters.length).toBeGreaterThan(2)
  for (const counter of counters) expect(Number(await redis.ask('PTTL', counter))).toBeGreaterThan(0)
  await cache.deleteByTag('t')
  expect((await cache.countByTag?.('t'))?.count).toBe(0)
})
