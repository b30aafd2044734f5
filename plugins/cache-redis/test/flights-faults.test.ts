import { type Flights, flights, type Lead, type Listening } from '@switchyard/contract'
import { recordingLogger, systemClock } from '@switchyard/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { privateRedis } from '../../../scripts/services/index.ts'
import { redisFlights } from '../src/flights/redis-flights.ts'
import { guardOf } from '../src/guard.ts'
import type { CacheRedisInput } from '../src/index.ts'
import { bytes, hear, node } from './support/flights.ts'
import { failureOf, freshPrefix, needs, needsServer, open, PATIENCE, serverUrl } from './support/server.ts'

const clock = systemClock()

describe('on one Redis', () => {
  needsServer()

  test('a node listens over one connection, however many flights there are', async () => {
    const keyPrefix = freshPrefix()
    const client = new Redis(serverUrl as string)
    onTestFinished(() => client.disconnect())
    const [there, here] = [
      await node({ url: serverUrl, keyPrefix }),
      await node({ url: serverUrl, keyPrefix, clientName: 'ears' }),
    ]
    const subscribed = async (): Promise<number> => {
      const lines = String(await client.client('LIST')).split('\n')
      return lines.filter((line) => line.includes('name=ears') && / sub=[1-9]/.test(line)).length
    }
    const keys = Array.from({ length: 100 }, (_, at) => `${at}`)
    const leads = (await Promise.all(keys.map((key) => there.join(key)))) as Lead[]
    const first = hear((await here.join('0')) as Listening)
    await leads[0]?.append(bytes('0'))
    await expect.poll(() => first.text, PATIENCE).toBe('0')
    const ears = await Promise.all(keys.slice(1).map(async (key) => hear((await here.join(key)) as Listening)))
    for (const [at, lead] of leads.entries()) if (at > 0) await lead.append(bytes(`${at}`))
    await expect.poll(() => ears.map(({ text }) => text), PATIENCE).toEqual(keys.slice(1))
    expect(await subscribed()).toBe(1)
    await Promise.all(leads.map((lead) => lead.complete()))
    await expect.poll(() => [...ears, first].every(({ end }) => end === 'complete'), PATIENCE).toBe(true)
  })

  test('everything of a flight expires: while it is led, and some seconds after its end', async () => {
    const keyPrefix = freshPrefix()
    const client = new Redis(serverUrl as string)
    onTestFinished(() => client.disconnect())
    const here = await node({ url: serverUrl, keyPrefix })
    const lead = (await here.join('k')) as Lead
    await lead.append(bytes('1'))
    await here.join('k')
    const lives = async (): Promise<number[]> => {
      const names = (await client.keys(`${keyPrefix}flight:*`)).toSorted()
      return Promise.all(names.map((name) => client.pttl(name)))
    }
    const led = await lives()
    expect(led.length).toBe(3)
    for (const ms of led) expect(ms).toBeGreaterThan(0)
    expect(Math.max(...led)).toBeLessThanOrEqual(12_400)
    await lead.complete()
    const left = await lives()
    expect(left).toHaveLength(2)
    for (const ms of left) {
      expect(ms).toBeGreaterThan(5_000)
      expect(ms).toBeLessThanOrEqual(10_000)
    }
  })

  test('who leads next is told whether a flight ended well of late', async () => {
    const keyPrefix = freshPrefix()
    const here = await node({ url: serverUrl, keyPrefix })
    const there = await node({ url: serverUrl, keyPrefix })
    const lead = async (from: Flights): Promise<Lead> => (await from.join('k')) as Lead
    const first = await lead(here)
    await first.abandon()
    const second = await lead(there)
    await second.complete()
    const third = await lead(here)
    await third.abandon()
    expect([first, second, third].map(({ role, isFirst }) => [role, isFirst])).toEqual([
      ['leader', true],
      ['leader', true],
      ['leader', false],
    ])
  })

  test('closing the plugin gives its leads up at once, and its listenings end', async () => {
    const keyPrefix = freshPrefix()
    const going = await open({ url: serverUrl, keyPrefix })
    const there = await node({ url: serverUrl, keyPrefix })
    const lead = (await going.plugin.port(flights).join('k')) as Lead
    await lead.append(bytes('1'))
    const ear = hear((await there.join('k')) as Listening)
    const other = (await there.join('other')) as Lead
    const own = hear((await going.plugin.port(flights).join('other')) as Listening)
    await expect.poll(() => ear.text, PATIENCE).toBe('1')
    await going.plugin.close()
    expect((await there.join('k')).role).toBe('leader')
    await expect.poll(() => ear.end, PATIENCE).toMatchObject({ code: 'CONFLICT' })
    await expect.poll(() => own.end, PATIENCE).toMatchObject({ code: 'CLOSED' })
    await expect(going.plugin.port(flights).join('k')).rejects.toMatchObject({ code: 'CLOSED' })
    await other.abandon()
  })

  test('a caller that did not wait for its join keeps no lead', async () => {
    const here = await node({ url: serverUrl, keyPrefix: freshPrefix() })
    const controller = new AbortController()
    const joining = failureOf(here.join('k', { signal: controller.signal }))
    controller.abort()
    expect(await joining).toMatchObject({ code: 'ABORTED' })
    const roles = async (): Promise<string> => {
      const joined = await here.join('k')
      await (joined.role === 'leader' ? joined.abandon() : joined.leave())
      return joined.role
    }
    await expect.poll(roles, { timeout: 1_500, interval: 20 }).toBe('leader')
  })
})

const server = await privateRedis()
afterAll(() => (server.status === 'ready' ? server.stop() : undefined))

describe('when Redis', () => {
  needs(server)
  beforeEach(async () => {
    if (server.status === 'ready') await server.ask('FLUSHALL')
  })
  const redis = server as Extract<typeof server, { status: 'ready' }>
  const two = async (options: CacheRedisInput = {}): Promise<[Flights, Flights]> => {
    const all = { url: redis.url, keyPrefix: freshPrefix(), ...options }
    return [await node(all), await node(all)]
  }

  test('cuts connections, all comes once and in order all the same', { timeout: 30_000 }, async () => {
    const [here, there] = await two()
    const lead = (await here.join('k')) as Lead
    const ears = [hear((await there.join('k')) as Listening), hear((await there.join('k')) as Listening)]
    let all = ''
    for (let at = 0; at < 60; at += 1) {
      if (at % 20 === 10) await redis.ask('CLIENT', 'KILL', 'TYPE', 'normal')
      if (at % 20 === 15) await redis.ask('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await lead.append(bytes(`${at},`))
      all += `${at},`
    }
    await lead.complete()
    await expect.poll(() => ears.map(({ end }) => end), PATIENCE).toEqual(['complete', 'complete'])
    expect(ears.map(({ text }) => text)).toEqual([all, all])
  })

  test('lost the message that there is more, it is read all the same', async () => {
    const [here, there] = await two()
    const lead = (await here.join('k')) as Lead
    const ear = hear((await there.join('k')) as Listening)
    await lead.append(bytes('1'))
    await expect.poll(() => ear.text, PATIENCE).toBe('1')
    // A stranger's chunk, of which nobody is told.
    const [stream] = (await redis.ask('KEYS', '*flight:*'))
      .split(/\s+/)
      .filter((name) => !/(lead|listeners)$/.test(name) && name.includes('flight:'))
    await redis.ask('XADD', stream as string, '2-0', 'd', '2')
    await expect.poll(() => ear.text, PATIENCE).toBe('12')
    await lead.abandon()
  })

  test('is away, a join rejects in time, a listener within a lease, an append too; then all begins anew', {
    timeout: 30_000,
  }, async () => {
    const [here, there] = await two({ commandTimeoutMs: 300 })
    const lead = (await here.join('k')) as Lead
    const ear = hear((await there.join('k')) as Listening)
    await lead.append(bytes('1'))
    await expect.poll(() => ear.text, PATIENCE).toBe('1')
    redis.pause()
    try {
      expect(await failureOf(there.join('other'))).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
      expect(await failureOf(lead.append(bytes('2')))).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
      await expect.poll(() => ear.end, PATIENCE).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    } finally {
      redis.resume()
    }
    const joins = (): Promise<string> =>
      there.join('k').then(
        ({ role }) => role,
        () => 'none',
      )
    await expect.poll(joins, PATIENCE).toBe('leader')
    await expect.poll(() => lead.signal.aborted, PATIENCE).toBe(true)
    expect(lead.signal.reason).toMatchObject({ code: 'CONFLICT' })
  })

  test('gave the lead to another, the very next append is refused, and so is its count and its end', async () => {
    const [here, there] = await two()
    const lead = (await here.join('k')) as Lead
    await lead.append(bytes('1'))
    const [held = ''] = /\S+:lead/.exec(await redis.ask('KEYS', '*:lead')) ?? []
    expect(await redis.ask('DEL', held)).toBe('1')
    const next = (await there.join('k')) as Lead
    expect([await failureOf(lead.append(bytes('2'))), lead.signal.aborted]).toEqual([
      expect.objectContaining({ code: 'CONFLICT', retryable: true }),
      true,
    ])
    expect(await failureOf(lead.listeners())).toMatchObject({ code: 'CONFLICT' })
    await lead.abandon()
    await next.append(bytes('new'))
    const ear = hear((await here.join('k')) as Listening)
    await next.complete()
    await expect.poll(() => ear.end, PATIENCE).toBe('complete')
    expect(ear.text).toBe('new')
  })

  test('did what it was told but its reply was lost, nothing is said twice', async () => {
    const client = new Redis(redis.url)
    onTestFinished(() => client.disconnect())
    let losing = 0
    const lossy = new Proxy(client, {
      get(target, name) {
        const own: unknown = Reflect.get(target, name)
        if (typeof own !== 'function') return own
        return async (...args: unknown[]) => {
          const reply: unknown = await own.apply(target, args)
          if (name !== 'callBuffer' && name !== 'evalsha') return reply
          if (losing === 0) return reply
          losing -= 1
          throw new Error('Connection is closed.')
        }
      },
    })
    const guard = guardOf({ clock, commandTimeoutMs: 1_000, maxInFlight: 100 })
    onTestFinished(() => guard.close())
    const all = {
      subscriber: new Redis(redis.url),
      guard,
      clock,
      keyPrefix: freshPrefix(),
      maxFlightBytes: 100,
      log: recordingLogger(),
    }
    onTestFinished(() => all.subscriber.disconnect())
    const shared = redisFlights({ ...all, client: lossy })
    const lead = (await shared.join('k')) as Lead
    const ear = hear((await shared.join('k')) as Listening)
    for (const text of ['1', '2', '3']) {
      losing = 2
      await lead.append(bytes(text))
    }
    losing = 1
    await lead.complete()
    await expect.poll(() => ear.end, PATIENCE).toBe('complete')
    expect(ear.text).toBe('123')
  })

  test('forgot everything, the leader loses its lead and listeners are told', { timeout: 30_000 }, async () => {
    const [here, there] = await two()
    const lead = (await here.join('k')) as Lead
    const ear = hear((await there.join('k')) as Listening)
    await lead.append(bytes('1'))
    await expect.poll(() => ear.text, PATIENCE).toBe('1')
    await redis.ask('FLUSHALL')
    await expect.poll(() => ear.end, PATIENCE).toMatchObject({ code: 'CONFLICT' })
    expect(await failureOf(lead.append(bytes('2')))).toMatchObject({ code: 'CONFLICT' })
    expect(await failureOf(lead.complete())).toMatchObject({ code: 'CONFLICT' })
    await lead.abandon()
  })

  test('lost a chunk, as at a failover, no listener is handed the next one', async () => {
    const [here, there] = await two()
    const lead = (await here.join('k')) as Lead
    for (const text of ['1', '2']) await lead.append(bytes(text))
    const names = (await redis.ask('KEYS', '*flight:*')).split(/\s+/)
    for (const name of names)
      if (name.includes('flight:') && !/(lead|listeners)$/.test(name)) await redis.ask('XDEL', name, '2-0')
    expect(await failureOf(lead.append(bytes('3')))).toMatchObject({ code: 'CONFLICT' })
    expect(lead.signal.aborted).toBe(true)
    const ear = hear((await there.join('k')) as Listening)
    await expect.poll(() => ear.end, PATIENCE).toMatchObject({ code: 'CONFLICT' })
    expect(ear.text).toBe('1')
  })
})
