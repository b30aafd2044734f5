import type { HealthState } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unitHash } from '../src/hash.ts'
import { leastBusy, lowestLatency, lowestPrice } from '../src/strategies/least.ts'
import { priority } from '../src/strategies/priority.ts'
import type { Candidate, Strategy } from '../src/strategies/strategy.ts'
import { weighted } from '../src/strategies/weighted.ts'
import { router } from './support/route.ts'
import { call, catalogOf, entry, healthOf, providers, request } from './support/world.ts'

function candidate(name: string, weight = 1, health?: Partial<Candidate['health']>, expectedCost?: number): Candidate {
  return {
    target: { instance: 'p', model: `p/${name}`, deployment: name, weight, canaryPercent: undefined, when: undefined },
    health: health === undefined ? undefined : healthOf({ [name]: health }).of(name),
    expectedCost,
  }
}
const names = (order: readonly Candidate[]): readonly string[] => order.map(({ target }) => target.deployment)
const seeded = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('every strategy', () => {
  const strategies: readonly [string, Strategy][] = [
    ['priority', priority],
    ['weighted', weighted],
    ['least-busy', leastBusy],
    ['latency', lowestLatency],
    ['price', lowestPrice],
  ]
  test.each(strategies)('%s returns every candidate exactly once', (_, strategy) => {
    const some = fc.array(
      fc.record({
        weight: fc.double({ min: 0, max: 10, noNaN: true }),
        inFlight: fc.nat(50),
        firstTokenMs: fc.option(fc.nat(10_000), { nil: undefined }),
        healthWeight: fc.double({ min: 0, max: 1, noNaN: true }),
        cost: fc.option(fc.nat(), { nil: undefined }),
        known: fc.boolean(),
        state: fc.constantFrom<HealthState>('healthy', 'degraded', 'recovering', 'ejected'),
      }),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(some, fc.integer(), fc.option(fc.string(), { nil: undefined }), (parts, seed, stickyKey) => {
        const all = parts.map(({ weight, inFlight, firstTokenMs, healthWeight, cost, known, state }, index) =>
          candidate(String(index), weight, known ? { inFlight, firstTokenMs, weight: healthWeight, state } : undefined, cost),
        )
        const order = strategy(all, { random: seeded(seed), stickyKey })
        expect(order).toHaveLength(all.length)
        expect(new Set(order)).toEqual(new Set(all))
      }),
    )
  })
})

describe('priority', () => {
  const well = candidate('well', 1, { state: 'healthy' })
  const slow = candidate('slow', 1, { state: 'degraded', weight: 0.25 })
  const back = candidate('back', 1, { state: 'recovering', weight: 0.3 })
  const out = candidate('out', 1, { state: 'ejected', weight: 0 })
  const drawn = (value: number) => ({ random: () => value, stickyKey: undefined })
  const sticky = (stickyKey: string) => ({ random: () => Number.NaN, stickyKey })

  test('is as listed where all are well or unknown, without a draw', () => {
    const all = [candidate('a'), well, candidate('b')]
    const random = (): number => {
      throw new Error('not drawn')
    }
    expect(priority(all, { random, stickyKey: undefined })).toBe(all)
  })

  test('puts a degraded target after those that are well, and before one that waits for its turn', () => {
    expect(names(priority([slow, well, candidate('b')], drawn(0.99)))).toEqual(['well', 'b', 'slow'])
    expect(names(priority([back, slow, well], drawn(0.99)))).toEqual(['well', 'slow', 'back'])
    expect(names(priority([slow, back], drawn(0.1)))).toEqual(['back', 'slow'])
    expect(names(priority([slow], drawn(0)))).toEqual(['slow'])
  })

  test('gives one that is coming back its place for the share that its weight says, no more', () => {
    expect(names(priority([back, well], drawn(0.299)))).toEqual(['back', 'well'])
    expect(names(priority([back, well], drawn(0.3)))).toEqual(['well', 'back'])
    const random = seeded(11)
    let first = 0
    for (let index = 0; index < 10_000; index++)
      if (names(priority([back, well], { random, stickyKey: undefined }))[0] === 'back') first += 1
    expect(first / 10_000).toBeCloseTo(0.3, 1)
  })

  test('counts the weight that other nodes’ hints lowered alike', () => {
    const hinted = candidate('hinted', 1, { state: 'healthy', weight: 0.5 })
    expect(names(priority([hinted, well], drawn(0.5)))).toEqual(['well', 'hinted'])
    expect(names(priority([hinted, well], drawn(0.49)))).toEqual(['hinted', 'well'])
  })

  test('sticky calls stay with a degraded target, and come back one key after the other', () => {
    expect(names(priority([slow, well], sticky('acme\nada')))).toEqual(['slow', 'well'])
    const stays = (weight: number, key: string): boolean =>
      names(priority([candidate('back', 1, { state: 'recovering', weight }), well], sticky(key)))[0] === 'back'
    const keys = Array.from({ length: 2_000 }, (_, index) => `acme\nuser-${index}`)
    const early = keys.filter((key) => stays(0.2, key))
    expect(early.length / keys.length).toBeCloseTo(0.2, 1)
    expect(early.every((key) => stays(0.6, key))).toBe(true)
  })

  test('is as listed in a panic: where an ejected target may serve, health is no guide', () => {
    expect(names(priority([slow, out, back, candidate('out2', 1, { state: 'ejected' })], drawn(0.99)))).toEqual([
      'slow',
      'out',
      'back',
      'out2',
    ])
  })
})

describe('weighted', () => {
  test('draws by weight, in the long run', () => {
    const random = seeded(7)
    const first = { a: 0, b: 0, c: 0, never: 0 }
    const all = [candidate('a', 1), candidate('b', 2), candidate('c', 7), candidate('never', 0)]
    for (let index = 0; index < 20_000; index++) {
      const order = names(weighted(all, { random, stickyKey: undefined }))
      first[order[0] as 'a'] += 1
      expect(order[3]).toBe('never')
    }
    expect(first.a / 20_000).toBeCloseTo(0.1, 1)
    expect(first.b / 20_000).toBeCloseTo(0.2, 1)
    expect(first.c / 20_000).toBeCloseTo(0.7, 1)
  })

  test('is sticky by the key: alike for ever, spread by weight, and only the leaving one’s calls move', () => {
    const all = [candidate('a', 1), candidate('b', 1), candidate('c', 2)]
    const firstOf = (key: string, among: readonly Candidate[]): string | undefined =>
      names(weighted(among, { random: () => Number.NaN, stickyKey: key }))[0]
    const counts: Record<string, number> = {}
    for (let index = 0; index < 4_000; index++) {
      const key = `acme\nuser-${index}`
      const chosen = firstOf(key, all) as string
      counts[chosen] = (counts[chosen] ?? 0) + 1
      expect(firstOf(key, all)).toBe(chosen)
      if (chosen !== 'b') expect(firstOf(key, [all[0], all[2]] as Candidate[])).toBe(chosen)
    }
    expect((counts.c ?? 0) / 4_000).toBeCloseTo(0.5, 1)
    expect((counts.a ?? 0) / 4_000).toBeCloseTo(0.25, 1)
  })

  test('a recovering target gets its share only', () => {
    const random = seeded(3)
    const all = [candidate('back', 1, { weight: 0.1 }), candidate('well', 1, { weight: 1 })]
    let back = 0
    for (let index = 0; index < 10_000; index++)
      if (names(weighted(all, { random, stickyKey: undefined }))[0] === 'back') back++
    expect(back / 10_000).toBeCloseTo(0.09, 1)
    expect(back).toBeGreaterThan(500)
    expect(back).toBeLessThan(1_400)
  })
})

test('least-busy counts attempts under way by weight', () => {
  const all = [candidate('a', 1, { inFlight: 2 }), candidate('b', 4, { inFlight: 7 }), candidate('c', 1, { inFlight: 1 })]
  expect(names(leastBusy(all, { random: () => 0, stickyKey: undefined }))).toEqual(['b', 'c', 'a'])
})

test('latency multiplies by what is under way, and gives a new target its first samples', () => {
  const all = [
    candidate('slow', 1, { firstTokenMs: 900 }),
    candidate('fast', 1, { firstTokenMs: 100 }),
    candidate('busy', 1, { firstTokenMs: 90, inFlight: 3 }),
    candidate('new', 1, {}),
  ]
  expect(names(lowestLatency(all, { random: () => 0, stickyKey: undefined }))).toEqual(['new', 'fast', 'busy', 'slow'])
})

describe('price', () => {
  const catalog = catalogOf(
    entry('openai/dear', { input: 10, output: 30 }),
    entry('openai/cheap', { input: 1, output: 2 }),
    entry('openai/chatty', { input: 0.5, output: 40 }),
    entry('openai/unpriced'),
  )
  const options = {
    routes: {
      chat: { strategy: 'price' as const, targets: ['openai/unpriced', 'openai/dear', 'openai/chatty', 'openai/cheap'] },
    },
  }

  test('puts the least expected cost first and the unpriced last', async () => {
    const { order, routed } = await router({ options, providers: providers({ openai: {} }), catalog })
    const asked = call('routing', request('chat'))
    expect(await order(asked)).toEqual([
      'openai/openai/cheap',
      'openai/openai/dear',
      'openai/openai/chatty',
      'openai/openai/unpriced',
    ])
    await routed(asked)
    const costs = asked.trace.decisions[0]?.because?.expectedPicoUsd as (number | null)[]
    expect(costs[3]).toBeNull()
    expect(costs[0]).toBeGreaterThan(0)
  })

  test('weighs the reply that the request allows', async () => {
    const { order } = await router({ options, providers: providers({ openai: {} }), catalog })
    const long = { messages: [{ role: 'user', content: 'word '.repeat(3_000) }], max_tokens: 1 }
    expect((await order(call('routing', request('chat', long))))[0]).toBe('openai/openai/chatty')
  })
})

describe('what a strategy needs', () => {
  test.each(['least-busy', 'latency', 'price'] as const)('%s without it is refused at start', async (strategy) => {
    const options = { routes: { chat: { strategy, targets: ['openai/a'] } } }
    await expect(router({ options, providers: providers({ openai: {} }) })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('canary', () => {
  const options = {
    routes: {
      chat: { targets: [{ model: 'openai/new', canaryPercent: 10 }, 'openai/old', { model: 'openai/next', canaryPercent: 5 }] },
    },
  }
  const instances = providers({ openai: {} })

  test.each([
    [0.05, ['openai/openai/new', 'openai/openai/old', 'openai/openai/next']],
    [0.12, ['openai/openai/next', 'openai/openai/old', 'openai/openai/new']],
    [0.15, ['openai/openai/old', 'openai/openai/new', 'openai/openai/next']],
    [0.99, ['openai/openai/old', 'openai/openai/new', 'openai/openai/next']],
  ])('a draw of %f', async (draw, expected) => {
    const { order } = await router({ options, providers: instances, draws: [draw] })
    expect(await order(call('routing', request('chat')))).toEqual(expected)
  })

  test('is sticky by key, for its share of keys', async () => {
    const sticky = { routes: { chat: { ...options.routes.chat, stickyBy: 'user' } } }
    const { order } = await router({ options: sticky, providers: instances, draws: [Number.NaN] })
    let chosen = 0
    for (let index = 0; index < 2_000; index++) {
      const first = (await order(call('routing', request('chat'), { user: `u${index}` })))[0]
      expect((await order(call('routing', request('chat'), { user: `u${index}` })))[0]).toBe(first)
      if (first === 'openai/openai/new') chosen++
    }
    expect(chosen).toBeGreaterThan(140)
    expect(chosen).toBeLessThan(260)
  })

  test('without the fact that it is sticky by, it is drawn', async () => {
    const sticky = { routes: { chat: { ...options.routes.chat, stickyBy: 'user' } } }
    const { order } = await router({ options: sticky, providers: instances, draws: [0.05] })
    expect((await order(call('routing', request('chat'))))[0]).toBe('openai/openai/new')
  })
})

test.each([
  ['tenant', {}, {}],
  ['key', {}, {}],
  ['team', { team: 'red' }, {}],
  ['user', { user: 'ada' }, {}],
  ['metadata.session', {}, { metadata: { session: 's1' } }],
])('sticky by %s', async (stickyBy, principal, body) => {
  const targets = ['openai/a', 'openai/b', 'openai/c', 'openai/d']
  const options = { routes: { chat: { strategy: 'weighted' as const, stickyBy, targets } } }
  const { order } = await router({ options, providers: providers({ openai: {} }), draws: [0.1, 0.9, 0.3, 0.5, 0.7, 0.2] })
  const once = await order(call('routing', request('chat', body), principal))
  for (let again = 0; again < 5; again++) {
    expect(await order(call('routing', request('chat', body), principal))).toEqual(once)
  }
})

test('the hash spreads evenly', () => {
  const buckets = new Array<number>(10).fill(0)
  for (let index = 0; index < 10_000; index++) {
    const bucket = Math.floor(unitHash(`key-${index}`) * 10)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(150)
})
