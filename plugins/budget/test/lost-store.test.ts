import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ModelEnding, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OutputLengths } from '../src/attempt/output-lengths.ts'
import type { LedgerRow } from '../src/index.ts'
import { type FakeCounters, fakeCounters } from './support/fake-counters.ts'
import { sumOf } from './support/sums.ts'
import { callOf, endingOf, rejection, replyOf, startWorld, type World } from './support/world.ts'

let worlds: World[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.plugin.close()
})

const TEAM = { name: 'team', level: 'team', limitUsd: '0.04' } as const
const full = () => replyOf(endingOf({ inputTokens: 0, outputTokens: 100 }))
/** What a call of `full` costs: nano-USD. */
const COST = 1_000_000n

/** Two nodes on one store that both share. */
async function twoNodes(limitUsd: string, waitMs = 0): Promise<readonly [World, World]> {
  const clock = virtualClock()
  const counters = fakeCounters(clock, true)
  const options = { budgets: [{ ...TEAM, limitUsd }], waitMs }
  const one = await startWorld(options, { clock, counters })
  const other = await startWorld(options, { clock, counters, sqlite: one.sqlite })
  worlds = [one, other]
  return [one, other]
}

/** Sends a call that is under way until the returned function is called. */
async function begin(world: World): Promise<() => Promise<void>> {
  const { promise, resolve } = Promise.withResolvers<ModelEnding>()
  await world.send(callOf({ stream: true }), async () => replyOf(promise, true))
  return async () => {
    resolve(endingOf({ inputTokens: 0, outputTokens: 100 }))
    await world.rows()
  }
}

describe('a shared store that lost everything', () => {
  test('admits nothing in the place of what other nodes have under way', async () => {
    // Room for three calls of at most a thousandth and a bit.
    const [one, other] = await twoNodes('0.0034')
    await one.send(callOf(), async () => full())
    await one.rows()
    const ends = [await begin(other), await begin(other)]
    one.counters.clear()
    const asked = rejection(one.send(callOf(), async () => full()))
    await one.clock.advance(3_000)
    expect((await asked).code).toBe('BUDGET_EXCEEDED')
    for (const end of ends) await end()
    await one.clock.advance(5_000)
    expect(await sumOf(one, 'team', 'blue')).toBe(3n * COST)
  })

  test('opens again after a moment, and what was under way is settled once', async () => {
    const [one, other] = await twoNodes('0.04')
    await one.send(callOf(), async () => full())
    await one.rows()
    const end = await begin(other)
    one.counters.clear()
    const asked = one.send(callOf(), async () => full())
    await one.clock.advance(1_000)
    await end()
    await one.clock.advance(2_000)
    expect((await asked).status).toBe(200)
    await one.clock.advance(5_000)
    expect(await sumOf(one, 'team', 'blue')).toBe(3n * COST)
  })

  test('keeps nobody waiting where nothing was spent', async () => {
    const [one] = await twoNodes('0.04')
    expect((await one.send(callOf(), async () => full())).status).toBe(200)
  })

  test('refuses a call whose deadline is nearer than its opening', async () => {
    const [one] = await twoNodes('0.04')
    await one.send(callOf(), async () => full())
    await one.rows()
    one.counters.clear()
    const error = await rejection(one.send(callOf({ deadline: one.clock.now() + 100 }), async () => full()))
    expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryAfterMs: 1_000 })
  })
})

describe('a hold of which the answer is lost', () => {
  test('is given back, and no attempt that was never sent is charged', async () => {
    const world = await startWorld({ budgets: [TEAM] })
    worlds = [world]
    await world.send(callOf(), async () => full())
    await world.rest()
    const { reserve } = world.counters
    world.counters.reserve = async (rows, lease) => {
      await reserve(rows, lease)
      throw new SwitchyardError('TIMEOUT', 'no answer')
    }
    expect((await rejection(world.send(callOf()))).code).toBe('UPSTREAM_UNAVAILABLE')
    world.counters.reserve = reserve
    await world.clock.advance(2_000)
    expect(await sumOf(world, 'team', 'blue')).toBe(COST)
    await world.clock.advance(120_000)
    expect((await world.rows()).map(({ kind }) => kind)).toEqual(['attempt'])
  })
})

describe('attempts of a process that is gone', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'budget-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** A node that dies with one call booked and one under way: what it wrote is found in the folder of the heir. */
  async function leftBehind(lostBetween: boolean): Promise<World> {
    const clock = virtualClock()
    const counters = fakeCounters(clock, true)
    const optionsAt = (name: string) => ({
      budgets: [TEAM],
      journal: { directory: join(folder, name), fsyncMs: 0 },
      defaultOutputTokens: 50,
    })
    const gone = await startWorld(optionsAt('gone'), { clock, counters })
    const other = await startWorld(optionsAt('other'), { clock, counters, sqlite: gone.sqlite })
    await gone.send(callOf(), async () => full())
    await gone.rows()
    await begin(gone)
    mkdirSync(join(folder, 'heir'))
    for (const file of readdirSync(join(folder, 'gone'))) {
      if (file.endsWith('.journal')) copyFileSync(join(folder, 'gone', file), join(folder, 'heir', file))
    }
    if (lostBetween) {
      await clock.advance(10)
      counters.clear()
      // Its node is gone and holds nothing again.
      counters.reserve = reserving(counters.reserve)
      const sent = other.send(callOf(), async () => full())
      await clock.advance(3_000)
      await sent
      await other.rows()
    }
    const heir = await startWorld(optionsAt('heir'), { clock, counters, sqlite: gone.sqlite })
    worlds = [gone, other, heir]
    return heir
  }

  /** Lets nothing of an attempt be held that has been held before. */
  function reserving(reserve: FakeCounters['reserve']): FakeCounters['reserve'] {
    return async (rows, lease) => {
      if (lease.note !== undefined && rows[0]?.key.endsWith(':alive') !== true)
        return { granted: true, sums: rows.map(() => 0n) }
      return reserve(rows, lease)
    }
  }

  const expectedOf = async (world: World): Promise<bigint> => {
    const [row] = (await world.ledger.rows({ kinds: ['unsettled'] })) as readonly LedgerRow[]
    return BigInt(row?.charged_nusd ?? 0)
  }

  test('end their holds at once, at what the ledger charges', async () => {
    const heir = await leftBehind(false)
    await heir.clock.advance(1_100)
    const expected = await expectedOf(heir)
    expect(expected).toBeGreaterThan(0n)
    expect(await sumOf(heir, 'team', 'blue')).toBe(COST + expected)
    await heir.clock.advance(200_000)
    expect(await sumOf(heir, 'team', 'blue')).toBe(COST + expected)
  })

  test('are charged afresh where the store lost their holds, and what was booked before is not', async () => {
    const heir = await leftBehind(true)
    await heir.clock.advance(1_100)
    const expected = await expectedOf(heir)
    expect(expected).toBeGreaterThan(0n)
    expect(await sumOf(heir, 'team', 'blue')).toBe(2n * COST + expected)
    await heir.clock.advance(200_000)
    expect(await sumOf(heir, 'team', 'blue')).toBe(2n * COST + expected)
  })
})

describe('what an answer has that is under way', () => {
  test('is more than the mean: a moment finds the long ones', () => {
    const lengths = new OutputLengths()
    for (let index = 0; index < 40; index++) lengths.add(index % 2 === 0 ? 100 : 900)
    expect(lengths.underWay()).toBe(820)
  })

  test('is nothing for a model that says nothing', () => {
    const lengths = new OutputLengths()
    for (let index = 0; index < 20; index++) lengths.add(0)
    expect(lengths.underWay()).toBe(0)
  })

  test('follows what is asked, however long it runs', () => {
    const lengths = new OutputLengths()
    for (let index = 0; index < 5_000; index++) lengths.add(4_000)
    for (let index = 0; index < 20_000; index++) lengths.add(10)
    expect(lengths.underWay()).toBeLessThan(20)
  })
})
