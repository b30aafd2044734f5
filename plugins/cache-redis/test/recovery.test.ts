import { type CallOptions, secret } from '@switchyard/contract'
import { systemClock } from '@switchyard/testkit'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { privateRedis } from '../../../scripts/services/index.ts'
import type { CacheRedisInput } from '../src/index.ts'
import { failureOf, needs, open, PATIENCE } from './support/server.ts'

const server = await privateRedis()
needs(server)
const redis = server as Extract<typeof server, { status: 'ready' }>
afterAll(() => (server.status === 'ready' ? server.stop() : undefined))
beforeEach(async () => {
  if (server.status === 'ready') await server.ask('FLUSHALL')
})

const clock = systemClock()
const own = (options: CacheRedisInput = {}) => open({ url: redis.url, ...options })
const lease = (id: string) => ({ id, expiresAt: clock.now() + 600_000 })
const row = { key: 'k', amount: 1n, limit: 100n }

test('a stalled Redis holds no call longer than commandTimeoutMs, and serves again once it goes on', async () => {
  const { counters, plugin, bus } = await own({ commandTimeoutMs: 300 })
  await counters.reserve([row], lease('before'))
  redis.pause()
  try {
    const calls: ((options?: CallOptions) => Promise<unknown>)[] = [
      (options) => counters.reserve([row], lease('during'), options),
      (options) => counters.settle('before', {}, options),
      (options) => counters.read(['k'], options),
      (options) => counters.expired(options),
      (options) => bus.publish('t', new Uint8Array(1), options),
      (options) => bus.subscribe('t', () => {}, options),
      (options) => plugin.health?.(options?.signal) ?? Promise.reject(),
    ]
    const left = new AbortController()
    const leaving = calls.map((call) => failureOf(call({ signal: left.signal })))
    left.abort()
    for (const error of await Promise.all(leaving)) expect(error).toMatchObject({ code: 'ABORTED' })
    const began = clock.monotonic()
    const errors = await Promise.all(calls.map((call) => failureOf(call())))
    // Far less than any of the client's own timeouts.
    expect(clock.monotonic() - began).toBeLessThan(4_000)
    for (const error of errors) expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect((errors[2] as Error).message).toMatch(/commandTimeoutMs, 300 ms/)
  } finally {
    redis.resume()
  }
  const answers = () =>
    counters.read(['k']).then(
      () => true,
      () => false,
    )
  await expect.poll(answers, PATIENCE).toBe(true)
})

test('a lost Redis is refused at once, and one that comes back, empty, is used again; so is its bus', async () => {
  const { counters, bus, plugin, log } = await own()
  await counters.reserve([row], lease('before'))
  const heard: number[] = []
  await bus.subscribe('t', ([first]) => heard.push(first as number))
  await redis.kill()
  try {
    await expect.poll(() => failureOf(counters.read(['k'])), PATIENCE).toMatchObject({ details: { sent: false } })
    expect(await failureOf(counters.reserve([row], lease('during')))).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
    })
    expect(await failureOf(plugin.health?.() as Promise<void>)).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  } finally {
    await redis.restart()
  }
  const granted = () =>
    counters.reserve([row], lease('after')).then(
      (said) => said.granted,
      () => false,
    )
  await expect.poll(granted, PATIENCE).toBe(true)
  expect(await counters.read(['k'])).toEqual([1n])
  const hears = async () => {
    await bus.publish('t', new Uint8Array([7])).catch(() => {})
    return heard.length > 0
  }
  await expect.poll(hears, PATIENCE).toBe(true)
  expect(log.records.filter(({ message }) => message === 'redis is away').length).toBeLessThanOrEqual(2)
})

test('what was lost with the connection is not sent again when it is back', async () => {
  const { counters } = await own({ commandTimeoutMs: 300 })
  // So that the tag is known, and the next reserve is one command.
  await counters.reserve([row], lease('before'))
  redis.pause()
  const reserving = failureOf(counters.reserve([row], lease('lost')))
  await redis.kill()
  expect(await reserving).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  await redis.restart()
  const sum = () =>
    counters.read(['k']).then(
      (sums) => sums[0],
      () => 'away',
    )
  await expect.poll(sum, PATIENCE).not.toBe('away')
  expect(await sum()).toBe(0n)
})

test('scripts that the server forgot are given to it again, also under load', async () => {
  const { counters } = await own()
  await counters.reserve([row], lease('0'))
  await redis.ask('SCRIPT', 'FLUSH')
  const said = await Promise.all(Array.from({ length: 50 }, (_, at) => counters.reserve([row], lease(`again ${at}`))))
  expect(said.every(({ granted }) => granted)).toBe(true)
  expect(await counters.read(['k'])).toEqual([51n])
})

test('a full Redis is OVERLOADED, and changes no row', async () => {
  const { counters } = await own()
  await counters.reserve([row], lease('0'))
  await redis.ask('CONFIG', 'SET', 'maxmemory', '1')
  try {
    const error = await failureOf(counters.reserve([row], lease('1')))
    expect(error).toMatchObject({ code: 'OVERLOADED', details: { vendorCode: 'OOM' } })
  } finally {
    await redis.ask('CONFIG', 'SET', 'maxmemory', '0')
  }
  expect(await counters.read(['k'])).toEqual([1n])
})

test('calls beyond maxInFlight are OVERLOADED', async () => {
  const { counters } = await own({ maxInFlight: 2 })
  const said = await Promise.allSettled(Array.from({ length: 3 }, () => counters.read(['k'])))
  expect(said.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  expect(await failureOf(Promise.reject((said[2] as PromiseRejectedResult).reason))).toMatchObject({ code: 'OVERLOADED' })
})

test('a closed plugin ends what is under way and refuses what comes', async () => {
  const { counters, plugin } = await own()
  redis.pause()
  const waiting = failureOf(counters.read(['k']))
  await plugin.close()
  redis.resume()
  expect(await waiting).toMatchObject({ code: 'CLOSED' })
  expect(await failureOf(counters.read(['k']))).toMatchObject({ code: 'CLOSED' })
  await expect.poll(() => redis.ask('CLIENT', 'LIST'), PATIENCE).not.toContain('switchyard/')
})

describe('the start', () => {
  test('is stopped by nobody at the address, and by a wrong password, which no error shows', async () => {
    expect(await failureOf(own({ url: 'redis://127.0.0.1:1' }))).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    const wrong = await failureOf(own({ username: 'nobody', password: 'hunter22' }))
    expect(wrong).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(JSON.stringify(wrong) + String((wrong as Error).message)).not.toContain('hunter22')
  })

  test('without connectOnStart waits for nobody', async () => {
    const { counters } = await own({ url: 'redis://127.0.0.1:1', connectOnStart: false })
    expect(await failureOf(counters.read(['k']))).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  })

  test('warns of a policy that evicts counters', async () => {
    await redis.ask('CONFIG', 'SET', 'maxmemory', '100mb')
    await redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    const warned = await own()
    await redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru')
    const calm = await own()
    await redis.ask('CONFIG', 'SET', 'maxmemory', '0')
    const warnings = ({ log }: typeof calm) => log.records.filter(({ level }) => level === 'warn').map(({ message }) => message)
    expect(warnings(warned)).toEqual([expect.stringMatching(/allkeys-lru.*noeviction/)])
    expect(warnings(calm)).toEqual([])
  })

  test('an ACL user needs no more than the README says', async () => {
    const rights = ['~acl:*', '&acl:*', '+@read', '+@write', '+@scripting', '+@connection', '+@pubsub', '+info', '+time']
    await redis.ask('ACL', 'LOG', 'RESET')
    await redis.ask('ACL', 'SETUSER', 'app', 'on', '>s3cret', 'resetkeys', 'resetchannels', ...rights)
    const { cache, counters, bus, plugin } = await own({ username: 'app', password: secret('s3cret'), keyPrefix: 'acl:' })
    expect(await counters.reserve([row], lease('l'))).toMatchObject({ granted: true })
    expect(await counters.expired()).toEqual([])
    await bus.subscribe('t', () => {})
    await bus.publish('t', new Uint8Array(1))
    await plugin.health?.()
    await cache.set('k', { value: new Uint8Array(1), tags: ['t'], expiresAt: clock.now() + 60_000 })
    expect(await cache.get('k')).toMatchObject({ tags: ['t'] })
    expect(await cache.countByTag?.('t')).toEqual({ count: 1, exact: false })
    await cache.deleteByTag('t')
    expect(await cache.delete('k')).toBe(false)
    // Refused inside a script or in the background is refused too.
    expect((await redis.ask('ACL', 'LOG')).trim()).toBe('*0')
    const elsewhere = own({ username: 'app', password: 's3cret', keyPrefix: 'other:' })
    expect(await failureOf(elsewhere)).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/NOPERM.*README lists/),
    })
  })
})
