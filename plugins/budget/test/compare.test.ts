import { afterEach, describe, expect, test } from 'vitest'
import { tenantTag } from '../src/limits/keys.ts'
import { keyOf, sumOf } from './support/sums.ts'
import { callOf, endingOf, replyOf, startWorld, type World } from './support/world.ts'

let world: World
afterEach(() => world?.plugin.close())

const TEAM = { name: 'team', level: 'team', limitUsd: '0.04', thresholds: [] } as const
const full = () => replyOf(endingOf({ inputTokens: 0, outputTokens: 100 }))

/** Counts an amount at the counter of the team that is in no ledger, or takes its settlements away. */
async function countMore(nano: bigint): Promise<void> {
  const key = await keyOf(world, 'team', 'blue')
  const id = `${tenantTag('acme')}:x-${nano}`
  await world.counters.reserve([{ key, amount: nano }], { id, expiresAt: world.clock.now() + 1_000 })
  await world.counters.settle(id, { [key]: nano })
}

/** A row in the ledger that no counter has heard of, as another assembly's that drained meanwhile. */
async function bookElsewhere(): Promise<void> {
  const other = await startWorld({ budgets: [TEAM] }, { sqlite: world.sqlite, clock: world.clock })
  await other.send(callOf(), async () => full())
  await other.rows()
  await other.plugin.close()
}

describe('what the counters lack of the ledger', () => {
  test('is added once it was missing twice, and told', async () => {
    world = await startWorld({ budgets: [TEAM] })
    await world.send(callOf(), async () => full())
    await world.rows()
    await bookElsewhere()
    await world.clock.advance(70_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(1_000_000n)
    await world.clock.advance(60_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(2_000_000n)
    expect(world.events('budget:drift')).toMatchObject([
      {
        budget: 'team',
        tenant: 'acme',
        value: 'blue',
        windowId: '2026-01',
        ledger: 2_000_000n,
        settled: 1_000_000n,
        added: 1_000_000n,
      },
    ])
    await world.clock.advance(300_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(2_000_000n)
    expect(world.events('budget:drift')).toHaveLength(1)
  })

  test('is added by one of two nodes', async () => {
    world = await startWorld({ budgets: [TEAM] })
    const second = await startWorld({ budgets: [TEAM] }, { counters: world.counters, sqlite: world.sqlite, clock: world.clock })
    for (const node of [world, second]) {
      await node.send(callOf(), async () => full())
      await node.rows()
    }
    await bookElsewhere()
    await world.clock.advance(400_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(3_000_000n)
    expect([...world.events('budget:drift'), ...second.events('budget:drift')]).toHaveLength(1)
    await second.plugin.close()
  })

  test('is not what is under way', async () => {
    world = await startWorld({ budgets: [TEAM] })
    await world.send(callOf(), async () => full())
    await world.send(callOf({ stream: true }), async () => replyOf(new Promise(() => {}), true))
    await world.clock.advance(300_000)
    expect(world.events('budget:drift')).toEqual([])
  })

  test('waits for a ledger that is away', async () => {
    world = await startWorld({ budgets: [TEAM] })
    await world.send(callOf(), async () => full())
    await world.rows()
    await bookElsewhere()
    world.sqlite.before = (text) => {
      if (text.includes('SUM(')) throw new Error('locked')
    }
    await world.clock.advance(200_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(1_000_000n)
    world.sqlite.before = undefined
    await world.clock.advance(200_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(2_000_000n)
  })
})

test('what the counters have too much is told once, and left', async () => {
  world = await startWorld({ budgets: [TEAM] })
  await world.send(callOf(), async () => full())
  await world.rows()
  await countMore(20_000_000n)
  await world.clock.advance(400_000)
  expect(await sumOf(world, 'team', 'blue')).toBe(21_000_000n)
  expect(world.events('budget:drift')).toMatchObject([{ settled: 21_000_000n, ledger: 1_000_000n, added: 0n }])
})
