import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { isFull, tally } from '../scripts/tally.ts'
import { isPseudoProvider } from '../src/identity/providers.ts'
import { createCatalog, NATIVE_PROVIDERS, overridesFromRows, seedCatalog } from '../src/index.ts'
import { packageData } from '../src/package-data.ts'
import { catalogOfSeed, type SeedFile, seedLine } from '../src/seed.ts'
import { completer } from '../src/stored-entry.ts'
import { entryOf } from './support.ts'

const seed = seedCatalog()

test('it is parsed once', () => {
  expect(seedCatalog()).toBe(seed)
})

describe('what the seed promises', () => {
  test('at least 3,600 fully described entries, at least 1,600 of them at Portkey’s own providers', () => {
    const { full, fullNative } = tally(seed.entries)
    expect(full).toBeGreaterThanOrEqual(3_600)
    expect(fullNative).toBeGreaterThanOrEqual(1_600)
  })

  test('the README states the numbers of this seed', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    const stated = (count: number): boolean => readme.includes(count.toLocaleString('en'))
    const { entries, priced, full, fullNative } = tally(seed.entries)
    expect([entries, priced, full, fullNative].filter((count) => !stated(count))).toEqual([])
    expect(readme).toContain(`${seed.providers.length} providers`)
  })

  test('a description is full only with prices above 0, a context and both flags', () => {
    const full = {
      prices: [{ perToken: { input: 1, output: 1 } }],
      limits: { context: 1 },
      caps: { reasoning: false, vision: true },
    }
    expect(isFull(entryOf(full))).toBe(true)
    expect(isFull(entryOf({ ...full, prices: [{ perToken: { input: 1 } }] }))).toBe(false)
    expect(isFull(entryOf({ ...full, prices: [{ perToken: { input: 1 } }], kind: 'embedding' }))).toBe(true)
    expect(isFull(entryOf({ ...full, free: true, prices: [] }))).toBe(false)
    expect(isFull(entryOf({ ...full, limits: { output: 1 } }))).toBe(false)
    expect(isFull(entryOf({ ...full, caps: { vision: true } }))).toBe(false)
    expect(isFull(entryOf({ ...full, caps: { reasoning: true } }))).toBe(false)
  })

  test('its version is that of its content', () => {
    expect(createCatalog(seed.entries).version).toBe(seed.version)
  })

  test('one entry a line, in order, each naming its sources', () => {
    const lines = packageData('seed.json').trimEnd().split('\n')
    expect(lines).toHaveLength(seed.size + 2)
    expect(new Set(seed.entries.map(({ id }) => id)).size).toBe(seed.size)
    expect(seed.entries.filter(({ provenance }) => provenance.sources.length === 0)).toEqual([])
  })

  test('no subscription, login or local program is in it', () => {
    expect(seed.providers.filter(isPseudoProvider)).toEqual([])
  })

  test('every price is a whole number above 0 that a token can cost, and no cache read is dearer than the input', () => {
    const rows = seed.entries.flatMap(({ prices }) => prices)
    expect(
      rows
        .flatMap(({ perToken }) => Object.values(perToken))
        .filter((each) => !Number.isSafeInteger(each) || each <= 0 || each >= 1e9),
    ).toEqual([])
    expect(
      rows.filter(({ perToken: { input, cacheRead } }) => input !== undefined && cacheRead !== undefined && cacheRead > input),
    ).toEqual([])
  })

  test('what is free has no price, what inherits names it, what is native goes by Portkey', () => {
    expect(seed.entries.filter(({ free, prices }) => free && prices.length > 0)).toEqual([])
    expect(seed.entries.some(({ provenance }) => provenance.inherited.includes('context'))).toBe(true)
    expect(seed.find({ providers: [...NATIVE_PROVIDERS] }).filter(({ route }) => route.via !== 'portkey')).toEqual([])
  })

  test('a moving name shares its price with no fixed one', () => {
    expect(seed.lookup('x-ai/grok-latest')).toBeUndefined()
    expect(seed.resolve('mistral-ai/mistral-small-latest').moving).toBe(true)
  })
})

describe('known rows', () => {
  test.each([
    ['openai/gpt-5.4', { input: 2_500_000, output: 15_000_000, cacheRead: 250_000 }, 1_050_000, 128_000],
    [
      'anthropic/claude-sonnet-4-5',
      { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite1h: 6_000_000 },
      200_000,
      64_000,
    ],
    ['google/gemini-2.5-pro', { input: 1_250_000, output: 10_000_000, cacheRead: 125_000 }, 1_048_576, 65_536],
  ])('%s', (id, prices, context, output) => {
    const entry = seed.resolve(id)
    expect(entry.prices[0]?.perToken).toMatchObject(prices)
    expect(entry.limits).toMatchObject({ context, output })
    expect(entry.caps).toMatchObject({ vision: true, reasoning: true })
  })

  test('the long-context prices of gpt-5.4 and of inclusive x-ai', () => {
    const over = (id: string): readonly (number | undefined)[] => seed.resolve(id).prices.map(({ contextOver }) => contextOver)
    expect(over('openai/gpt-5.4')).toContain(271_999)
    expect(over('x-ai/grok-4.5')).toContain(199_999)
    expect(over('anthropic/claude-sonnet-4-5').filter(Boolean)).toEqual([])
  })

  test('prices by tier from the hand-kept list, each with its page', () => {
    const rows = JSON.parse(readFileSync(new URL('../data/overrides.json', import.meta.url), 'utf8')) as readonly object[]
    const { overrides, rejected } = overridesFromRows(rows)
    expect(rejected).toEqual([])
    expect(overrides.filter(({ source }) => source?.startsWith('https://') !== true)).toEqual([])
    const cost = seed.price(
      seed.resolve('openai/gpt-5'),
      { inputTokens: 1_000_000, outputTokens: 0 },
      { tier: 'priority', at: Date.parse('2026-10-01') },
    )
    expect(cost).toMatchObject({ pico: 2_500_000_000_000n, bound: 'exact' })
  })
})

test('a line of the file gives back the entry it was written from', () => {
  const stored = {
    provider: 'acme',
    model: 'm',
    caps: { tools: true, vision: false },
    modalities: { input: ['text', 'image'], output: [] },
    provenance: { asOf: '2026-01-01', sources: ['pi-catalog'] },
  } as const
  const bare = { provider: 'acme', model: 'n', provenance: { asOf: '2026-09-27' } }
  const lines = [stored, bare].map((one) => seedLine(one, '2026-09-27'))
  expect(lines[0]).toMatchObject({ caps: 'tools -vision', modalities: 'text,image>' })
  expect(lines[1]).toEqual({ provider: 'acme', model: 'n', provenance: {} })
  const file: SeedFile = {
    format: 1,
    version: 'v',
    asOf: '2026-09-27',
    sources: [],
    routes: {},
    entries: JSON.parse(JSON.stringify(lines)),
  }
  const { complete } = completer({ asOf: '2026-09-27' })
  expect(catalogOfSeed(file).entries).toEqual([complete(stored), complete(bare)])
})
