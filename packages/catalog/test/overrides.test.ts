import { describe, expect, test } from 'vitest'
import { applyOverrides, createCatalog, microUsd, type Override, overridesFromRows } from '../src/index.ts'
import { entryOf, pico } from './support.ts'

const row = (parts: object): object => ({ model: 'acme/m', from: '2026-10-01', input: 1, ...parts })
const one = (parts: object): Override => {
  const { overrides, rejected } = overridesFromRows([row(parts)])
  if (overrides[0] === undefined) throw new Error(rejected[0]?.reason)
  return overrides[0]
}

describe('a row is refused, and named,', () => {
  test.each<[string, unknown]>([
    ['not an object', 7],
    ['not an object', null],
    ['model is missing', { from: '2026-10-01', input: 1 }],
    ['model "m" is not provider/model, and there is no provider', row({ model: 'm' })],
    ['from is missing: a price holds from a date on', { model: 'acme/m', input: 1 }],
    ['from is no ISO date', row({ from: 'tomorrow' })],
    ['from is no date', row({ from: new Date(Number.NaN) })],
    ['until is not after from', row({ until: '2026-10-01' })],
    ['inptu is not known; did you mean input?', row({ inptu: 1 })],
    ['zzz is not known', row({ zzz: 1 })],
    ['input is negative', row({ input: -1 })],
    ['input is "much", not a number', row({ input: 'much' })],
    ['input is 0; a model that costs nothing has free: true', row({ input: 0 })],
    ['input of 1000 USD a million tokens is not a token price', row({ input: 1000 })],
    ['free and priced at once', row({ free: true })],
    ['states no price, limit or free', { model: 'acme/m', from: '2026-10-01' }],
    ['tier "slow" is none of standard, batch, flex, priority, fast', row({ tier: 'slow' })],
    ['contextOver is not a whole number above 0', row({ contextOver: 1.5 })],
    ['context is not a whole number above 0', row({ context: 'x' })],
    ['region is not a text', row({ region: 7 })],
  ])('%s', (reason, given) => {
    expect(overridesFromRows([row({}), given])).toMatchObject({ overrides: [{}], rejected: [{ row: 1, reason }] })
  })
})

test('rows of a file and of a query say the same', () => {
  const file = {
    model: 'amazon-bedrock/m',
    tenant: 't',
    tier: 'batch',
    region: 'eu',
    contextOver: 200_000,
    from: '2026-10-01T00:00:00.000Z',
    until: '2027-01-01',
    input: 1.25,
    cacheWrite1h: 2,
    webSearch: 0.01,
    context: 100,
    maxOutput: 10,
    baseUrl: 'https://x',
    source: 'contract 7',
  }
  const query = {
    provider: 'bedrock',
    model: 'm',
    tenant: 't',
    tier: 'batch',
    region: 'eu',
    context_over: '200000',
    valid_from: new Date('2026-10-01'),
    valid_until: '2027-01-01',
    input: '1.25',
    output: null,
    cache_write_1h: '2.0',
    web_search: '1e-2',
    context: '100',
    max_output: 10,
    base_url: 'https://x',
    source: 'contract 7',
    free: false,
  }
  const { overrides, rejected } = overridesFromRows([file, query])
  expect(rejected).toEqual([])
  expect(overrides[0]).toEqual(overrides[1])
  expect(overrides[0]).toEqual({
    provider: 'bedrock',
    model: 'm',
    tenant: 't',
    tier: 'batch',
    region: 'eu',
    contextOver: 200_000,
    from: '2026-10-01T00:00:00.000Z',
    until: '2027-01-01',
    perToken: { input: 1_250_000, cacheWrite1h: 2_000_000 },
    perUnit: { webSearch: 10_000_000_000 },
    context: 100,
    maxOutput: 10,
    baseUrl: 'https://x',
    source: 'contract 7',
  })
})

describe('laid over a catalog', () => {
  const entry = entryOf({
    aliases: ['mm'],
    prices: [{ perToken: pico({ input: 4, output: 8 }) }, { contextOver: 100, perToken: pico({ input: 6, output: 9 }) }],
    provenance: { confidence: 'disputed', sources: ['pi-catalog'] },
  })
  const catalog = createCatalog([entry, entryOf({ model: 'other' })])
  const cost = (overrides: readonly Override[], at: string, inputTokens = 1, tenant?: string): number => {
    const over = applyOverrides(catalog, overrides, tenant === undefined ? {} : { tenant })
    const found = over.price(over.resolve('acme/m'), { inputTokens, outputTokens: 1_000_000 }, { at: Date.parse(at) })
    return microUsd(found?.pico ?? -1n)
  }

  test('what was used before keeps its price; what is not named stays', () => {
    const overrides = [one({ input: 10, output: 2 })]
    expect(cost(overrides, '2026-09-30T23:59:59Z')).toBe(8_000_004)
    expect(cost(overrides, '2026-10-01T00:00:00Z')).toBe(2_000_010)
    expect(cost([one({ input: 10 })], '2026-10-02')).toBe(8_000_010)
  })

  test('after its end the old price is back', () => {
    const overrides = [one({ output: 2, until: '2026-11-01' })]
    expect(cost(overrides, '2026-10-31')).toBe(2_000_001)
    expect(cost(overrides, '2026-11-01')).toBe(8_000_004)
  })

  test('a later one wins from its own date on', () => {
    const overrides = [one({ output: 2 }), one({ output: 3, from: '2026-12-01' })]
    expect(['2026-09-01', '2026-10-15', '2026-12-15'].map((at) => cost(overrides, at))).toEqual([
      8_000_004, 2_000_001, 3_000_001,
    ])
  })

  test('a later row for an earlier date covers what came after it', () => {
    const overrides = [one({ output: 2 }), one({ output: 3, from: '2026-09-01' })]
    expect(['2026-08-01', '2026-09-15', '2026-10-15'].map((at) => cost(overrides, at))).toEqual([
      8_000_004, 3_000_001, 3_000_001,
    ])
  })

  test('of two for one date the later one stands alone, with nothing between', () => {
    const rows = applyOverrides(catalog, [one({ output: 2 }), one({ output: 3 })]).get('acme/m')?.prices
    expect(rows?.filter(({ contextOver }) => contextOver === undefined).map(({ from, until }) => [from, until])).toEqual([
      [undefined, '2026-10-01'],
      ['2026-10-01', undefined],
    ])
  })

  test('it is of one tenant, unless it is of all', () => {
    const overrides = [one({ output: 2, tenant: 'a' })]
    expect(cost(overrides, '2026-10-02', 1, 'a')).toBe(2_000_001)
    expect(cost(overrides, '2026-10-02', 1, 'b')).toBe(8_000_004)
    expect(cost(overrides, '2026-10-02')).toBe(8_000_004)
    expect(applyOverrides(catalog, overrides, { tenant: 'b' })).toBe(catalog)
  })

  test('other rows of the entry are not touched', () => {
    expect(cost([one({ output: 2 })], '2026-10-02', 101)).toBe(9_000_000 + 606)
    expect(cost([one({ output: 2, contextOver: 100 })], '2026-10-02', 101)).toBe(2_000_000 + 101)
  })

  test('confidence and sources tell of it; a tier of its own says nothing of the base price', () => {
    expect(applyOverrides(catalog, [one({})]).get('acme/m')?.provenance).toMatchObject({
      confidence: 'agreed',
      sources: ['pi-catalog', 'override'],
    })
    expect(applyOverrides(catalog, [one({ tier: 'batch' })]).get('acme/m')?.provenance.confidence).toBe('disputed')
  })

  test('limits, and free', () => {
    const limits = applyOverrides(catalog, [{ ...one({ context: 5, maxOutput: 4 }), perToken: {} }]).get('acme/m')
    expect(limits).toMatchObject({
      limits: { context: 5, output: 4 },
      prices: entry.prices,
      provenance: { confidence: 'disputed' },
    })
    const { overrides } = overridesFromRows([{ model: 'acme/m', from: '2026-10-01', free: true }])
    expect(applyOverrides(catalog, overrides).get('acme/m')).toMatchObject({ free: true, prices: [] })
  })

  test('an alias finds its entry, a model that is not known becomes one', () => {
    const over = applyOverrides(catalog, [
      one({ model: 'acme/MM' }),
      one({ model: 'own/llama', baseUrl: 'https://x' }),
      one({ model: 'own/plain' }),
    ])
    expect(over.size).toBe(4)
    expect(over.get('acme/m')?.provenance.sources).toContain('override')
    expect(over.resolve('own/llama')).toMatchObject({
      route: { via: 'openai-compatible', baseUrl: 'https://x' },
      prices: [{ perToken: { input: 1_000_000 } }],
    })
    expect(over.resolve('own/plain').route).toEqual({ via: 'unknown' })
  })

  test('nothing changes the catalog below, and the version tells them apart', () => {
    const over = applyOverrides(catalog, [one({})])
    expect(catalog.get('acme/m')).toBe(entry)
    expect(over.version).not.toBe(catalog.version)
  })
})
