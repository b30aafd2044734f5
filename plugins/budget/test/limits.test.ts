import { type ModelEnding, SwitchyardError } from '@switchyard/contract'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { keyOf, sumOf } from './support/sums.ts'
import { callOf, endingOf, rejection, replyOf, startWorld, type World } from './support/world.ts'

let world: World
afterEach(() => world?.plugin.close())

const TEAM = { name: 'team', level: 'team', limitUsd: '0.002' } as const
/** Costs 1,000,000 nano-USD and may cost no more than 1,2.. of them: 100 tokens out, and the bytes of the request. */
const full = () => replyOf(endingOf({ inputTokens: 0, outputTokens: 100 }))

describe('a refusal', () => {
  test('names the budget, what is left and when it resets, and takes nothing', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, window: 'day' }], waitMs: 0 })
    await world.send(callOf(), async () => full())
    await world.rest()
    let calls = 0
    const error = await rejection(
      world.send(callOf(), async () => {
        calls += 1
        return full()
      }),
    )
    expect(error).toMatchObject({
      code: 'BUDGET_EXCEEDED',
      retryable: false,
      details: {
        budget: 'team',
        level: 'team',
        limit: '0.002',
        available: '0.001',
        resetsAt: Date.UTC(2026, 0, 2),
        sent: false,
        headers: { 'x-switchyard-budget': 'team', 'x-switchyard-budget-remaining-usd': '0.001' },
      },
    })
    expect(error.details?.downRoute).toBeUndefined()
    expect(error.message).toContain('2026-01-02T00:00:00.000Z')
    expect(calls).toBe(0)
    expect(await world.rows()).toHaveLength(1)
    expect(await sumOf(world, 'team', 'blue', '2026-01-01')).toBe(1_000_000n)
    expect(world.events('budget:refused')).toEqual([{ plugin: 'budget', budget: 'team', level: 'team', tenant: 'acme' }])
  })

  test('lets a cheaper alternative be tried where the budget says so', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, limitUsd: '0.0001', onExceed: 'down-route' }], waitMs: 0 })
    expect((await rejection(world.send(callOf()))).details).toMatchObject({ downRoute: true })
  })

  test('of one budget of several takes nothing of the others', async () => {
    world = await startWorld({
      budgets: [
        { name: 'org', level: 'org', limitUsd: 1 },
        { ...TEAM, limitUsd: '0.0001' },
      ],
      waitMs: 0,
    })
    expect((await rejection(world.send(callOf()))).details).toMatchObject({ budget: 'team' })
    expect(await sumOf(world, 'org', 'acme')).toBe(0n)
  })

  test('a soft budget counts and never refuses', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, limitUsd: '0.0001', hard: false }] })
    await world.send(callOf(), async () => full())
    await world.rest()
    expect(await sumOf(world, 'team', 'blue')).toBe(1_000_000n)
  })
})

describe('levels', () => {
  const BUDGETS = [
    { name: 'o', level: 'org', limitUsd: 1 },
    { name: 't', level: 'team', limitUsd: 1 },
    { name: 'k', level: 'key', limitUsd: 1 },
    { name: 'u', level: 'user', limitUsd: 1, match: ['ann', 'b*'] },
    { name: 'm', level: 'model', limitUsd: 1 },
    { name: 'p', level: 'provider', limitUsd: 1 },
    { name: 'g', level: 'tag', tag: 'project', limitUsd: 1 },
    { name: 's', level: 'session', limitUsd: 1 },
    { name: 'other', level: 'org', limitUsd: 1, tenants: ['elsewhere'] },
  ] as const

  test('each counts its own value, and a call without one falls under no such budget', async () => {
    world = await startWorld({ budgets: BUDGETS })
    await world.send(callOf({ attributes: { session: 's-1' }, body: { metadata: { project: 'apollo' } } }), async () => full())
    await world.send(callOf({ principal: { user: 'zoe', team: undefined as never } }), async () => full())
    await world.rest()
    const sums = await Promise.all(
      [
        ['o', 'acme'],
        ['t', 'blue'],
        ['k', 'key-1'],
        ['u', 'ann'],
        ['u', 'zoe'],
        ['m', 'acme/m'],
        ['p', 'acme'],
        ['g', 'apollo'],
        ['s', 's-1'],
        ['other', 'acme'],
      ].map(([name, value]) => sumOf(world, name as string, value as string)),
    )
    expect(sums.map((sum) => Number(sum / 1_000_000n))).toEqual([2, 1, 2, 1, 0, 2, 2, 1, 1, 0])
  })

  test('tenants never meet, whatever they are called', async () => {
    world = await startWorld({ budgets: [{ name: 'o', level: 'org', limitUsd: 1 }] })
    for (const tenant of ['a', 'a}:b', '{a}']) await world.send(callOf({ principal: { tenant } }), async () => full())
    await world.rest()
    for (const tenant of ['a', 'a}:b', '{a}']) expect(await sumOf(world, 'o', tenant, '2026-01', tenant)).toBe(1_000_000n)
  })

  test('every level resets with its window', async () => {
    const daily = BUDGETS.map((budget) => ({ ...budget, limitUsd: '0.002', window: 'day' }) as const)
    world = await startWorld({ budgets: daily, waitMs: 0 })
    const call = callOf({ attributes: { session: 's-1' }, body: { metadata: { project: 'apollo' } } })
    await world.send(call, async () => full())
    await world.rest()
    expect((await rejection(world.send(call, async () => full()))).code).toBe('BUDGET_EXCEEDED')
    await world.clock.advance(86_400_000)
    await world.send(call, async () => full())
    await world.rest()
    expect(await sumOf(world, 's', 's-1', '2026-01-02')).toBe(1_000_000n)
  })
})

describe('parallel calls', () => {
  test('cannot all pass one check, nor can the first calls of a user that nobody knows', async () => {
    world = await startWorld({ budgets: [{ name: 'u', level: 'user', limitUsd: '0.01' }], waitMs: 0 })
    let billed = 0n
    const calls = Array.from({ length: 64 }, () =>
      world
        .send(callOf({ principal: { user: 'new' } }), async () => {
          billed += 1_000_000n
          return full()
        })
        .catch(() => {}),
    )
    await Promise.all(calls)
    await world.rest()
    expect(billed).toBeGreaterThan(0n)
    expect(billed).toBeLessThanOrEqual(10_000_000n)
    expect(await sumOf(world, 'u', 'new')).toBe(billed)
  })

  test('two nodes on one store keep one limit, per model too', async () => {
    world = await startWorld({ budgets: [{ name: 'm', level: 'model', limitUsd: '0.01' }], waitMs: 0 })
    const other = await startWorld(
      { budgets: [{ name: 'm', level: 'model', limitUsd: '0.01' }], waitMs: 0 },
      { counters: world.counters, sqlite: world.sqlite, clock: world.clock },
    )
    let served = 0
    const calls = Array.from({ length: 40 }, (_, index) =>
      (index % 2 === 0 ? world : other)
        .send(callOf(), async () => {
          served += 1
          return full()
        })
        .catch(() => {}),
    )
    await Promise.all(calls)
    await world.rest()
    expect(served).toBeLessThanOrEqual(10)
    expect(await sumOf(world, 'm', 'acme/m')).toBe(BigInt(served) * 1_000_000n)
    await other.plugin.close()
  })

  test('a burst of large holds waits for each other instead of locking out a key that has spent nothing', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, limitUsd: '0.0025' }], waitMs: 1_000 })
    const ends: ((ending: ModelEnding) => void)[] = []
    const calls = Array.from({ length: 4 }, () =>
      world.send(callOf({ stream: true }), async () => {
        const { promise, resolve } = Promise.withResolvers<ModelEnding>()
        ends.push(resolve)
        return replyOf(promise, true)
      }),
    )
    await world.rest()
    expect(ends).toHaveLength(2)
    for (const end of ends) end(endingOf({ inputTokens: 1, outputTokens: 1 }))
    await world.rest()
    expect(await Promise.all(calls)).toHaveLength(4)
    expect(ends).toHaveLength(4)
  })

  test('a wait ends with the client, and with its second', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, limitUsd: '0.0015' }], waitMs: 1_000 })
    const { promise } = Promise.withResolvers<ModelEnding>()
    await world.send(callOf({ stream: true }), async () => replyOf(promise, true))
    const gone = new AbortController()
    const left = rejection(world.send(callOf({ signal: gone.signal })))
    const late = rejection(world.send(callOf()))
    await world.rest()
    gone.abort(new SwitchyardError('ABORTED', 'the client left'))
    expect((await left).code).toBe('ABORTED')
    await world.clock.advance(1_100)
    expect((await late).code).toBe('BUDGET_EXCEEDED')
  })

  test('who came first is served first, also before one whose smaller hold would fit already', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, limitUsd: '0.0015' }], waitMs: 10_000 })
    const order: string[] = []
    const ends: ((ending: ModelEnding) => void)[] = []
    const send = (name: string, maxTokens: number): Promise<unknown> =>
      world.send(callOf({ body: { max_tokens: maxTokens }, stream: true }), async () => {
        order.push(name)
        const { promise, resolve } = Promise.withResolvers<ModelEnding>()
        ends.push(resolve)
        return replyOf(promise, true)
      })
    const calls = [send('holds', 80)]
    await world.rest()
    calls.push(send('large', 100))
    await world.rest()
    calls.push(send('small', 10))
    await world.rest()
    await world.clock.advance(3_000)
    expect(order).toEqual(['holds'])
    ends[0]?.(endingOf({ inputTokens: 1, outputTokens: 1 }))
    await world.rest()
    expect(order).toEqual(['holds', 'large', 'small'])
    await Promise.all(calls)
  })

  test('a call is told why it waits before its deadline is over', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, limitUsd: '0.0015' }] })
    const { promise } = Promise.withResolvers<ModelEnding>()
    await world.send(callOf({ stream: true }), async () => replyOf(promise, true))
    const refused = rejection(world.send(callOf({ deadline: world.clock.now() + 4_000 })))
    await world.clock.advance(3_900)
    await world.clock.advance(99)
    expect((await refused).code).toBe('BUDGET_EXCEEDED')
  })

  test('where it may be routed down it waits a second', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, limitUsd: '0.0015', onExceed: 'down-route' }] })
    const { promise } = Promise.withResolvers<ModelEnding>()
    await world.send(callOf({ stream: true }), async () => replyOf(promise, true))
    const refused = rejection(world.send(callOf()))
    await world.rest()
    await world.clock.advance(1_000)
    expect((await refused).code).toBe('BUDGET_EXCEEDED')
  })

  test('a budget that is spent refuses at once', async () => {
    world = await startWorld({ budgets: [TEAM], waitMs: 60_000 })
    await world.send(callOf(), async () => full())
    await world.rest()
    expect((await rejection(world.send(callOf()))).code).toBe('BUDGET_EXCEEDED')
  })

  test('whatever ends how: what is counted is what was billed, and never more than the limit', async () => {
    const how = fc.record({ output: fc.integer({ min: 0, max: 100 }), fails: fc.boolean(), stream: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(how, { minLength: 1, maxLength: 30 }), async (calls) => {
        const own = await startWorld({ budgets: [{ ...TEAM, limitUsd: '0.005' }], waitMs: 0 })
        let billed = 0n
        await Promise.all(
          calls.map(({ output, fails, stream }) =>
            own
              .send(callOf({ stream }), async () => {
                if (fails) throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'no')
                billed += BigInt(output) * 10_000n
                return replyOf(endingOf({ inputTokens: 0, outputTokens: output }), stream)
              })
              .catch(() => {}),
          ),
        )
        await own.rest()
        expect(await sumOf(own, 'team', 'blue')).toBe(billed)
        expect(billed).toBeLessThanOrEqual(5_000_000n)
        const rows = await own.rows()
        expect(rows.reduce((sum, row) => sum + BigInt(row.charged_nusd ?? 0), 0n)).toBe(billed)
        await own.plugin.close()
      }),
      { numRuns: 25 },
    )
  })
})

describe('thresholds', () => {
  test('each is told once, by whichever node wrote it down', async () => {
    const budgets = [{ ...TEAM, limitUsd: '0.004', thresholds: [0.25, 0.5, 1] }]
    world = await startWorld({ budgets })
    const other = await startWorld({ budgets }, { counters: world.counters, sqlite: world.sqlite, clock: world.clock })
    await world.send(callOf(), async () => full())
    await world.rest()
    await other.send(callOf(), async () => full())
    await other.rest()
    const told = [...world.events('budget:crossed'), ...other.events('budget:crossed')]
    expect(told).toMatchObject([
      { budget: 'team', value: 'blue', windowId: '2026-01', threshold: 0.25, limit: 4_000_000n, spent: 1_000_000n },
      { threshold: 0.5, spent: 2_000_000n },
    ])
    const { rows } = await world.sqlite.query('SELECT budget, threshold, counter FROM switchyard_alerts ORDER BY threshold')
    const counter = await keyOf(world, 'team', 'blue')
    expect(rows).toEqual([
      { budget: 'team', threshold: '0.25', counter },
      { budget: 'team', threshold: '0.5', counter },
    ])
    await other.plugin.close()
  })

  test('one that is crossed a second time in its window is not told again', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, limitUsd: '0.004', thresholds: [0.25] }] })
    await world.send(callOf(), async () => full())
    await world.rows()
    await world.sqlite.query('DELETE FROM switchyard_ledger')
    world.counters.clear()
    await world.send(callOf(), async () => full())
    await world.rest()
    expect(await sumOf(world, 'team', 'blue')).toBe(1_000_000n)
    expect(world.events('budget:crossed')).toHaveLength(1)
  })

  test('a database that is away keeps the alert waiting', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, limitUsd: '0.002', thresholds: [0.5] }] })
    await world.send(callOf({ model: 'acme/free' }))
    await world.rows()
    world.sqlite.before = (text) => {
      if (text.includes('switchyard_alerts')) throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away')
    }
    await world.send(callOf(), async () => full())
    await world.rest()
    expect(world.events('budget:crossed')).toEqual([])
    world.sqlite.before = undefined
    await world.clock.advance(1_000)
    expect(world.events('budget:crossed')).toHaveLength(1)
  })
})

describe('what is known of budgets', () => {
  test('is told by headers: whole replies bear their cost, streams what is left', async () => {
    world = await startWorld({ budgets: [TEAM, { name: 'org', level: 'org', limitUsd: 100 }] })
    const whole = await world.send(callOf(), async () => replyOf())
    expect(whole.headers).toMatchObject({
      'x-switchyard-cost-usd': '0.00007',
      'x-switchyard-budget': 'team',
      'x-switchyard-budget-remaining-usd': '0.00193',
    })
    const stream = await world.send(callOf({ stream: true }), async () => replyOf(endingOf(), true))
    expect(stream.headers['x-switchyard-cost-usd']).toBeUndefined()
    expect(stream.headers['x-switchyard-budget']).toBe('team')
  })

  test('is told with errors of others too', async () => {
    world = await startWorld({ budgets: [TEAM] })
    const error = await rejection(world.send(callOf(), () => Promise.reject(new SwitchyardError('TIMEOUT', 'late'))))
    expect(error).toMatchObject({ code: 'TIMEOUT', details: { headers: { 'x-switchyard-budget': 'team' } } })
  })

  test('a cache hit costs nothing and books what it saved', async () => {
    world = await startWorld({ budgets: [TEAM] })
    const [account] = world.plugin.policies
    const hit = { ...replyOf(), headers: { 'x-switchyard-cache': 'hit' } }
    await account?.around(callOf() as never, (async () => hit) as never)
    expect(await world.rows()).toMatchObject([
      { kind: 'cache', cost_pusd: 0, charged_nusd: 0, saved_pusd: 70_000_000, saved_by: 'cache' },
    ])
  })
})
