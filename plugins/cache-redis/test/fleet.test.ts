import type { Counters } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { SWEEP_AT_ONCE } from '../src/counters/script-prelude.ts'
import { failureOf, freshPrefix, needsServer, open, openShared, PATIENCE, serverUrl } from './support/server.ts'

needsServer()

const FAR = 4_000_000_000_000

async function fleet(nodes: number): Promise<Counters[]> {
  const first = await openShared()
  const others = Array.from({ length: nodes - 1 }, () => open({ url: serverUrl, keyPrefix: first.keyPrefix }))
  return [first.counters, ...(await Promise.all(others)).map(({ counters }) => counters)]
}

test('a thousand racers of four nodes never pass the limit, and the last unit goes once', async () => {
  const nodes = await fleet(4)
  const race = Array.from({ length: 1_000 }, (_, at) => {
    const rows = ['{t}org', '{t}team', '{t}key'].map((key) => ({ key, amount: 3n, limit: 100n }))
    return (nodes[at % 4] as Counters).reserve(rows, { id: `{t}${at}`, expiresAt: FAR })
  })
  const said = await Promise.all(race)
  expect(said.filter(({ granted }) => granted)).toHaveLength(33)
  expect(await nodes[3]?.read(['{t}org', '{t}team', '{t}key'])).toEqual([99n, 99n, 99n])
  const last = await Promise.all(
    nodes.map((node, at) => node.reserve([{ key: '{t}org', amount: 1n, limit: 100n }], { id: `{t}last${at}`, expiresAt: FAR })),
  )
  expect(last.filter(({ granted }) => granted)).toHaveLength(1)
})

test('nodes share one list of expired leases, over all tags, oldest first', async () => {
  const clock = virtualClock()
  const { counters, keyPrefix } = await openShared({}, clock)
  const { counters: other } = await open({ url: serverUrl, keyPrefix }, clock)
  for (const [at, tag] of ['{b}', '{a}', ''].entries()) {
    const lease = { id: `${tag}lease`, expiresAt: clock.now() + 30 - at, note: `note ${at}` }
    await counters.reserve([{ key: `${tag}k`, amount: 9n, expected: 4n }], lease)
  }
  await clock.advance(100)
  expect((await other.expired()).map(({ id, note }) => [id, note])).toEqual([
    ['lease', 'note 2'],
    ['{a}lease', 'note 1'],
    ['{b}lease', 'note 0'],
  ])
  await counters.acknowledge(['{a}lease', 'lease', 'unknown'])
  expect((await other.expired()).map(({ id }) => id)).toEqual(['{b}lease'])
  expect(await other.read(['k', '{a}k', '{b}k'])).toEqual([4n, 4n, 4n])
})

describe('a backlog of due leases larger than one run works off', () => {
  test.each<[string, (counters: Counters, now: number) => Promise<unknown>, unknown]>([
    [
      'reserve',
      (it, now) => it.reserve([{ key: 'k', amount: 1n, limit: 1n }], { id: 'n', expiresAt: now + 9 }),
      { granted: true, sums: [1n] },
    ],
    ['read', (it) => it.read(['k']), [0n]],
    ['settle', (it) => it.settle('0', {}), { settled: false }],
    ['renew', (it) => it.renew('0', { settleUntil: FAR }), { renewed: false }],
    ['expired', (it) => it.expired(), []],
  ])('does not show in what %s says', async (_name, ask, wanted) => {
    const clock = virtualClock()
    const { counters } = await openShared({}, clock)
    const expiresAt = clock.now() + 10
    const leases = Array.from({ length: SWEEP_AT_ONCE * 2 + 1 }, (_, at) =>
      counters.reserve([{ key: 'k', amount: 1n }], { id: String(at), expiresAt: expiresAt + (at === 0 ? 1 : 0) }),
    )
    await Promise.all(leases)
    await clock.advance(100)
    expect(await ask(counters, clock.now())).toEqual(wanted)
  })
})

describe('refused before anything is sent', () => {
  const lease = { id: '{t}l', expiresAt: FAR }
  test.each<[string, (it: Counters) => Promise<unknown>, RegExp]>([
    ['rows of another tag', (it) => it.reserve([{ key: '{u}k', amount: 1n }], lease), /\{u\}.*\{t\}/],
    ['rows with no tag', (it) => it.reserve([{ key: 'k', amount: 1n }], lease), /no \{tag\}/],
    ['half a surrogate pair', (it) => it.reserve([{ key: '{t}\ud800', amount: 1n }], lease), /surrogate/],
    ['an empty key', (it) => it.read(['']), /must not be empty/],
    ['an empty lease id', (it) => it.reserve([], { id: '', expiresAt: FAR }), /lease id/],
    ['too large an amount', (it) => it.reserve([{ key: '{t}k', amount: 10n ** 24n }], lease), /10\^24/],
    ['a negative expected amount', (it) => it.reserve([{ key: '{t}k', amount: 1n, expected: -1n }], lease), /from 0/],
    ['no expiry', (it) => it.reserve([], { id: 'x', expiresAt: Number.POSITIVE_INFINITY }), /finite/],
    ['a window that is no number', (it) => it.reserve([{ key: '{t}k', amount: 1n, expiresAt: Number.NaN }], lease), /NaN/],
    ['a settleUntil before the expiry', (it) => it.reserve([], { ...lease, settleUntil: 1 }), /settleUntil/],
    ['a note too long', (it) => it.reserve([], { ...lease, note: 'x'.repeat(4_097) }), /4096/],
    ['a renewal to no time', (it) => it.renew('x', { expiresAt: Number.NaN }), /finite/],
    ['too many rows', (it) => it.reserve(Array(1_001).fill({ key: '{t}k', amount: 1n }), lease), /1000 rows/],
  ])('%s', async (_name, ask, message) => {
    const { counters } = await openShared()
    const error = await failureOf(ask(counters))
    expect(error).toMatchObject({ code: 'INVALID_REQUEST' })
    expect((error as Error).message).toMatch(message)
  })
})

test('a limit below 0 refuses even nothing, with nothing left', async () => {
  const { counters } = await openShared()
  const said = await counters.reserve([{ key: 'k', amount: 0n, limit: -1n }], { id: 'l', expiresAt: FAR })
  expect(said).toMatchObject({ granted: false, key: 'k', available: 0n })
})

test('messages reach other nodes, and prefixes hear nothing of each other', async () => {
  const first = await openShared()
  const second = await open({ url: serverUrl, keyPrefix: first.keyPrefix })
  const stranger = await open({ url: serverUrl, keyPrefix: freshPrefix() })
  const heard: string[] = []
  await second.bus.subscribe('t', () => heard.push('second'))
  await stranger.bus.subscribe('t', () => heard.push('stranger'))
  await first.bus.publish('t', new Uint8Array(1))
  await first.bus.publish('t', new Uint8Array(1))
  await expect.poll(() => heard, PATIENCE).toEqual(['second', 'second'])
})

test('subscriptions beyond maxSubscriptions are OVERLOADED until one ends, and a failing listener is logged once', async () => {
  const { bus, log } = await openShared({ maxSubscriptions: 1 })
  const stop = await bus.subscribe('t', () => Promise.reject(new Error('mine')))
  expect(await failureOf(bus.subscribe('u', () => {}))).toMatchObject({ code: 'OVERLOADED' })
  await bus.publish('t', new Uint8Array(1))
  await bus.publish('t', new Uint8Array(1))
  await expect.poll(() => log.records.filter(({ level }) => level === 'error'), PATIENCE).toHaveLength(1)
  await stop()
  await bus.subscribe('u', () => {})
  expect(await failureOf(bus.publish('\ud800', new Uint8Array(1)))).toMatchObject({ code: 'INVALID_REQUEST' })
})
