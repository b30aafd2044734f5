import { type VectorIndex, type VectorItem, vectors } from '@switchyard/contract'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { privateRedis } from '../../../scripts/services/index.ts'
import type { CacheRedisInput } from '../src/index.ts'
import { logKeys } from '../src/log/keys.ts'
import { failureOf, freshPrefix, needs, needsServer, open, PATIENCE, serverUrl } from './support/server.ts'

async function node(options: CacheRedisInput): Promise<VectorIndex> {
  return (await open(options)).plugin.port(vectors)
}

const towards = (angle: number): Float32Array => Float32Array.of(Math.cos(angle), Math.sin(angle))
const item = (id: string, angle: number, more: Partial<VectorItem> = {}): VectorItem => ({
  id,
  vector: towards(angle),
  ...more,
})
/** Ids in order of nearness, with the tens of their similarity. */
const found = async (index: VectorIndex, partition: string, angle = 0): Promise<string[]> => {
  const matches = await index.nearest(partition, { vector: towards(angle), count: 1_000 })
  return matches.map(({ id, payload }) => (payload === undefined ? id : `${id}=${Buffer.from(payload)}`))
}

describe('nodes on one Redis', () => {
  needsServer()
  const fleet = async (options: CacheRedisInput = {}): Promise<[VectorIndex, VectorIndex, string]> => {
    const keyPrefix = freshPrefix()
    const all = { url: serverUrl, keyPrefix, ...options }
    return [await node(all), await node(all), keyPrefix]
  }
  const ask = (): Redis => {
    const client = new Redis(serverUrl as string)
    onTestFinished(() => client.disconnect())
    return client
  }

  test('see what others put and delete, whether they searched before or not', async () => {
    const [here, there] = await fleet()
    await here.upsert('p', [item('a', 0), item('b', 1)])
    expect(await found(there, 'p')).toEqual(['a', 'b'])
    await here.upsert('p', [item('c', 0.5, { payload: Buffer.from('C') }), item('a', 2)])
    await expect.poll(() => found(there, 'p'), PATIENCE).toEqual(['c=C', 'b', 'a'])
    await there.delete('p', ['b', 'unknown'])
    expect(await found(there, 'p')).toEqual(['c=C', 'a'])
    await expect.poll(() => found(here, 'p'), PATIENCE).toEqual(['c=C', 'a'])
    expect(await found(there, 'q')).toEqual([])
  })

  test('come to the same, whoever wrote last, and to what one that starts afterwards reads', async () => {
    const step = fc.record({ node: fc.nat(1), put: fc.boolean(), id: fc.constantFrom('a', 'b', 'c'), payload: fc.nat(99) })
    const steps = fc.array(step, { minLength: 1, maxLength: 30 })
    const keyPrefix = freshPrefix()
    const nodes = await Promise.all([1, 2].map(() => node({ url: serverUrl, keyPrefix })))
    let partition = 0
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        partition += 1
        const name = `p${partition}`
        await found(nodes[0] as VectorIndex, name)
        await Promise.all(
          all.map(({ node: at, put, id, payload }) =>
            put
              ? nodes[at]?.upsert(name, [item(id, payload / 100, { payload: Buffer.from(`${payload}`) })])
              : nodes[at]?.delete(name, [id]),
          ),
        )
        // Told to all: an item of its own, behind the others in the log.
        await nodes[0]?.upsert(name, [item('last', 3)])
        await expect.poll(async () => (await found(nodes[1] as VectorIndex, name)).includes('last'), PATIENCE).toBe(true)
        const fresh = await node({ url: serverUrl, keyPrefix })
        // Equal similarities come in any order; what the others wrote is here soon after.
        const sets = (): Promise<string[][]> =>
          Promise.all([...nodes, fresh].map(async (each) => (await found(each, name)).toSorted()))
        const [, , truth] = await sets()
        await expect.poll(sets, PATIENCE).toEqual([truth, truth, truth])
      }),
      { numRuns: 15 },
    )
  })

  test('after a gap in the log all is read anew', async () => {
    const [here, there, keyPrefix] = await fleet()
    await here.upsert('p', [item('a', 0)])
    expect(await found(there, 'p')).toEqual(['a'])
    const redis = ask()
    // A change that the log does not tell of, then one that leaves a hole.
    const [items] = await redis.keys(`${keyPrefix}vectors:*:items`)
    await redis.hdel(items as string, ':a')
    await redis.del(logKeys(keyPrefix).log)
    await expect.poll(() => found(there, 'p'), PATIENCE).toEqual([])
  })

  test('what does not fit in a node is dropped there and read again, right', async () => {
    const [here] = await fleet({ maxVectorBytes: 40_000 })
    const wide = (at: number): Float32Array => Float32Array.from({ length: 64 }, (_, n) => (n === at ? 1 : 0))
    for (const partition of ['p', 'q', 'r', 's']) {
      await here.upsert(
        partition,
        Array.from({ length: 20 }, (_, at) => ({ id: `${partition}${at}`, vector: wide(at) })),
      )
    }
    for (let round = 0; round < 3; round += 1) {
      for (const partition of ['p', 'q', 'r', 's']) {
        const [first] = await here.nearest(partition, { vector: wide(round), count: 1 })
        expect(first).toMatchObject({ id: `${partition}${round}`, similarity: expect.closeTo(1, 3) })
      }
    }
    const huge = { id: 'x', vector: new Float32Array(8_000).fill(1) }
    expect(await failureOf(here.upsert('p', [huge]))).toMatchObject({ code: 'TOO_LARGE' })
  })

  test('Redis keeps as many items of a partition as it may, the last written', async () => {
    const [here, there] = await fleet({ maxVectorsPerPartition: 3 })
    await found(there, 'p')
    for (const [at, id] of ['a', 'b', 'c', 'd', 'e'].entries()) await here.upsert('p', [item(id, at / 10)])
    expect(await found(here, 'p')).toEqual(['c', 'd', 'e'])
    await expect.poll(() => found(there, 'p'), PATIENCE).toEqual(['c', 'd', 'e'])
  })

  test('vectors of another length are refused, from every node, until the partition is empty', async () => {
    const [here, there] = await fleet()
    await here.upsert('p', [item('a', 0)])
    const other = [{ id: 'b', vector: Float32Array.of(1, 2, 3) }]
    expect(await failureOf(there.upsert('p', other))).toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('2'),
    })
    await there.delete('p', ['a'])
    await there.upsert('p', other)
    const matches = async (): Promise<number> =>
      (await here.nearest('p', { vector: Float32Array.of(1, 2, 3), count: 5 })).length
    await expect.poll(() => matches().catch(() => 0), PATIENCE).toBe(1)
  })

  test('partitions expire with the last of their items, and a reader sweeps those that went before', async () => {
    const [here, there, keyPrefix] = await fleet()
    const redis = ask()
    const now = Date.now()
    await here.upsert('p', [item('short', 0, { expiresAt: now + 150 }), item('long', 1, { expiresAt: now + 100_000 })])
    const [name] = await redis.keys(`${keyPrefix}vectors:*:items`)
    const lives = await redis.pttl(name as string)
    expect(lives).toBeGreaterThan(100_000)
    expect(lives).toBeLessThanOrEqual(160_000)
    await expect.poll(() => found(there, 'p'), PATIENCE).toEqual(['long'])
    const late = await node({ url: serverUrl, keyPrefix })
    expect(await found(late, 'p')).toEqual(['long'])
    await expect.poll(() => redis.hexists(name as string, ':short'), PATIENCE).toBe(0)
    await here.upsert('p', [item('ever', 2)])
    expect(await redis.pttl(name as string)).toBe(-1)
  })

  test('half a surrogate pair is no name', async () => {
    const [here] = await fleet()
    expect(await failureOf(here.upsert('p', [item('\ud800', 0)]))).toMatchObject({ code: 'INVALID_REQUEST' })
    expect(await failureOf(here.delete('\ud800', ['a']))).toMatchObject({ code: 'INVALID_REQUEST' })
  })
})

const server = await privateRedis()
afterAll(() => (server.status === 'ready' ? server.stop() : undefined))

describe('when Redis', () => {
  needs(server)
  const redis = server as Extract<typeof server, { status: 'ready' }>
  beforeEach(async () => {
    if (server.status === 'ready') await server.ask('FLUSHALL')
  })

  test('is away, a node that may have missed something does not search; then it does', { timeout: 30_000 }, async () => {
    const here = await node({ url: redis.url, commandTimeoutMs: 300, leaseMs: 300 })
    await here.upsert('p', [item('a', 0)])
    expect(await found(here, 'p')).toEqual(['a'])
    redis.pause()
    try {
      const search = (): Promise<unknown> =>
        found(here, 'p').then(
          () => 'found',
          (error: { readonly code: string }) => error.code,
        )
      await expect.poll(search, PATIENCE).toBe('UPSTREAM_UNAVAILABLE')
    } finally {
      redis.resume()
    }
    await expect.poll(() => found(here, 'p').catch(() => []), PATIENCE).toEqual(['a'])
  })

  test('forgot everything, nothing is found', { timeout: 30_000 }, async () => {
    const here = await node({ url: redis.url })
    await here.upsert('p', [item('a', 0)])
    expect(await found(here, 'p')).toEqual(['a'])
    await redis.ask('FLUSHALL')
    await expect.poll(() => found(here, 'p').catch(() => ['a']), PATIENCE).toEqual([])
  })
})
