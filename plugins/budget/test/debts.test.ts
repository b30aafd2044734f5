import { SwitchyardError } from '@switchyard/contract'
import { afterEach, describe, expect, test } from 'vitest'
import { entryOf, testCatalog } from './support/catalog.ts'
import { sumOf } from './support/sums.ts'
import { callOf, endingOf, rejection, replyOf, startWorld, type World } from './support/world.ts'

let world: World
afterEach(() => world?.plugin.close())

const OPEN = { name: 'team', level: 'team', limitUsd: '0.04', whenStoreAway: 'open' } as const
const AWAY = new SwitchyardError('UPSTREAM_UNAVAILABLE', 'the store is away')
const full = () => replyOf(endingOf({ inputTokens: 0, outputTokens: 100 }))

/** One call of 1,000,000 nano-USD with the store, and one without. */
async function spendWhileAway(): Promise<void> {
  world = await startWorld({ budgets: [OPEN] })
  await world.send(callOf(), async () => full())
  await world.rows()
  world.counters.failure = AWAY
  await world.send(callOf(), async () => full())
  await world.rows()
  await world.clock.advance(10)
}

describe('spending that the store was not told of', () => {
  test.each(['reserve', 'settle'] as const)('counts once, though the answer to its %s is lost', async (method) => {
    await spendWhileAway()
    const { settle } = world.counters
    const settled: string[] = []
    world.counters.settle = async (id, amounts) => {
      const settlement = await settle(id, amounts)
      if (settlement.settled) settled.push(id)
      return settlement
    }
    const done = world.counters[method] as (...given: unknown[]) => Promise<never>
    let lost = 0
    world.counters[method] = (async (...given: readonly unknown[]) => {
      const answer = await done(...given)
      if (lost++ < 3) throw AWAY
      return answer
    }) as never
    world.counters.failure = undefined
    await world.clock.advance(300_000)
    expect(lost).toBeGreaterThan(0)
    expect(settled.filter((id) => id.includes('owed'))).toHaveLength(1)
    expect(await sumOf(world, 'team', 'blue')).toBe(2_000_000n)
  })

  test('counts once, though the store comes back empty and is filled from the ledger', async () => {
    await spendWhileAway()
    world.counters.clear()
    world.counters.failure = undefined
    await world.send(callOf(), async () => full())
    await world.clock.advance(10_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(3_000_000n)
  })

  test('counts in a store that was filled before it was spent', async () => {
    await spendWhileAway()
    world.counters.failure = undefined
    await world.clock.advance(10_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(2_000_000n)
  })

  test('does not wait behind a settlement that the store refuses for ever', async () => {
    await spendWhileAway()
    world.counters.failure = undefined
    const { settle } = world.counters
    let refused = false
    world.counters.settle = async (id, amounts) => {
      if (!refused && Object.keys(amounts).length > 0) {
        refused = true
        throw new SwitchyardError('INVALID_REQUEST', 'it does not hold that')
      }
      return settle(id, amounts)
    }
    await world.send(callOf(), async () => full())
    await world.clock.advance(10_000)
    expect(await sumOf(world, 'team', 'blue')).toBeGreaterThanOrEqual(2_000_000n)
  })
})

test('what was taken to cost nothing and did is charged', async () => {
  const prices = [{ perToken: { input: 0, output: 0 }, perUnit: { webSearch: 5_000_000_000 } }]
  const catalog = testCatalog([entryOf({ prices })])
  world = await startWorld({ budgets: [{ ...OPEN, limitUsd: 1, whenStoreAway: 'closed' }] }, { catalog })
  await world.send(callOf(), async () => replyOf(endingOf({ units: { webSearch: 2 } })))
  await world.rows()
  // The first charge finds an empty store, which is filled from the ledger.
  await world.send(callOf(), async () => replyOf(endingOf({ units: { webSearch: 2 } })))
  expect((await world.rows()).map(({ charged_nusd: nano }) => nano)).toEqual([10_000_000, 10_000_000])
  await world.send(callOf({ body: { web_search_options: {} } }), async () => replyOf(endingOf({ units: { webSearch: 1 } })))
  await world.clock.advance(10_000)
  expect(await sumOf(world, 'team', 'blue')).toBe(25_000_000n)
  await world.send(callOf(), async () => replyOf(endingOf({ units: { webSearch: 1 } })))
  await world.clock.advance(10_000)
  expect(await sumOf(world, 'team', 'blue')).toBe(30_000_000n)
})

test('an empty store beside a ledger that is away refuses, and says nothing of the database', async () => {
  world = await startWorld({ budgets: [{ ...OPEN, whenStoreAway: 'closed' }] })
  world.sqlite.before = (text) => {
    if (text.includes('SUM(')) throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'SELECT secret FROM 10.0.0.5')
  }
  const error = await rejection(world.send(callOf()))
  expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', details: { status: 503, budget: 'team' } })
  expect(error.message).not.toContain('SELECT')
  world.sqlite.before = undefined
  expect((await world.send(callOf())).status).toBe(200)
})
