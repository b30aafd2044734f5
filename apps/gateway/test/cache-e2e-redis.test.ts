import { cacheRedis } from '@switchyard/cache-redis'
import type { Plugin } from '@switchyard/contract'
import { type FakeUpstream, startFakeUpstream } from '@switchyard/testkit'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { notRunLine, privateRedis } from '../../../scripts/services/index.ts'
import { type Answer, type CachedGateway, cachedGateway } from './support/cached.ts'

const redis = await privateRedis()
afterAll(() => (redis.status === 'ready' ? redis.stop() : undefined))

let chat: FakeUpstream
let fleet: CachedGateway[] = []
let fleets = 0
afterEach(async () => {
  await Promise.all(fleet.map((node) => node.close()))
  fleet = []
  await chat?.close()
})

/** Two gateways that share a Redis and an upstream, and nothing else. */
async function startFleet(): Promise<readonly [CachedGateway, CachedGateway]> {
  const url = redis.status === 'ready' ? redis.url : ''
  const keyPrefix = `gw${++fleets}:`
  chat = await startFakeUpstream({ attentive: true, delayMs: 100, tokenDelayMs: 2 })
  const node = (): Promise<CachedGateway> =>
    cachedGateway({
      chat,
      store: cacheRedis({ url, keyPrefix }) as Plugin,
      cache: { lookupTimeoutMs: 200, fleetTimeoutMs: 1_000 },
    })
  fleet = [await node(), await node()]
  return fleet as unknown as readonly [CachedGateway, CachedGateway]
}

const ask = (node: CachedGateway, text: string, more: object = {}): Promise<Answer> =>
  node.ask('chat/completions', { model: 'chat/fake', messages: [{ role: 'user', content: text }], ...more })

describe('several gateways on one Redis', () => {
  beforeEach((context) => {
    if (redis.status !== 'ready') context.skip(notRunLine(redis))
  })

  test('answer what another one was asked; what one invalidates, none serves once it says so', async () => {
    const [one, two] = await startFleet()
    expect((await ask(one, 'hi')).cache).toBe('miss')
    await vi.waitFor(async () => expect((await ask(two, 'hi')).cache).toMatch(/^hit l[12]$/))
    expect((await ask(two, 'hi', { stream: true })).cache).toBe('hit l1')
    for (const [by, other] of [
      [one, two],
      [two, one],
    ] as const) {
      expect(await by.admin('POST', 'cache/invalidate', { tenant: 'acme' })).toMatchObject({ status: 200 })
      expect((await ask(other, 'hi')).cache).toBe('miss')
      await vi.waitFor(async () => expect((await ask(by, 'hi')).cache).toMatch(/^hit/))
    }
  })

  test('send 20 equal streams at once over both of them up as one', async () => {
    const nodes = await startFleet()
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, at) => ask(nodes[at % 2] as CachedGateway, 'hi', { stream: true })),
    )
    expect(chat.requests).toHaveLength(1)
    expect(new Set(all.map(({ text }) => text.endsWith('data: [DONE]\n\n')))).toEqual(new Set([true]))
    expect(all.map(({ cache }) => cache).sort()).toEqual([...Array(19).fill('hit coalesced'), 'miss'])
  })

  test('that is gone: calls are answered from upstream, an invalidation fails, and the report says why', async () => {
    const [one] = await startFleet()
    await ask(one, 'hi')
    if (redis.status === 'ready') await redis.kill()
    const { status } = await one.admin('POST', 'cache/invalidate', { tenant: 'acme' })
    expect(status).toBeGreaterThanOrEqual(500)
    for (let time = 0; time < 6; time++) expect((await ask(one, `anew ${time}`)).status).toBe(200)
    expect((await one.admin('GET', 'cache')).body).toMatchObject({ store: { is_away: true } })
    if (redis.status === 'ready') await redis.restart()
    await vi.waitFor(async () => expect((await one.admin('POST', 'cache/invalidate', { tenant: 'acme' })).status).toBe(200), {
      timeout: 15_000,
      interval: 200,
    })
    await vi.waitFor(
      async () => {
        await ask(one, 'again')
        expect((await ask(one, 'again')).cache).toMatch(/^hit/)
      },
      { timeout: 15_000, interval: 200 },
    )
  })
})
