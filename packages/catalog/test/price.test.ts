import type { Usage } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { type Entry, microUsd, type PriceOptions, price, reservedPico, seedCatalog, tierOf } from '../src/index.ts'
import { entryOf, priced } from './support.ts'

const micro = (entry: Entry, usage: Usage, options?: PriceOptions): number => {
  const cost = price(entry, usage, options)
  if (cost === null) throw new Error('unpriced')
  return microUsd(cost.pico)
}

describe('what makes no sense is refused', () => {
  const entry = priced({ usd: { input: 1, output: 1 } })
  test.each<[string, Usage]>([
    ['a negative count', { inputTokens: -1, outputTokens: 0 }],
    ['a fraction', { inputTokens: 1.5, outputTokens: 0 }],
    ['NaN', { inputTokens: 0, outputTokens: Number.NaN }],
    ['beyond safe integers', { inputTokens: 2 ** 53, outputTokens: 0 }],
    ['a negative part', { inputTokens: 1, outputTokens: 0, cacheReadTokens: -1 }],
    ['more one-hour writes than writes', { inputTokens: 9, outputTokens: 0, cacheWriteTokens: 1, cacheWrite1hTokens: 2 }],
    ['a negative unit', { inputTokens: 0, outputTokens: 0, units: { webSearch: -1 } }],
    ['an infinite unit', { inputTokens: 0, outputTokens: 0, units: { second: Number.POSITIVE_INFINITY } }],
  ])('%s', (_name, usage) => {
    expect(() => price(entry, usage)).toThrow(TypeError)
  })
})

describe('unpriced is null, never 0', () => {
  test.each<[string, Entry, Usage]>([
    ['an entry without prices', entryOf(), { inputTokens: 1, outputTokens: 1 }],
    ['no row for the tier or standard', priced({ tier: 'batch', usd: { input: 1 } }), { inputTokens: 1, outputTokens: 0 }],
    ['no price for any part', priced({ usd: { output: 1 } }), { inputTokens: 1, outputTokens: 0 }],
    [
      'units only, and others than priced',
      priced({ perUnit: { page: 5 } }),
      { inputTokens: 0, outputTokens: 0, units: { search: 1 } },
    ],
  ])('%s', (_name, entry, usage) => {
    expect(price(entry, usage)).toBeNull()
  })

  test('one part without a price is named, left out, and makes the cost a lower bound', () => {
    const cost = price(priced({ usd: { input: 2 } }), { inputTokens: 3, outputTokens: 4 })
    expect(cost).toMatchObject({ pico: 6_000_000n, unknown: ['output'], bound: 'lower' })
  })

  test('an unknown unit likewise', () => {
    const cost = price(priced({ usd: { input: 2 } }), { inputTokens: 1, outputTokens: 0, units: { webSearch: 1 } })
    expect(cost).toMatchObject({ unknown: ['webSearch'], bound: 'lower' })
  })

  test('pictures of the usual quality are found by either of its names, others by their own alone', () => {
    const named = priced({ perUnit: { image: { 'standard/1024x1024': 4, 'hd/1024x1024': 8, 'default/256x256': 2 } } })
    const each = (key: string): bigint | undefined =>
      price(named, { inputTokens: 0, outputTokens: 0, units: { [`image:${key}`]: 3 } })?.pico
    expect(each('default/1024x1024')).toBe(12n)
    expect(each('standard/256x256')).toBe(6n)
    expect(each('hd/1024x1024')).toBe(24n)
    expect(each('hd/256x256')).toBeUndefined()
    expect(each('default/default')).toBeUndefined()
  })

  test('a free model costs 0, exactly', () => {
    expect(price(entryOf({ free: true }), { inputTokens: 5, outputTokens: 5 })).toMatchObject({
      pico: 0n,
      bound: 'exact',
      unknown: [],
    })
  })
})

test.each([
  ['default', 'standard'],
  ['standard', 'standard'],
  ['on_demand', 'standard'],
  ['batch', 'batch'],
  ['flex', 'flex'],
  ['priority', 'priority'],
  ['fast', 'fast'],
  ['auto', undefined],
  ['scale', undefined],
  ['toString', undefined],
  [undefined, undefined],
] as const)('the word %j is the tier %j', (word, tier) => {
  expect(tierOf(word)).toBe(tier)
})

describe('bodies whose cost is known to the micro-USD', () => {
  const claude = priced({ usd: { input: 3, output: 15, cacheRead: 0.3, cacheWrite5m: 3.75, cacheWrite1h: 6 } })
  const body = { inputTokens: 11_000, outputTokens: 500, cacheReadTokens: 8_000, cacheWriteTokens: 2_000 }

  test('Claude with cache reads and writes', () => {
    expect(micro(claude, body)).toBe(20_400)
  })

  test('Claude with half of the writes kept for an hour', () => {
    expect(micro(claude, { ...body, cacheWrite1hTokens: 1_000 })).toBe(22_650)
  })

  test('gpt-5.4 out of the seed', () => {
    const usage = { inputTokens: 10_000, cacheReadTokens: 8_000, outputTokens: 2_000, reasoningTokens: 1_500 }
    expect(micro(seedCatalog().resolve('openai/gpt-5.4'), usage)).toBe(37_000)
  })

  test('gemini-2.5-pro out of the seed', () => {
    const usage = { inputTokens: 10_000, cacheReadTokens: 8_000, outputTokens: 2_000, reasoningTokens: 1_500 }
    expect(micro(seedCatalog().resolve('google/gemini-2.5-pro'), usage)).toBe(23_500)
  })

  test('claude-sonnet-4-5 out of the seed, one-hour writes included', () => {
    const entry = seedCatalog().resolve('anthropic/claude-sonnet-4-5')
    expect(micro(entry, body)).toBe(20_400)
    expect(micro(entry, { ...body, cacheWrite1hTokens: 1_000 })).toBe(22_650)
  })
})

describe('parts', () => {
  test('each at its own price, none counted twice', () => {
    const entry = priced({
      usd: {
        input: 1,
        output: 2,
        cacheRead: 3,
        cacheWrite5m: 4,
        cacheWrite1h: 5,
        audioIn: 6,
        imageIn: 7,
        reasoning: 8,
        audioOut: 9,
        imageOut: 10,
      },
    })
    const cost = price(entry, {
      inputTokens: 28,
      outputTokens: 40,
      cacheReadTokens: 2,
      cacheWriteTokens: 7,
      cacheWrite1hTokens: 4,
      audioInputTokens: 5,
      imageInputTokens: 6,
      reasoningTokens: 7,
      audioOutputTokens: 8,
      imageOutputTokens: 9,
    })
    expect(Object.fromEntries(cost?.parts.map(({ part, quantity, each }) => [part, [quantity, each / 1e6]]) ?? [])).toEqual({
      input: [8, 1],
      cacheRead: [2, 3],
      cacheWrite5m: [3, 4],
      cacheWrite1h: [4, 5],
      audioIn: [5, 6],
      imageIn: [6, 7],
      output: [16, 2],
      reasoning: [7, 8],
      audioOut: [8, 9],
      imageOut: [9, 10],
    })
    expect(cost?.pico).toBe(cost?.parts.reduce((sum, { pico }) => sum + pico, 0n))
    expect(cost?.bound).toBe('exact')
  })

  const plain = priced({ usd: { input: 2, output: 4 } })
  test.each<[string, Usage, bigint, string]>([
    ['a cache read at the plain price', { inputTokens: 10, outputTokens: 0, cacheReadTokens: 5 }, 20_000_000n, 'upper'],
    ['a cache write', { inputTokens: 10, outputTokens: 0, cacheWriteTokens: 5 }, 20_000_000n, 'lower'],
    ['audio in', { inputTokens: 10, outputTokens: 0, audioInputTokens: 5 }, 20_000_000n, 'lower'],
    ['image out', { inputTokens: 0, outputTokens: 10, imageOutputTokens: 5 }, 40_000_000n, 'lower'],
    ['reasoning, which is billed as output', { inputTokens: 0, outputTokens: 10, reasoningTokens: 5 }, 40_000_000n, 'exact'],
    [
      'a read and a write: the bill may be higher',
      { inputTokens: 10, outputTokens: 0, cacheReadTokens: 5, cacheWriteTokens: 5 },
      20_000_000n,
      'lower',
    ],
    [
      'a write and audio out',
      { inputTokens: 5, outputTokens: 5, cacheWriteTokens: 5, audioOutputTokens: 5 },
      30_000_000n,
      'lower',
    ],
    ['parts beyond their total are billed', { inputTokens: 1, outputTokens: 0, cacheReadTokens: 5 }, 10_000_000n, 'upper'],
  ])('without a price of its own: %s', (_name, usage, pico, bound) => {
    expect(price(plain, usage)).toMatchObject({ pico, bound })
  })

  test('a one-hour write without a price takes that of a short one, as a lower bound', () => {
    const entry = priced({ usd: { input: 2, cacheWrite5m: 3 } })
    const usage = { inputTokens: 4, outputTokens: 0, cacheWriteTokens: 4, cacheWrite1hTokens: 4 }
    expect(price(entry, usage)).toMatchObject({ pico: 12_000_000n, bound: 'lower' })
  })
})

describe('units', () => {
  const entry = priced({
    usd: { input: 1 },
    perUnit: { request: 1_000, webSearch: 10, second: 7, image: { 'hd/1024x1024': 80 } },
  })

  test('a fee by the request is charged once, whatever the usage says of it', () => {
    expect(price(entry, { inputTokens: 0, outputTokens: 0, units: { request: 5 } })?.pico).toBe(1_000n)
  })

  test('searches, images by size, and fractions of seconds rounded up', () => {
    const usage = { inputTokens: 0, outputTokens: 0, units: { webSearch: 3, 'image:hd/1024x1024': 2, second: 1.5, page: 0 } }
    expect(price(entry, usage)).toMatchObject({ pico: 1_000n + 30n + 160n + 11n, unknown: [], bound: 'exact' })
  })

  test('a size that has no price, and a name out of a prototype', () => {
    const usage = { inputTokens: 0, outputTokens: 0, units: { 'image:8x8': 1, image: 1, constructor: 1 } }
    expect(price(entry, usage)?.unknown).toEqual(['image:8x8', 'image', 'constructor'])
  })
})

describe('fees that a tier’s row leaves out are those of the standard tier', () => {
  const rows = [
    { usd: { input: 2 }, perUnit: { webSearch: 10, request: 7 } },
    { tier: 'priority', usd: { input: 4 } },
    { tier: 'flex', usd: { input: 1 }, perUnit: { webSearch: 4 } },
  ] as const
  const usage = { inputTokens: 1, outputTokens: 0, units: { webSearch: 3 } }

  test.each([
    ['standard', 2_000_000n + 7n + 30n, 'exact'],
    ['priority', 4_000_000n + 7n + 30n, 'lower'],
    ['flex', 1_000_000n + 7n + 12n, 'upper'],
  ] as const)('%s', (tier, pico, bound) => {
    expect(price(priced(...rows), usage, { tier })).toMatchObject({ pico, bound, unknown: [] })
  })
})

describe('tiers that are not priced', () => {
  const entry = priced({ usd: { input: 2, output: 4 } })
  const usage = { inputTokens: 1, outputTokens: 1 }
  test.each([
    ['batch', 'upper', 6_000_000n],
    ['flex', 'upper', 6_000_000n],
    ['priority', 'lower', 15_000_000n],
    ['fast', 'lower', 15_000_000n],
    ['standard', 'exact', 6_000_000n],
  ] as const)('%s falls back to standard as a %s bound and is reserved as such', (tier, bound, reserved) => {
    const cost = price(entry, usage, { tier })
    expect(cost).toMatchObject({ pico: 6_000_000n, bound, tier, row: { tier: 'standard' } })
    expect(reservedPico(cost as NonNullable<typeof cost>)).toBe(reserved)
  })

  test('a known priority price is reserved as it is', () => {
    const cost = price(
      priced({ tier: 'priority', usd: { input: 5 } }),
      { inputTokens: 1, outputTokens: 0 },
      { tier: 'priority' },
    )
    expect(reservedPico(cost as NonNullable<typeof cost>)).toBe(5_000_000n)
  })
})

test('micro-USD are rounded up: a small embedding is not free', () => {
  expect([0n, 1n, 999_999n, 1_000_000n, 1_000_001n].map(microUsd)).toEqual([0, 1, 1, 1, 2])
})

test('the cost carries the confidence and the version it is told', () => {
  const entry = entryOf({ prices: [{ perToken: { input: 1 } }], provenance: { confidence: 'disputed' } })
  expect(price(entry, { inputTokens: 1, outputTokens: 0 }, { version: 'v' })).toMatchObject({
    version: 'v',
    confidence: 'disputed',
  })
  expect(price(entry, { inputTokens: 1, outputTokens: 0 })?.version).toBeUndefined()
})
