import { type BudgetStanding, type Strategy, SwitchyardError } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Expectations } from '../src/expectations.ts'
import type { RouteInput } from '../src/index.ts'
import { budgetAware, nextThrift, type Thrift, usedShare } from '../src/strategies/budget-aware.ts'
import { cheapest } from '../src/strategies/cheapest.ts'
import { provider } from '../src/strategies/provider.ts'
import { qualityPerPrice } from '../src/strategies/quality-per-price.ts'
import { type Candidate, type Ranker, rankerOf } from '../src/strategies/strategy.ts'
import { router } from './support/route.ts'
import { call, catalogOf, entry, healthOf, providers, request } from './support/world.ts'

const asked = call('routing', request('chat'))
const target = (name: string, quantisation?: string): Candidate['target'] => ({
  instance: 'p',
  model: `p/${name}`,
  deployment: name,
  weight: 1,
  canaryPercent: undefined,
  when: undefined,
  quantisation,
})
const candidate = (name: string, expectedCost?: number, more: Partial<Candidate> = {}): Candidate => ({
  target: target(name),
  health: undefined,
  expectedCost,
  ...more,
})
const standing = (used: number, limit = 100): BudgetStanding => ({
  name: 'b',
  level: 'team',
  limit: BigInt(limit),
  used: BigInt(used),
  resetsAt: undefined,
  hard: true,
})
const knowing = (standings: readonly BudgetStanding[] = [], taskClass = 'chat', random = () => 0.5) => ({
  random,
  stickyKey: undefined,
  taskClass,
  budgets: () => standings,
})
const names = (order: readonly Candidate[]): readonly string[] => order.map(({ target: one }) => one.deployment)
const scores = {
  asOf: '2026-10-01',
  source: 'own',
  byClass: { chat: { 'p/a': 0.9, 'p/b': 0.6 }, '*': { 'p/c': 0.5 } },
  belowFloorTenants: [],
}

describe('every strategy by cost', () => {
  const all: readonly [string, () => Ranker][] = [
    ['cheapest', () => cheapest],
    ['quality-per-price', () => qualityPerPrice(scores)],
    ['provider', () => provider(({ target: one }) => one.model, { maxFirstTokenMs: 50 })],
    ['budget-aware', () => budgetAware(cheapest, { preferAt: 0.8, cheapestAt: 0.95, hysteresis: 0.05 })],
  ]
  test.each(all)('%s gives every candidate once, whatever is known of them, and the same again', (_, make) => {
    const parts = fc.uniqueArray(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
        cost: fc.option(fc.nat(), { nil: undefined }),
        weight: fc.double({ min: 0, max: 1, noNaN: true }),
        firstTokenMs: fc.nat(100),
      }),
      { selector: ({ name }) => name },
    )
    const ranker = make()
    fc.assert(
      fc.property(parts, fc.nat(120), (given, used) => {
        const candidates = given.map(({ name, cost, weight, firstTokenMs }) =>
          candidate(name, cost, { health: healthOf({ [name]: { weight, firstTokenMs } }).of(name) }),
        )
        const order = ranker(asked, candidates, knowing([standing(used)]))
        expect(names(order).toSorted()).toEqual(names(candidates).toSorted())
        expect(ranker(asked, candidates, knowing([standing(used)]))).toEqual(order)
      }),
    )
  })
})

test('cheapest: unknown prices last, never as 0; equals by name', () => {
  const order = cheapest(asked, [candidate('u'), candidate('z', 5), candidate('y', 5), candidate('free', 0)], knowing())
  expect(names(order)).toEqual(['free', 'y', 'z', 'u'])
})

describe('quality per price', () => {
  const rank = qualityPerPrice(scores)
  test('most score for the money, with the date and source in the reason; no score or price last', () => {
    const order = rank(
      asked,
      [candidate('x', 1), candidate('a', 100), candidate('b', 50), candidate('c', undefined)],
      knowing(),
    )
    expect(names(order)).toEqual(['b', 'a', 'c', 'x'])
    expect(order.map(({ because }) => because)).toEqual([
      'score 0.6 for chat (own, 2026-10-01)',
      'score 0.9 for chat (own, 2026-10-01)',
      'score 0.5 for chat (own, 2026-10-01)',
      'no score',
    ])
  })

  test('a floor leaves out what is below it or unknown, but not for tenants that said so', async () => {
    const { order, routed } = await router({
      options: {
        routes: {
          chat: {
            targets: ['p/a', 'p/b', 'p/x'],
            scores: { ...scores, floor: 0.8, belowFloorTenants: ['thrifty'] },
          },
        },
      },
      providers: providers({ p: {} }),
    })
    expect(await order(asked)).toEqual(['p/p/a'])
    const spoken = call('routing', request('chat'))
    await routed(spoken)
    expect(spoken.trace.decisions[0]?.because).toMatchObject({
      leftOut: [
        { deployment: 'p/p/b', why: 'quality', because: expect.stringContaining('below the floor') },
        { deployment: 'p/p/x', why: 'quality', because: expect.stringContaining('no score') },
      ],
    })
    expect(await order(call('routing', request('chat'), { tenant: 'thrifty' }))).toHaveLength(3)
  })
})

describe('budget-aware', () => {
  const options = { preferAt: 0.8, cheapestAt: 0.95, hysteresis: 0.05 }
  const listed: Ranker = (_call, candidates) => candidates
  const both = [candidate('good', 150), candidate('near', 100), candidate('cheap', 10)]

  test('follows the other, then prefers cheaper, then takes the cheapest', () => {
    const at = (used: number) => names(budgetAware(listed, options)(asked, both, knowing([standing(used)])))
    expect(at(79)).toEqual(['good', 'near', 'cheap'])
    expect(at(80)).toEqual(['cheap', 'good', 'near'])
    expect(at(95)).toEqual(['cheap', 'near', 'good'])
    const close = [candidate('good', 150), candidate('near', 100)]
    const over = (used: number) => names(budgetAware(listed, options)(asked, close, knowing([standing(used)])))
    expect([over(80), over(95)]).toEqual([
      ['good', 'near'],
      ['near', 'good'],
    ])
  })

  test('the most used budget counts, one of nothing is used up, and without any there is money', () => {
    expect(usedShare([standing(10), standing(90), standing(50)])).toBe(0.9)
    expect(usedShare([standing(0, 0)])).toBe(1)
    expect(usedShare([])).toBe(0)
    expect(usedShare([{ ...standing(0), limit: 3n * 10n ** 30n, used: 10n ** 30n }])).toBeCloseTo(1 / 3, 6)
  })

  test('does not flutter about a threshold, and goes back once it is well below', () => {
    const rank = budgetAware(listed, options)
    const first = (used: number) => names(rank(asked, both, knowing([standing(used)])))[0]
    expect([79, 81, 79, 76, 74, 79].map(first)).toEqual(['good', 'cheap', 'cheap', 'cheap', 'good', 'good'])
  })

  test('the cheapest stays first until its own threshold is passed by the hysteresis', () => {
    expect([0.94, 0.91, 0.89, 0.76, 0.74].map((used) => nextThrift(2, used, options))).toEqual([2, 2, 1, 1, 0])
  })

  test('steps never go down within the hysteresis, and up at once', () => {
    fc.assert(
      fc.property(fc.constantFrom<Thrift>(0, 1, 2), fc.double({ min: 0, max: 1.2, noNaN: true }), (now, used) => {
        const next = nextThrift(now, used, options)
        const bare = used >= 0.95 ? 2 : used >= 0.8 ? 1 : 0
        expect(next).toBeGreaterThanOrEqual(bare)
        expect(next).toBeLessThanOrEqual(Math.max(now, bare))
        expect(nextThrift(next, used, options)).toBe(next)
        if (used < 0.75 - 1e-9) expect(next).toBe(0)
      }),
    )
  })

  test('keeps the step of each caller apart', () => {
    const rank = budgetAware(listed, options)
    const other = call('routing', request('chat'), { keyId: 'key-2' })
    rank(asked, both, knowing([standing(85)]))
    expect(names(rank(other, both, knowing([standing(78)])))[0]).toBe('good')
    expect(names(rank(asked, both, knowing([standing(78)])))[0]).toBe('cheap')
  })
})

describe('provider', () => {
  const same = provider(() => 'llama', {})
  test('draws by price^-2: twice as dear gets a fifth', () => {
    let state = 1
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    }
    let dear = 0
    for (let index = 0; index < 10_000; index++) {
      const order = same(asked, [candidate('a', 2e9), candidate('b', 1e9)], knowing([], 'chat', random))
      if (names(order)[0] === 'a') dear += 1
    }
    expect(dear / 10_000).toBeCloseTo(0.2, 1)
    expect(dear).toBeGreaterThan(1_700)
    expect(dear).toBeLessThan(2_300)
  })

  test('keeps other models and quantisations, then slow ones, behind', () => {
    const capped = provider(({ target: one }) => (one.deployment === 'other' ? 'x' : 'llama'), { maxFirstTokenMs: 500 })
    const slow = candidate('slow', 1, { health: healthOf({ slow: { firstTokenMs: 900 } }).of('slow') })
    const int4 = candidate('int4', 1, { target: target('int4', 'int4') })
    const order = capped(asked, [candidate('first', 100), candidate('other', 1), slow, int4, candidate('unpriced')], knowing())
    expect(names(order)).toEqual(['first', 'unpriced', 'slow', 'other', 'int4'])
    expect(order[2]?.because).toBe('slower than 500 ms')
  })

  test('weighs health', () => {
    const sick = candidate('sick', 1, { health: healthOf({ sick: { weight: 0 } }).of('sick') })
    expect(names(same(asked, [sick, candidate('dear', 1e12)], knowing()))[0]).toBe('dear')
  })
})

describe('what another plugin brings', () => {
  const reversed: Strategy = {
    capabilities: { costs: false },
    rank: (_call, candidates) => candidates.toReversed().map((one) => ({ ...one, because: 'backwards' })),
  }
  const options = (strategy: string): { readonly routes: Readonly<Record<string, RouteInput>> } => ({
    routes: { chat: { strategy, targets: ['p/a', 'p/b'] } },
  })

  test('is named by its instance, and its reasons are in the trace', async () => {
    const parts = { options: options('acme'), providers: providers({ p: {} }), strategies: new Map([['acme', reversed]]) }
    const { order, routed } = await router(parts)
    expect(await order(asked)).toEqual(['p/p/b', 'p/p/a'])
    const spoken = call('routing', request('chat'))
    await routed(spoken)
    expect(spoken.trace.decisions[0]?.because).toMatchObject({ strategy: 'acme', reasons: ['backwards', 'backwards'] })
  })

  test('a name that nobody has is refused at start, naming those there are', async () => {
    const parts = { options: options('acem'), providers: providers({ p: {} }), strategies: new Map([['acme', reversed]]) }
    await expect(router(parts)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: /"acem".*cheapest.*acme/ })
  })

  test('whatever it leaves out comes last, and what is no candidate, or is named twice, is dropped', () => {
    const odd = rankerOf({
      capabilities: { costs: false },
      rank: (_call, [first]) => [
        { target: target('stranger') },
        { target: (first as Candidate).target, expectedCost: 7 },
        { target: (first as Candidate).target },
      ],
    })
    const order = odd(asked, [candidate('a'), candidate('b', 3)], knowing())
    expect(order.map(({ target: one, expectedCost }) => [one.deployment, expectedCost])).toEqual([
      ['a', 7],
      ['b', 3],
    ])
  })

  test('that throws refuses the call, and nothing else', async () => {
    const broken: Strategy = {
      capabilities: { costs: false },
      rank() {
        throw new SwitchyardError('INTERNAL', 'broken')
      },
    }
    const parts = { options: options('acme'), providers: providers({ p: {} }), strategies: new Map([['acme', broken]]) }
    const { routed } = await router(parts)
    await expect(routed(asked)).rejects.toMatchObject({ code: 'INTERNAL' })
  })
})

describe('how long replies are', () => {
  test('the closest of what was seen five times counts', () => {
    const seen = new Expectations()
    expect(seen.of('m', 'chat', 'k')).toBeUndefined()
    for (let index = 0; index < 5; index++) seen.add('m', 'tools', 'other', 10)
    expect(seen.of('m', 'chat', 'k')).toBe(10)
    for (let index = 0; index < 5; index++) seen.add('m', 'chat', 'other', 30)
    expect(seen.of('m', 'chat', 'k')).toBe(30)
    for (let index = 0; index < 5; index++) seen.add('m', 'chat', 'k', 50)
    expect([seen.of('m', 'chat', 'k'), seen.of('m', 'tools', 'k'), seen.of('n', 'chat', 'k')]).toEqual([50, 10, undefined])
  })

  test('follows a change', () => {
    const seen = new Expectations()
    for (let index = 0; index < 1_000; index++) seen.add('m', 'chat', 'k', 100)
    for (let index = 0; index < 2_000; index++) seen.add('m', 'chat', 'k', 500)
    expect(seen.of('m', 'chat', 'k')).toBeGreaterThan(480)
  })
})

describe('options that contradict themselves are refused', () => {
  test.each<[RouteInput, RegExp]>([
    [{ strategy: 'quality-per-price', targets: ['p/a'] }, /needs scores/],
    [{ strategy: 'learned', targets: ['p/a'] }, /learned\.artefact/],
    [{ targets: ['p/a'], learned: { artefact: 'x' } }, /goes with the strategy learned/],
    [{ targets: ['p/a'], budget: {} }, /goes with the strategy budget-aware/],
    [{ strategy: 'budget-aware', budget: { over: 'learned' }, targets: ['p/a'] }, /does not go over learned/],
    [{ strategy: 'budget-aware', budget: { over: 'quality-per-price' }, targets: ['p/a'] }, /needs scores/],
    [{ strategy: 'budget-aware', budget: { preferAt: 0.9, cheapestAt: 0.8 }, targets: ['p/a'] }, /preferAt/],
    [{ targets: ['p/a'], shadow: {} }, /shadow goes with/],
    [{ targets: ['p/a'], controlPercent: 5 }, /needs a baseline/],
    [{ targets: ['p/a'], baseline: 'p/b' }, /must be a target/],
    [{ strategy: 'cheapest', targets: ['p/a'] }, /needs a plugin that provides the port catalog@1/],
  ])('%j', async (route, message) => {
    const parts = { options: { routes: { chat: route } }, providers: providers({ p: {} }) }
    await expect(router(parts)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message })
  })
})

test('cheapest counts what replies cost in fact: a terse dear model goes before a chatty cheap one', async () => {
  const { order, answered } = await router({
    options: { routes: { chat: { strategy: 'cheapest', targets: ['p/chatty', 'p/terse'] } } },
    providers: providers({ p: {} }),
    catalog: catalogOf(entry('p/chatty', { input: 1, output: 2 }), entry('p/terse', { input: 1, output: 3 })),
  })
  expect((await order(call('routing', request('chat'))))[0]).toBe('p/p/chatty')
  for (let index = 0; index < 6; index++) {
    await answered('p', 'p/chatty', 'chat', 900)
    await answered('p', 'p/terse', 'chat', 100)
  }
  expect((await order(call('routing', request('chat'))))[0]).toBe('p/p/terse')
})

describe('through the plugin', () => {
  const catalog = catalogOf(
    { ...entry('p/big', { input: 10, output: 10 }), baseModel: 'llama' },
    { ...entry('p/host', { input: 1, output: 1 }), baseModel: 'llama' },
    { ...entry('p/small', { input: 0.1, output: 0.1 }), baseModel: 'tiny' },
  )
  const targets = ['p/big', 'p/host', 'p/small']
  const first = async (route: Omit<RouteInput, 'targets'>, used = 0): Promise<readonly string[]> => {
    const { order } = await router({
      options: { routes: { chat: { ...route, targets } } },
      providers: providers({ p: {} }),
      catalog,
      budgets: { of: () => [standing(used)] },
    })
    return (await order(asked)).map((name) => name.slice('p/p/'.length))
  }

  test('budget-aware asks the budgets, and goes over another strategy', async () => {
    expect(await first({ strategy: 'budget-aware' }, 50)).toEqual(['big', 'host', 'small'])
    expect(await first({ strategy: 'budget-aware' }, 96)).toEqual(['small', 'host', 'big'])
    expect(await first({ strategy: 'budget-aware', budget: { over: 'cheapest' } }, 50)).toEqual(['small', 'host', 'big'])
  })

  test('and never below a floor', async () => {
    const floored = { ...scores, byClass: { '*': { 'p/big': 0.9, 'p/host': 0.9, 'p/small': 0.2 } }, floor: 0.5 }
    expect(await first({ strategy: 'budget-aware', scores: floored }, 99)).toEqual(['host', 'big'])
  })

  test('provider finds the same model by the catalog', async () => {
    expect(await first({ strategy: 'provider' })).toEqual(['host', 'big', 'small'])
  })

  test('quality-per-price', async () => {
    const table = { ...scores, byClass: { chat: { 'p/big': 0.9, 'p/host': 0.3 } } }
    expect(await first({ strategy: 'quality-per-price', scores: table })).toEqual(['host', 'big', 'small'])
  })
})
