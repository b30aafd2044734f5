import { type ModelEnding, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { fakeCounters } from './support/fake-counters.ts'
import { testSqlite } from './support/sqlite.ts'
import { keyOf, sumOf } from './support/sums.ts'
import { callOf, endingOf, rejection, replyOf, startWorld, type World } from './support/world.ts'

let world: World
afterEach(() => world?.plugin.close())

const TEAM = { name: 'team', level: 'team', limitUsd: '0.04' } as const
const AWAY = new SwitchyardError('UPSTREAM_UNAVAILABLE', 'the store is away')
const full = () => replyOf(endingOf({ inputTokens: 0, outputTokens: 100 }))

describe('while the store is away', () => {
  test('a closed budget refuses with a time to come back', async () => {
    world = await startWorld({ budgets: [TEAM] })
    world.counters.failure = AWAY
    const error = await rejection(world.send(callOf()))
    expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryAfterMs: 1_000, details: { status: 503, budget: 'team' } })
    expect(world.events('budget:store-away')).toHaveLength(1)
    await rejection(world.send(callOf()))
    expect(world.events('budget:store-away')).toHaveLength(1)
    world.counters.failure = undefined
    expect((await world.send(callOf())).status).toBe(200)
  })

  test('an open budget serves, keeps the ledger, and is charged when the store is back', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, whenStoreAway: 'open' }] })
    await world.send(callOf(), async () => full())
    await world.rest()
    world.counters.failure = AWAY
    await world.send(callOf(), async () => full())
    expect(await world.rows()).toHaveLength(2)
    world.counters.failure = undefined
    await world.clock.advance(3_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(2_000_000n)
  })

  test('a leased budget spends its slice and no more, and settles it when the store is back', async () => {
    // A quarter of 0.04 USD over two nodes: five calls of at most a thousandth and a bit.
    world = await startWorld({ budgets: [{ ...TEAM, whenStoreAway: 'lease' }], nodes: 2 })
    await world.send(callOf(), async () => full())
    await world.rest()
    expect(await sumOf(world, 'team', 'blue')).toBe(1_000_000n + 5_000_000n)
    world.counters.failure = AWAY
    let served = 0
    for (let index = 0; index < 10; index++) {
      await world
        .send(callOf(), async () => full())
        .then(
          () => {
            served += 1
          },
          (error) => expect(error.code).toBe('UPSTREAM_UNAVAILABLE'),
        )
    }
    expect(served).toBe(4)
    world.counters.failure = undefined
    await world.clock.advance(3_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(5_000_000n)
    expect(await world.rows()).toHaveLength(5)
  })

  test('without a slice taken beforehand a leased budget refuses', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, whenStoreAway: 'lease' }] })
    world.counters.failure = AWAY
    expect((await rejection(world.send(callOf()))).code).toBe('UPSTREAM_UNAVAILABLE')
  })

  test('a settlement that finds it gone is made up for, once', async () => {
    world = await startWorld({ budgets: [TEAM] })
    const { promise, resolve } = Promise.withResolvers<ModelEnding>()
    await world.send(callOf({ stream: true }), async () => replyOf(promise, true))
    world.counters.failure = AWAY
    resolve(endingOf({ inputTokens: 0, outputTokens: 100 }))
    expect(await world.rows()).toHaveLength(1)
    world.counters.failure = undefined
    await world.clock.advance(2_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(1_000_000n)
    await world.clock.advance(200_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(1_000_000n)
  })

  test('a shared store that does not answer in time counts as away, and gives a late grant back', async () => {
    const clock = virtualClock()
    const counters = fakeCounters(clock, true)
    world = await startWorld({ budgets: [TEAM], storeTimeoutMs: 100 }, { clock, counters })
    await world.send(callOf(), async () => full())
    await world.rest()
    const { reserve } = counters
    const { promise: held, resolve } = Promise.withResolvers<void>()
    counters.reserve = async (rows, lease) => {
      await held
      return reserve(rows, lease)
    }
    const refused = rejection(world.send(callOf()))
    await clock.advance(100)
    expect((await refused).code).toBe('UPSTREAM_UNAVAILABLE')
    resolve()
    await world.rest()
    expect(await sumOf(world, 'team', 'blue')).toBe(1_000_000n)
  })
})

describe('an emptied store', () => {
  test('admits nothing until it was filled from the ledger', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, limitUsd: '0.0025' }], waitMs: 0 })
    await world.send(callOf(), async () => full())
    await world.rows()
    world.counters.clear()
    await world.send(callOf(), async () => full())
    await world.rest()
    expect(await sumOf(world, 'team', 'blue')).toBe(2_000_000n)
    expect((await rejection(world.send(callOf()))).code).toBe('BUDGET_EXCEEDED')
  })

  test('is filled by one of two nodes, once', async () => {
    const budgets = [TEAM]
    world = await startWorld({ budgets })
    const other = await startWorld({ budgets }, { counters: world.counters, sqlite: world.sqlite, clock: world.clock })
    await world.send(callOf(), async () => full())
    await world.rows()
    world.counters.clear()
    await Promise.all([world, other, world, other].map((node) => node.send(callOf(), async () => full())))
    await world.rest()
    expect(await sumOf(world, 'team', 'blue')).toBe(5_000_000n)
    expect(world.events('budget:crossed')).toEqual([])
    await other.plugin.close()
  })

  test('while an attempt was under way: it is charged all the same, once', async () => {
    world = await startWorld({ budgets: [TEAM] })
    const { promise, resolve } = Promise.withResolvers<ModelEnding>()
    await world.send(callOf({ stream: true }), async () => replyOf(promise, true))
    world.counters.clear()
    await world.clock.advance(10)
    await world.send(callOf(), async () => full())
    await world.clock.advance(10)
    resolve(endingOf({ inputTokens: 0, outputTokens: 100 }))
    await world.rest()
    await world.clock.advance(1_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(2_000_000n)
  })

  test('an attempt that ended before it was filled is in the ledger, and counted once', async () => {
    world = await startWorld({ budgets: [TEAM] })
    const { promise, resolve } = Promise.withResolvers<ModelEnding>()
    await world.send(callOf({ stream: true }), async () => replyOf(promise, true))
    world.counters.clear()
    await world.clock.advance(10)
    resolve(endingOf({ inputTokens: 0, outputTokens: 100 }))
    await world.rest()
    await world.clock.advance(10)
    await world.send(callOf(), async () => full())
    await world.clock.advance(1_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(2_000_000n)
  })

  test('does not count what was spent before a budget was made', async () => {
    world = await startWorld({})
    await world.send(callOf(), async () => full())
    await world.rows()
    await world.clock.advance(1_000)
    const later = await startWorld({ budgets: [TEAM] }, { sqlite: world.sqlite, clock: world.clock })
    await later.send(callOf(), async () => full())
    await later.rest()
    expect(await sumOf(later, 'team', 'blue')).toBe(1_000_000n)
    await later.plugin.close()
  })
})

test.each([
  ['longer than the ledger keeps', { project: 'x'.repeat(300) }, {}],
  ['that no database takes', { project: 'a\u0000b\ud800' }, {}],
  ['behind more tags than the ledger keeps', {}, { project: 'x' }],
])('a tag %s is counted by the same value when its counter is filled again', async (_name, tags, last) => {
  world = await startWorld({ budgets: [{ name: 'project', level: 'tag', tag: 'project', limitUsd: 1 }] })
  const junk = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`junk${index}`, 'v']))
  const metadata = { ...tags, ...junk, ...last }
  const remaining = async (): Promise<string | undefined> => {
    const reply = await world.send(callOf({ body: { metadata } }), async () => full())
    await world.rows()
    return reply.headers['x-switchyard-budget-remaining-usd']
  }
  expect(await remaining()).toBe('0.999')
  world.counters.clear()
  await world.clock.advance(10)
  expect(await remaining()).toBe('0.998')
})

describe('the sweep', () => {
  /** A node that holds for a call and never ends it. */
  async function lost(): Promise<World> {
    const clock = virtualClock()
    const counters = fakeCounters(clock)
    world = await startWorld(
      { budgets: [{ ...TEAM, thresholds: [0.01] }], leaseMs: 30_000, graceMs: 0, defaultOutputTokens: 50 },
      { clock, counters },
    )
    const { renew } = counters
    counters.renew = async () => ({ renewed: false })
    void world.send(callOf(), () => new Promise(() => {}))
    await world.rest()
    await clock.advance(60_000)
    counters.renew = renew
    return world
  }

  test('books an expired hold at its expected cost, once, and counts its crossing', async () => {
    await lost()
    const rows = await world.rows()
    expect(rows).toMatchObject([{ kind: 'unsettled', outcome: 'unknown', call_id: 'call-1' }])
    const charged = BigInt(rows[0]?.charged_nusd ?? 0)
    expect(charged).toBeGreaterThan(1_000_000n)
    expect(charged).toBeLessThan(1_100_000n)
    expect(await sumOf(world, 'team', 'blue')).toBe(charged)
    expect(world.events('budget:crossed')).toHaveLength(1)
    expect(await world.counters.expired()).toEqual([])
    await world.clock.advance(60_000)
    expect(await world.rows()).toHaveLength(1)
  })

  test('a late settle replaces what was expected, in the counters and by an adjusting row', async () => {
    const clock = virtualClock()
    world = await startWorld({ budgets: [TEAM], leaseMs: 30_000, graceMs: 0, defaultOutputTokens: 50 }, { clock })
    const { renew } = world.counters
    world.counters.renew = async () => ({ renewed: false })
    const { promise, resolve } = Promise.withResolvers<ModelEnding>()
    await world.send(callOf({ stream: true }), async () => replyOf(promise, true))
    await clock.advance(60_000)
    world.counters.renew = renew
    expect(await world.rows()).toMatchObject([{ kind: 'unsettled' }])
    resolve(endingOf({ inputTokens: 0, outputTokens: 100 }))
    const rows = await world.rows()
    expect(rows).toMatchObject([
      { kind: 'unsettled' },
      { kind: 'adjustment', adjusts: rows[0]?.attempt_id, output_tokens: 100 },
    ])
    expect(rows.reduce((sum, row) => sum + BigInt(row.cost_pusd ?? 0), 0n)).toBe(1_000_000_000n)
    expect(await sumOf(world, 'team', 'blue')).toBe(1_000_000n)
  })

  test('a settle that was lost half-way is set right by the ledger', async () => {
    world = await startWorld({ budgets: [TEAM], leaseMs: 30_000, graceMs: 0 })
    const { settle } = world.counters
    await world.send(callOf({ model: 'acme/m' }), async () => full())
    await world.rest()
    // A node that has booked the row and dies before it told the counters.
    const dying = await startWorld(
      { budgets: [TEAM], leaseMs: 30_000, graceMs: 0 },
      { counters: world.counters, sqlite: world.sqlite, clock: world.clock },
    )
    world.counters.settle = () => new Promise(() => {})
    await dying.send(callOf(), async () => full())
    await dying.rows()
    world.counters.settle = settle
    await world.clock.advance(60_000)
    await world.rest()
    expect(await world.rows()).toHaveLength(2)
    expect(await sumOf(world, 'team', 'blue')).toBe(2_000_000n)
  })
})

describe('rollover', () => {
  test('adds what was left, up to its maximum, and survives a database that is away', async () => {
    const daily = { ...TEAM, limitUsd: '0.004', window: 'day', rollover: { maxUsd: '0.002' } } as const
    world = await startWorld({ budgets: [daily], waitMs: 0 })
    await world.send(callOf(), async () => full())
    await world.rows()
    await world.clock.advance(86_400_000)
    let served = 0
    for (let index = 0; index < 8; index++)
      await world
        .send(callOf(), async () => full())
        .then(
          () => served++,
          () => {},
        )
        .then(() => world.rest())
    // 0.004 and 0.002 of the 0.003 that were left, in calls that hold a little more than they cost.
    expect(served).toBe(5)
    await world.clock.advance(86_400_000)
    world.sqlite.before = (text) => {
      if (text.includes('SUM(')) throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away')
    }
    expect((await world.send(callOf(), async () => full())).headers['x-switchyard-budget-remaining-usd']).toBe('0.003')
    world.sqlite.before = undefined
    await world.rest()
    // Nothing was left of the second day's own limit.
    expect((await world.send(callOf(), async () => full())).headers['x-switchyard-budget-remaining-usd']).toBe('0.002')
    expect(await keyOf(world, 'team', 'blue')).toContain('team@')
  })
})

test('knows after a start how long answers were before it', async () => {
  const sqlite = testSqlite()
  const budgets = [{ name: 'all', level: 'org', window: 'month', limitUsd: 100 }] as const
  const short = async (world: World): Promise<void> => {
    await world.send(callOf({ body: { max_tokens: 1_000 } }), async () => replyOf(endingOf({ outputTokens: 7 })))
  }
  const first = await startWorld({ budgets }, { sqlite })
  for (let index = 0; index < 25; index++) await short(first)
  const before = await first.rows()
  await first.plugin.close()
  const second = await startWorld({ budgets }, { sqlite, clock: first.clock })
  onTestFinished(() => second.plugin.close())
  await short(second)
  const expected = [...before, ...(await second.rows())].map((row) => row.expected_pusd)
  expect(new Set(expected).size).toBe(2)
  expect(expected.at(-1)).toBe(before.at(-1)?.expected_pusd)
  expect(Number(expected.at(-1))).toBeLessThan(Number(before[0]?.expected_pusd))
})
