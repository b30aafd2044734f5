import { cacheRedis } from '@switchyard/cache-redis'
import { type RateLimitInput, rateLimit } from '@switchyard/rate-limit'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { notRunLine, privateRedis } from '../../../scripts/services/index.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { stubProvider, wholeReply } from './support/stub-provider.ts'

const redis = await privateRedis()
afterAll(() => (redis.status === 'ready' ? redis.stop() : undefined))

let fleet: TestGateway[] = []
let fleets = 0
afterEach(async () => {
  await Promise.all(fleet.map((gateway) => gateway.close()))
  fleet = []
})

/** Gateways that share one Redis and nothing else. */
async function startFleet(nodes: number, limits: NonNullable<RateLimitInput['limits']>): Promise<void> {
  const url = redis.status === 'ready' ? redis.url : ''
  const keyPrefix = `${++fleets}:`
  const invoke = async () => wholeReply({ object: 'chat.completion', choices: [] })
  const plugins = () => [
    rateLimit({ limits, whenStoreAway: 'closed' }),
    cacheRedis({ url, keyPrefix }),
    stubProvider({ name: 'a', invoke }),
  ]
  fleet = await Promise.all(Array.from({ length: nodes }, () => testGateway(plugins())))
}

async function chat(node: number): Promise<Response> {
  const body = JSON.stringify({ model: 'a/x', messages: [{ role: 'user', content: 'hi' }], max_tokens: 10 })
  return fetch(`${fleet[node % fleet.length]?.url}/v1/chat/completions`, { method: 'POST', body })
}

describe('several gateways on one Redis', () => {
  beforeEach((context) => {
    if (redis.status !== 'ready') context.skip(notRunLine(redis))
  })

  test('are one limiter: of a burst over all of them, exactly so many pass as the limit says', async () => {
    await startFleet(3, [
      { name: 'minute', per: 'key', requests: { count: 7, windowMs: 20_000 } },
      { name: 'all', per: 'all', requests: { count: 1_000, windowMs: 5_000 } },
    ])
    const replies = await Promise.all(Array.from({ length: 40 }, (_, i) => chat(i)))
    const statuses = replies.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(7)
    expect(statuses.filter((status) => status === 429)).toHaveLength(33)
    const left = replies.flatMap(({ headers, status }) =>
      status === 200 ? [headers.get('x-ratelimit-remaining-requests')] : [],
    )
    expect(left.sort()).toEqual(['0', '1', '2', '3', '4', '5', '6'])
  })

  test('count tokens as used, and give slots back', async () => {
    await startFleet(2, [{ name: 'words', per: 'tenant', tokens: { count: 1_000, windowMs: 20_000 }, concurrency: 1 }])
    const left = async (node: number): Promise<number> => Number((await chat(node)).headers.get('x-ratelimit-remaining-tokens'))
    const first = await left(0)
    await expect.poll(() => left(1)).toBe(first - 2)
    expect(await left(0)).toBe(first - 4)
  })

  test('that is gone: calls are refused with a delay, and counted again when it is back', async () => {
    await startFleet(1, [{ name: 'minute', per: 'key', requests: { count: 2, windowMs: 60_000 } }])
    expect((await chat(0)).status).toBe(200)
    if (redis.status === 'ready') await redis.kill()
    const refused = await chat(0)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await refused.text()).toContain('whenStoreAway')
    if (redis.status === 'ready') await redis.restart()
    await expect.poll(async () => (await chat(0)).status, { timeout: 15_000 }).toBe(200)
    await chat(0)
    expect((await chat(0)).status).toBe(429)
  })
})
