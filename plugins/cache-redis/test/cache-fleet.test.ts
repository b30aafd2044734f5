import { setTimeout as delay } from 'node:timers/promises'
import type { Cache, Clock } from '@switchyard/contract'
import { systemClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { logKeys } from '../src/log/keys.ts'
import { type Copies, copiesOf } from './support/copies.ts'
import { openProxy } from './support/proxy.ts'
import { failureOf, freshPrefix, needsServer, type Opened, open, PATIENCE, serverUrl, settleLog } from './support/server.ts'

needsServer()
let redis: Redis
beforeAll(() => {
  redis = new Redis(serverUrl ?? 'redis://127.0.0.1:1', { lazyConnect: serverUrl === undefined })
})
afterAll(() => redis.disconnect())

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = async (cache: Cache, key: string): Promise<string | undefined> => {
  const entry = await cache.get(key)
  return entry === undefined ? undefined : Buffer.from(entry.value).toString()
}

interface Node extends Opened {
  readonly copies: Copies
}

/** Shorter than usual, as some tests wait for its end. */
const leaseMs = 400

async function node(keyPrefix: string, options: object = {}, clock?: Clock): Promise<Node> {
  const opened = await open({ url: serverUrl, keyPrefix, ...options }, clock)
  return { ...opened, copies: copiesOf(opened.cache) }
}

/** Nodes on one prefix; the third lives in another year. */
async function fleet(
  options: object = {},
): Promise<{ readonly nodes: readonly [Node, Node, Node]; readonly keyPrefix: string }> {
  const keyPrefix = await settleLog(redis, freshPrefix())
  const right = systemClock()
  const skewed: Clock = { ...right, now: () => right.now() + 40_000_000_000 }
  const nodes = [
    await node(keyPrefix, options),
    await node(keyPrefix, options),
    await node(keyPrefix, options, skewed),
  ] as const
  return { nodes, keyPrefix }
}

describe('whatever goes on at once', () => {
  const kinds = ['set', 'set', 'fill', 'read', 'read', 'use', 'use', 'deleteByTag', 'deleteByTag', 'delete'] as const
  const steps = fc.array(fc.record({ kind: fc.constantFrom(...kinds), node: fc.nat(2), key: fc.nat(3), after: fc.nat(3) }), {
    minLength: 20,
    maxLength: 60,
  })

  test('after a deletion resolved no node gives what it deleted, from Redis or from a copy', async () => {
    const { nodes } = await fleet()
    let run = 0
    let given = 0
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        run += 1
        let time = 0
        const tick = (): number => (time += 1)
        // A value is void for reads that begin after a deletion resolved which was called after the value was there; and where it has a
        // mark, which knows tags, after that was taken.
        const values: {
          readonly text: string
          readonly key: string
          readonly tag: string
          markedAt: number
          thereAt: number
        }[] = []
        const deletions: { readonly name: string; readonly calledAt: number; doneAt: number }[] = []
        const check = (text: string | undefined, key: string, beganAt: number): void => {
          const value = values.find((one) => one.text === text)
          if (value === undefined) return
          given += 1
          const wrong = deletions.find(
            ({ name, calledAt, doneAt }) =>
              doneAt < beganAt &&
              ((name === `t${value.tag}` && Math.min(value.markedAt, value.thereAt) < calledAt) ||
                (name === `k${key}` && value.thereAt < calledAt)),
          )
          if (wrong !== undefined) throw new Error(`${text} was given though ${wrong.name} was deleted`)
        }
        await Promise.all(
          script.map(async (step, at) => {
            const { cache, copies } = nodes[step.node] as Node
            const [key, tag] = [`${run}-${step.key}`, `${run}-${step.key % 2}`]
            // Some begin together, and some while others are under way.
            for (let turn = 0; turn < step.after * at; turn += 1) await new Promise(setImmediate)
            const name = step.kind === 'delete' ? `k${key}` : `t${tag}`
            if (step.kind === 'set' || step.kind === 'fill') {
              const mark = step.kind === 'fill' ? cache.mark?.([tag]) : undefined
              const markedAt = mark === undefined ? Number.POSITIVE_INFINITY : tick()
              const value = { text: `v${run}-${at}`, key, tag, markedAt, thereAt: Number.POSITIVE_INFINITY }
              values.push(value)
              if (mark !== undefined) await delay(step.after)
              await cache.set(key, { value: bytes(value.text), tags: [tag, 'all'], ...(mark === undefined ? {} : { mark }) })
              value.thereAt = tick()
            } else if (step.kind === 'read') {
              const began = tick()
              check(await copies.read(key), key, began)
            } else if (step.kind === 'use') check(copies.use(key), key, tick())
            else {
              const deletion = { name, calledAt: tick(), doneAt: Number.POSITIVE_INFINITY }
              deletions.push(deletion)
              await (step.kind === 'delete' ? cache.delete(key) : cache.deleteByTag(tag))
              deletion.doneAt = tick()
              for (const other of nodes) check(other.copies.use(key), key, tick())
            }
          }),
        )
        const last = tick()
        for (const { cache, copies } of nodes) {
          for (const key of [0, 1, 2, 3].map((at) => `${run}-${at}`)) {
            check(copies.use(key), key, last)
            check(await textOf(cache, key), key, last)
          }
        }
      }),
      { numRuns: 150 },
    )
    // Else it would hold of a cache that never gives anything.
    expect(given).toBeGreaterThan(200)
  })
})

test('marks are the same on every node, and differ after a deletion anywhere', async () => {
  const { nodes } = await fleet()
  const marks = (): Set<string | undefined> => new Set(nodes.map(({ cache }) => cache.mark?.(['a', 'b'])))
  const seen = new Set<string | undefined>()
  for (const [at, tag] of ['a', 'b', 'a'].entries()) {
    await nodes[at]?.cache.deleteByTag(tag)
    const [mark, ...others] = marks()
    expect([mark, ...others]).toEqual([expect.stringMatching(/^[!-~]{1,64}$/)])
    seen.add(mark)
  }
  expect(seen.size).toBe(3)
})

test('thousands of deletions at once resolve in time, and all are told on every node', async () => {
  const { nodes } = await fleet()
  const tags = Array.from({ length: 3_000 }, (_, at) => `t${at}`)
  await Promise.all(tags.map((tag, at) => nodes[at % 3]?.cache.deleteByTag(tag)))
  for (const { copies } of nodes) expect(new Set(copies.told)).toEqual(new Set(tags.map((tag) => `tag ${tag}`)))
})

describe('a node that is held up', () => {
  async function heldUp(options: object = {}) {
    const keyPrefix = await settleLog(redis, freshPrefix())
    const proxy = await openProxy(Number(new URL(serverUrl as string).port || 6379))
    const free = await node(keyPrefix, { leaseMs })
    const held = await node(keyPrefix, { url: `redis://127.0.0.1:${proxy.port}`, commandTimeoutMs: 300, leaseMs, ...options })
    await free.cache.set('k', { value: bytes('old'), tags: ['t'] })
    expect(await held.copies.read('k')).toBe('old')
    return { keyPrefix, proxy, free, held }
  }

  test('holds a deletion up until its lease has run out, uses no copy then, and hears of it later', async () => {
    const { proxy, free, held } = await heldUp()
    await expect.poll(() => held.copies.use('k'), PATIENCE).toBe('old')
    proxy.freeze()
    await free.cache.deleteByTag('t')
    expect(held.cache.changes?.current()).toBe(false)
    expect(held.cache.mark?.(['t'])).toBeUndefined()
    expect(await failureOf(held.cache.get('k'))).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect(await failureOf(held.cache.deleteByTag('u'))).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    proxy.thaw()
    await expect.poll(() => held.cache.changes?.current(), PATIENCE).toBe(true)
    expect(held.copies.told).toContain('tag t')
    expect(await held.cache.get('k')).toBeUndefined()
  })

  test('is waited for no longer once it is cut off', async () => {
    const { proxy, free, held } = await heldUp()
    proxy.cut()
    await free.cache.deleteByTag('t')
    expect(held.copies.use('k')).toBeUndefined()
    proxy.mend()
    await expect.poll(() => held.cache.changes?.current(), PATIENCE).toBe(true)
    expect(held.copies.use('k')).toBeUndefined()
  })

  test.each<[string, (log: string) => Promise<unknown>]>([
    ['all of it', (log) => redis.xtrim(log, 'MAXLEN', 0)],
    ['all but the last', (log) => redis.xtrim(log, 'MAXLEN', 1)],
    ['with the key', (log) => redis.del(log)],
  ])('is told that it missed something where the log was trimmed meanwhile: %s', async (_name, trim) => {
    const { keyPrefix, proxy, free, held } = await heldUp()
    proxy.freeze()
    await free.cache.deleteByTag('t')
    await free.cache.deleteByTag('u')
    await trim(logKeys(keyPrefix).log)
    proxy.thaw()
    await expect.poll(() => held.cache.changes?.current(), PATIENCE).toBe(true)
    expect(held.copies.told.at(-1)).toBe('all')
    expect(held.copies.use('k')).toBeUndefined()
    expect(await held.cache.get('k')).toBeUndefined()
    // And goes on as before.
    await held.cache.set('k', { value: bytes('new'), tags: ['t'] })
    await expect.poll(() => textOf(free.cache, 'k'), PATIENCE).toBe('new')
    await free.cache.deleteByTag('t')
    expect(await held.cache.get('k')).toBeUndefined()
  })

  test('whose follower alone was cut off still hears of everything in time', async () => {
    const name = `cut-${Date.now()}`
    const { free, held } = await heldUp({ clientName: name })
    for (let round = 0; round < 5; round += 1) {
      const clients = String(await redis.client('LIST')).split('\n')
      const reading = clients.filter((line) => line.includes(`name=${name}`) && line.includes('cmd=xread'))
      for (const line of reading) await redis.client('KILL', 'ID', /id=(\d+)/.exec(line)?.[1] as string)
      await free.cache.set('k', { value: bytes(`v${round}`), tags: ['t'] })
      await held.copies.read('k')
      await free.cache.deleteByTag('t')
      expect(held.copies.use('k')).toBeUndefined()
      expect(await held.cache.get('k')).toBeUndefined()
    }
    expect(held.copies.told.filter((told) => told === 'tag t')).toHaveLength(5)
  })
})

describe('a lost state', () => {
  test.each<[string, (keys: ReturnType<typeof logKeys>) => readonly string[]]>([
    ['the table alone', ({ state }) => [state]],
    ['the log alone', ({ log }) => [log]],
    ['both', ({ log, state }) => [log, state]],
  ])('%s makes all that was stored void, for good, and every copy', async (_name, lost) => {
    const { nodes, keyPrefix } = await fleet({ leaseMs })
    const [first, second] = nodes
    await first.cache.set('k', { value: bytes('old'), tags: ['t'] })
    await second.copies.read('k')
    const mark = second.cache.mark?.(['t'])
    await redis.del(...lost(logKeys(keyPrefix)))
    await first.cache.deleteByTag('other')
    // Beside the new state nobody knows of the leases under the old one; so it took until the second had none of them.
    expect(second.copies.use('k')).toBeUndefined()
    await expect.poll(() => nodes.every(({ cache }) => cache.changes?.current()), PATIENCE).toBe(true)
    for (const { cache, copies } of nodes) {
      expect(await cache.get('k')).toBeUndefined()
      expect(copies.told).toContain('all')
    }
    expect(second.cache.mark?.(['t'])).not.toBe(mark)
    await second.cache.set('k', { value: bytes('late'), tags: ['t'], ...(mark === undefined ? {} : { mark }) })
    expect(await first.cache.get('k')).toBeUndefined()
    await second.cache.set('k', { value: bytes('new'), tags: ['t'] })
    expect(await textOf(first.cache, 'k')).toBe('new')
  })
})

test('a table of too many tags forgets the oldest, and with them what was stored before', async () => {
  const keyPrefix = await settleLog(redis, freshPrefix())
  const [first, second] = [await node(keyPrefix, { maxTags: 20 }), await node(keyPrefix, { maxTags: 20 })]
  await first.cache.set('old', { value: bytes('old'), tags: ['never deleted'] })
  for (let at = 0; at < 50; at += 1) await (at % 2 === 0 ? first : second).cache.deleteByTag(`t${at}`)
  await second.cache.set('new', { value: bytes('new'), tags: ['t0', 't49'] })
  for (const { cache } of [first, second]) {
    expect(await cache.get('old')).toBeUndefined()
    expect(await textOf(cache, 'new')).toBe('new')
  }
  expect(await redis.hlen(logKeys(keyPrefix).state)).toBeLessThanOrEqual(28)
  expect(first.cache.mark?.(['t0', 't30'])).toBe(second.cache.mark?.(['t0', 't30']))
  await first.cache.deleteByTag('t0')
  expect(await second.cache.get('new')).toBeUndefined()
})

test('prefixes never meet, whatever the keys', async () => {
  const base = freshPrefix()
  const pairs = [base, `${base}x:`, `${base}entry`].map((prefix) => settleLog(redis, prefix))
  const nodes = await Promise.all((await Promise.all(pairs)).map((prefix) => node(prefix)))
  const keys = ['k', 'x:k', '{}k', 'entry{}k', 'x:{}k', '{cache}:state', '}', '{']
  for (const [at, { cache }] of nodes.entries()) {
    for (const key of keys) await cache.set(key, { value: bytes(`${at} ${key}`), tags: ['t'] })
  }
  await nodes[1]?.cache.deleteByTag('t')
  for (const [at, { cache }] of nodes.entries()) {
    for (const key of keys) expect(await textOf(cache, key)).toBe(at === 1 ? undefined : `${at} ${key}`)
  }
})

test('keys and tags of any characters stay apart, and half a surrogate pair is refused', async () => {
  const { cache } = await node(await settleLog(redis, freshPrefix()))
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(text, { minLength: 2, maxLength: 5 }), fc.uint8Array(), async ([one, ...others], value) => {
      for (const key of others) await cache.set(key, { value, tags: [key] })
      await cache.set(one as string, { value: bytes('one'), tags: [one as string] })
      await cache.deleteByTag(one as string)
      expect(await cache.get(one as string)).toBeUndefined()
      for (const key of others) expect(await cache.get(key)).toEqual({ value, tags: [key] })
    }),
    { numRuns: 10 },
  )
  const half = '\ud800'
  const calls = [
    cache.get(half),
    cache.set(half, { value: bytes('v') }),
    cache.set('k', { value: bytes('v'), tags: [half] }),
    cache.delete(half),
    cache.deleteByTag(half),
  ]
  for (const call of calls) expect(await failureOf(call)).toMatchObject({ code: 'INVALID_REQUEST' })
})

test('an entry that comes back after its deletion, as by a failover, is still dead', async () => {
  const { nodes, keyPrefix } = await fleet()
  const [first, second] = nodes
  for (const remove of [() => first.cache.delete('k'), () => first.cache.deleteByTag('t')]) {
    await first.cache.set('k', { value: bytes('old'), tags: ['t'] })
    const kept = await redis.getBuffer(`${keyPrefix}{}k`)
    await remove()
    await redis.set(`${keyPrefix}{}k`, kept as Buffer)
    for (const { cache } of [first, second]) expect(await cache.get('k')).toBeUndefined()
    expect(await second.cache.delete('k')).toBe(false)
  }
})

test('an entry that somebody else wrote, or that is cut short, is none', async () => {
  const keyPrefix = await settleLog(redis, freshPrefix())
  const { cache } = await node(keyPrefix)
  await cache.set('k', { value: bytes('whole'), tags: ['t'] })
  const whole = (await redis.getBuffer(`${keyPrefix}{}k`)) as Buffer
  for (const wrong of [whole.subarray(0, 9), whole.subarray(0, 3), Buffer.from('text'), Buffer.from([1, 255, 255, 255, 255])]) {
    await redis.set(`${keyPrefix}{}k`, wrong)
    expect(await cache.get('k')).toBeUndefined()
  }
})
