import { type VectorIndex, vectors } from '@switchyard/contract'
import { conformance, judgeMutants, pluginSubject, startPlugin, systemClock, vectorsSuite } from '@switchyard/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { cacheRedis } from '../src/index.ts'
import { failureOf, freshPrefix, needsServer, open, serverUrl } from './support/server.ts'

/** A server with vector sets, as Redis 8 has them. */
const url = process.env.REDIS8_URL

const towards = (angle: number): Float32Array => Float32Array.of(Math.cos(angle), Math.sin(angle))
const prefixes: string[] = []
const prefix = (): string => {
  prefixes.push(freshPrefix())
  return prefixes.at(-1) as string
}
afterAll(async () => {
  if (url === undefined) return
  const redis = new Redis(url)
  for (const one of prefixes) {
    const keys = await redis.keys(`${one}*`)
    if (keys.length > 0) await redis.unlink(...keys)
  }
  redis.disconnect()
})

describe('Redis 8', () => {
  beforeEach((context) => {
    if (url === undefined) context.skip('not run: Redis 8: set REDIS8_URL to one, 8.0 or later, that keeps nothing of value')
  })
  const subject = pluginSubject({
    name: 'vector sets',
    port: vectors,
    clock: 'system',
    plugin: () => cacheRedis({ url: url ?? 'redis://127.0.0.1:1', keyPrefix: prefix() }),
  })
  const node = async (
    options: object = {},
  ): Promise<{ readonly index: VectorIndex; readonly redis: Redis; readonly keyPrefix: string }> => {
    const keyPrefix = prefix()
    const { plugin } = await open({ url, keyPrefix, ...options })
    const redis = new Redis(url as string)
    onTestFinished(() => redis.disconnect())
    return { index: plugin.port(vectors), redis, keyPrefix }
  }

  describe('the vectors suite', () => conformance(vectorsSuite, subject, test))

  test('every mutant of its vectors is killed', { timeout: 120_000 }, async () => {
    const { problems, verdicts } = await judgeMutants(vectorsSuite, subject, { concurrency: 8 })
    expect(problems).toEqual([])
    // What the nearest of all are is asked of exact indexes alone.
    const judged = verdicts.filter(({ killedBy }) => killedBy !== 'vectors.nearest.misses-none')
    expect(judged.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
  })

  test('is asked for them at start, and searches with numbers as they are', async () => {
    const { index, redis, keyPrefix } = await node()
    expect(index.capabilities.approximate).toBe(true)
    await index.upsert('p', [{ id: 'a', vector: towards(0.3) }])
    const [key] = await redis.keys(`${keyPrefix}vectorset:*:items`)
    expect(String(await redis.call('VINFO', key as string))).toContain('f32')
    const [match] = await index.nearest('p', { vector: towards(0.3 + Math.PI), count: 1 })
    expect(match?.similarity).toBeCloseTo(-1, 5)
  })

  test('the replicated index is to be had there too', async () => {
    const { index } = await node({ vectorIndex: 'replicated' })
    expect(index.capabilities.approximate).toBe(false)
  })

  test('a vector of another length is refused in words that say so, in a search too', async () => {
    const { index } = await node()
    await index.upsert('p', [{ id: 'a', vector: towards(0) }])
    const other = Float32Array.of(1, 2, 3)
    expect(await failureOf(index.upsert('p', [{ id: 'b', vector: other }]))).toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('have 2 numbers, not 3'),
    })
    expect(await failureOf(index.nearest('p', { vector: other, count: 1 }))).toMatchObject({ code: 'INVALID_REQUEST' })
  })

  test('what expired is swept by later writes, partitions expire with the last item, and are bounded', async () => {
    const { index, redis, keyPrefix } = await node({ maxVectorsPerPartition: 3 })
    const now = Date.now()
    await index.upsert('p', [
      { id: 'short', vector: towards(0), expiresAt: now + 60, payload: Buffer.from('s') },
      { id: 'long', vector: towards(1), expiresAt: now + 100_000 },
    ])
    const [key] = await redis.keys(`${keyPrefix}vectorset:*:items`)
    const lives = await redis.pttl(key as string)
    expect(lives).toBeGreaterThan(100_000)
    expect(lives).toBeLessThanOrEqual(160_000)
    await systemClock().sleep(80)
    await index.upsert('p', [{ id: 'next', vector: towards(2), expiresAt: now + 50_000 }])
    expect(await redis.call('VCARD', key as string)).toBe(2)
    expect(await redis.hlen((key as string).replace(/items$/, 'payloads'))).toBe(0)
    for (const id of ['x', 'y']) await index.upsert('p', [{ id, vector: towards(3) }])
    const left = await index.nearest('p', { vector: towards(0), count: 10 })
    expect(left.map(({ id }) => id).toSorted()).toEqual(['long', 'x', 'y'])
    expect(await redis.pttl(key as string)).toBe(-1)
  })
})

describe('a Redis without vector sets', () => {
  needsServer()

  test('stops the start where they are asked for by name', async () => {
    const starting = startPlugin(cacheRedis({ url: serverUrl, keyPrefix: freshPrefix(), vectorIndex: 'vector-sets' }), {
      clock: systemClock(),
    })
    await expect(starting).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('vectorIndex') })
  })
})
