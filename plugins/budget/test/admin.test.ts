import { type Bus, budgets as budgetsPort } from '@switchyard/contract'
import { afterEach, describe, expect, test } from 'vitest'
import { budgetAdmin } from '../src/index.ts'
import { budgetOptions } from '../src/options.ts'
import { sumOf } from './support/sums.ts'
import { callOf, endingOf, rejection, replyOf, startWorld, type World } from './support/world.ts'

const worlds: World[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.plugin.close()
})
async function start(...args: Parameters<typeof startWorld>): Promise<World> {
  const world = await startWorld(...args)
  worlds.push(world)
  return world
}

const TEAM = { name: 'team', level: 'team', limitUsd: '0.0001' } as const

function testBus(): Bus {
  const listeners = new Set<(message: Uint8Array) => void>()
  return {
    capabilities: { shared: true },
    async publish(_topic, message) {
      for (const listener of listeners) listener(message)
    },
    async subscribe(_topic, listener) {
      listeners.add(listener)
      return async () => void listeners.delete(listener)
    },
  }
}

describe('budgets that come and go', () => {
  test('reach other nodes by the bus, and without one by reading again', async () => {
    const bus = testBus()
    const one = await start({}, { bus })
    const two = await start({}, { bus, sqlite: one.sqlite, clock: one.clock })
    const three = await start({ refreshMs: 5_000 }, { sqlite: one.sqlite, clock: one.clock })
    await one.plugin.port(budgetAdmin).put(TEAM)
    await two.rest()
    expect((await rejection(two.send(callOf()))).code).toBe('BUDGET_EXCEEDED')
    expect((await three.send(callOf())).status).toBe(200)
    await one.clock.advance(6_000)
    expect((await rejection(three.send(callOf()))).code).toBe('BUDGET_EXCEEDED')
    expect(await one.plugin.port(budgetAdmin).remove('team')).toBe(true)
    await two.rest()
    expect((await two.send(callOf())).status).toBe(200)
    expect(two.plugin.port(budgetAdmin).list()).toEqual([])
  })

  test('a changed limit does not touch what was spent; one that is made anew starts clean', async () => {
    const world = await start()
    const admin = world.plugin.port(budgetAdmin)
    await admin.put({ ...TEAM, limitUsd: 1 })
    await world.send(callOf(), async () => replyOf(endingOf({ inputTokens: 0, outputTokens: 100 })))
    await world.rest()
    await admin.put({ ...TEAM, limitUsd: '0.0015' })
    expect(await sumOf(world, 'team', 'blue')).toBe(1_000_000n)
    expect((await rejection(world.send(callOf()))).details).toMatchObject({ limit: '0.0015', available: '0.0005' })
    await admin.remove('team')
    await world.clock.advance(1_000)
    await admin.put({ ...TEAM, limitUsd: '0.0015' })
    expect((await world.send(callOf())).status).toBe(200)
  })

  test('those of the configuration are changed there', async () => {
    const world = await start({ budgets: [TEAM] })
    const admin = world.plugin.port(budgetAdmin)
    expect(await rejection(admin.put(TEAM))).toMatchObject({ code: 'CONFLICT' })
    expect(await rejection(admin.remove('team'))).toMatchObject({ code: 'CONFLICT' })
    expect(admin.list()).toMatchObject([{ source: 'configuration', definition: { name: 'team', window: 'month' } }])
    expect(await rejection(admin.put({ ...TEAM, name: 'x', limitUsd: 'much' }))).toMatchObject({ code: 'INVALID_REQUEST' })
    expect(await admin.remove('nobody')).toBe(false)
  })

  test('a row that cannot be read is left out and told', async () => {
    const world = await start()
    await world.sqlite.query("INSERT INTO switchyard_budgets VALUES ('odd', 'admin', '{}', 0, 0)")
    await world.clock.advance(40_000)
    expect(world.plugin.port(budgetAdmin).list()).toEqual([])
    expect(world.log.records.some(({ message }) => message?.includes('cannot be read'))).toBe(true)
  })
})

describe('how far budgets are used', () => {
  test('is known without waiting, the most used first', async () => {
    const world = await start({
      budgets: [
        { name: 'org', level: 'org', limitUsd: 1 },
        { ...TEAM, limitUsd: '0.01' },
      ],
    })
    const port = world.plugin.port(budgetsPort)
    const call = callOf()
    expect(port.of(call).map(({ name }) => name)).toEqual(['org', 'team'])
    await world.send(call, async () => replyOf(endingOf({ inputTokens: 0, outputTokens: 100 })))
    await world.rest()
    expect(port.of(call)).toEqual([
      { name: 'team', level: 'team', limit: 10_000_000n, used: 1_000_000n, resetsAt: Date.UTC(2026, 1, 1), hard: true },
      { name: 'org', level: 'org', limit: 1_000_000_000n, used: 1_000_000n, resetsAt: Date.UTC(2026, 1, 1), hard: true },
    ])
    expect(port.of({ ...call, operation: 'sql.query' } as never)).toEqual([])
  })

  test('a dry run says what would be held, and takes nothing', async () => {
    const world = await start({ budgets: [TEAM] })
    const [, attempt] = world.plugin.policies
    expect(await attempt?.explain?.(callOf() as never)).toMatchObject({
      decisions: [{ decision: 'would-refuse', because: { budgets: [{ budget: 'team', value: 'blue', window: '2026-01' }] } }],
    })
    expect(world.counters.calls.reserve).toBe(0)
    const free = await start()
    expect(await free.plugin.policies[1]?.explain?.(callOf() as never)).toEqual({ decisions: [{ decision: 'recorded' }] })
  })
})

describe('options', () => {
  test.each([
    ['two budgets of one name', { budgets: [TEAM, TEAM] }],
    ['a tag without its name', { budgets: [{ ...TEAM, level: 'tag' }] }],
    ['a tag where there is none', { budgets: [{ ...TEAM, tag: 'x' }] }],
    ['a zone that is none', { budgets: [{ ...TEAM, timeZone: 'Mars' }] }],
    ['an amount that is none', { budgets: [{ ...TEAM, limitUsd: -1 }] }],
    ['an unknown key', { budget: [] }],
  ])('%s is refused', (_name, input) => {
    expect(budgetOptions.safeParse(input).success).toBe(false)
  })
})
