import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isOlder } from '../src/log/ids.ts'
import { type LogKeys, logKeys } from '../src/log/keys.ts'
import { APPEND, DELETE, LOAD, RENEW } from '../src/log/scripts.ts'
import type { Script } from '../src/run-script.ts'
import { freshPrefix, needsServer, serverUrl, settleLog } from './support/server.ts'

needsServer()
let redis: Redis
beforeAll(() => {
  redis = new Redis(serverUrl ?? 'redis://127.0.0.1:1', { lazyConnect: serverUrl === undefined })
})
afterAll(() => redis.disconnect())

const LEASE_MS = 1_000

async function settled() {
  const prefix = await settleLog(redis, freshPrefix())
  const keys: LogKeys = logKeys(prefix)
  const run = (script: Script, node: string, ...args: string[]): Promise<unknown> =>
    redis.eval(script.text, 2, keys.log, keys.state, node, `genesis of ${node}`, String(LEASE_MS), '1000', '1000', ...args)
  const remove = async (node: string, tag = 't') => {
    const reply = (await run(DELETE, node, 'tag', tag, '0-0')) as [string, string, number, string, string[]]
    const [id, genesis, , hold, others] = reply
    return { id, genesis, hold: Number(hold), others: others.filter((_, at) => at % 2 === 0), left: others.map(Number) }
  }
  return { keys, run, remove }
}

test('a deletion names the leases of others that are in force, and for how long', async () => {
  const { keys, run, remove } = await settled()
  expect(await remove('a')).toMatchObject({ hold: 0, others: [] })
  await run(LOAD, 'a')
  await run(LOAD, 'b')
  const { others, left, hold } = await remove('a')
  expect({ others, hold }).toEqual({ others: ['b'], hold: 0 })
  expect(left[1]).toBeGreaterThan(0)
  expect(left[1]).toBeLessThanOrEqual(LEASE_MS)
  // As if it had run out.
  await redis.hset(keys.state, '!nodes', JSON.stringify({ b: 1, c: Date.now() * 2 }))
  const later = await remove('a')
  expect(later.others).toEqual(['c'])
  // Its end lies further ahead than any lease, by a clock that went back since.
  expect(later.left[1]).toBe(LEASE_MS)
})

describe('nothing counts as told for as long as a lease may be in force that the state does not tell of', () => {
  test.each<[string, (state: string) => Promise<unknown>]>([
    ['after the state was lost', (state) => redis.del(state)],
    ['after another server took over', (state) => redis.hset(state, '!replid', 'another')],
    ['after the clock leapt ahead, or nobody renewed', (state) => redis.hincrby(state, '!seen', -LEASE_MS)],
    ['after the clock went back', (state) => redis.hincrby(state, '!seen', 60_000)],
  ])('%s', async (_name, spoil) => {
    const { keys, remove } = await settled()
    expect((await remove('a')).hold).toBe(0)
    await spoil(keys.state)
    const { hold } = await remove('a')
    expect(hold).toBeGreaterThan(LEASE_MS / 2)
    expect(hold).toBeLessThanOrEqual(LEASE_MS)
    expect((await remove('a')).hold).toBeGreaterThan(0)
  })
})

test('ids leap when another server takes over, so that none is given out twice, and never go back', async () => {
  const { keys, run, remove } = await settled()
  const before = await remove('a')
  await redis.hset(keys.state, '!replid', 'another')
  const after = await remove('a')
  expect(Number(after.id.split('-')[0]) - Number(before.id.split('-')[0])).toBeGreaterThanOrEqual(60_000)
  expect(after.genesis).toBe(before.genesis)
  const next = String(await run(APPEND, 'a', 'x', 'k', '0', ''))
  expect(isOlder(after.id, next)).toBe(true)
})

test('a new genesis follows a lost log or table, and each entry names the one before it', async () => {
  const { keys, run, remove } = await settled()
  const first = await remove('a')
  await redis.del(keys.log)
  const second = await remove('b')
  expect(second.genesis).toBe('genesis of b')
  expect(second.genesis).not.toBe(first.genesis)
  await run(APPEND, 'a', 'x', 'k', '1', 'bytes', 'y', 'k', '0', '')
  const entries = await redis.xrange(keys.log, '-', '+')
  expect(entries.map(([, fields]) => fields[fields.indexOf('t') + 1])).toEqual(['!genesis', 'tag', 'x', 'y'])
  expect(entries.map(([, fields]) => fields[fields.indexOf('p') + 1])).toEqual([
    '0-0',
    ...entries.slice(0, -1).map(([id]) => id),
  ])
  expect(await run(RENEW, 'a', String(first.id), '10')).toMatchObject(['held', expect.any(Array), 0])
})

test('a renewal that cannot give all that is behind gives no lease, and none at a position that is not there yet', async () => {
  const { keys, run, remove } = await settled()
  const { id } = await remove('a')
  for (let more = 0; more < 3; more += 1) await remove('a')
  expect(await run(RENEW, 'b', id, '2')).toMatchObject(['more', [expect.anything(), expect.anything()]])
  expect(await run(RENEW, 'b', '9999999999999-0', '2')).toEqual(['gap'])
  expect(await redis.hget(keys.state, '!nodes')).toBe('{}')
  expect(await run(RENEW, 'b', id, '3')).toMatchObject(['held', { length: 3 }, 0])
  expect(JSON.parse((await redis.hget(keys.state, '!nodes')) as string)).toEqual({ b: expect.any(Number) })
})
