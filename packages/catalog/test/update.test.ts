import { describe, expect, test } from 'vitest'
import {
  applyOverrides,
  type Catalog,
  type CatalogUpdate,
  changeBetween,
  completePrice,
  createCatalog,
  type Import,
  overridesFromRows,
  type SourceRow,
  updateCatalog,
} from '../src/index.ts'
import { layered } from '../src/update/layer.ts'
import { entryOf, pico, rowOf } from './support.ts'

const feed = (...rows: readonly SourceRow[]): Import => ({
  rows,
  rejected: [],
  seen: rows.length,
  dropped: [],
  toCheck: [],
  unknownKeys: {},
})
const portkey = (parts: Parameters<typeof rowOf>[0]): SourceRow => rowOf({ source: 'portkey', asOf: '2026-10-01', ...parts })
const usd = (input: number, output: number, more: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> => ({
  input,
  output,
  ...more,
})
const known = (prices: Readonly<Record<string, number>>): ReturnType<typeof entryOf> =>
  entryOf({ prices: [{ perToken: pico(prices) }] })
const update = (seed: Catalog, previous: Catalog, ...rows: readonly SourceRow[]): CatalogUpdate =>
  updateCatalog({ seed, feeds: [feed(...rows)], previous })
const tokens = (catalog: Catalog): unknown => catalog.get('acme/m')?.prices[0]?.perToken

describe('quarantine', () => {
  const seed = createCatalog([known(usd(2, 4, { cacheRead: 0.2 }))])

  test.each([
    ['ten times as much is taken', usd(20, 40, { cacheRead: 2 }), usd(20, 40, { cacheRead: 2 }), []],
    ['a tenth is taken', usd(0.2, 0.4, { cacheRead: 0.02 }), usd(0.2, 0.4, { cacheRead: 0.02 }), []],
    [
      'more is held',
      usd(20.1, 4, { cacheRead: 0.2 }),
      usd(2, 4, { cacheRead: 0.2 }),
      [['input', 'jumped', 2_000_000, 20_100_000]],
    ],
    [
      'less is held',
      usd(2, 0.39, { cacheRead: 0.2 }),
      usd(2, 4, { cacheRead: 0.2 }),
      [['output', 'jumped', 4_000_000, 390_000]],
    ],
    ['what vanished is held', usd(3, 5), usd(3, 5, { cacheRead: 0.2 }), [['cacheRead', 'vanished', 200_000, undefined]]],
  ])('%s', (_name, next, expected, held) => {
    const { catalog, change } = update(seed, seed, portkey({ usd: next }))
    expect(tokens(catalog)).toEqual(pico(expected))
    expect(change.quarantined.map(({ field, reason, was, now }) => [field, reason, was, now])).toEqual(held)
  })

  test('a price that fell to 0 is held as a whole', () => {
    const { catalog, change } = update(seed, seed, portkey({ saysFree: true }), rowOf({ source: 'models.dev', saysFree: true }))
    expect(catalog.get('acme/m')).toMatchObject({ free: false, prices: seed.get('acme/m')?.prices })
    expect(change.quarantined).toEqual([
      { id: 'acme/m', row: 'standard *', field: '*', reason: 'zero', was: 2_000_000, now: 0 },
    ])
  })

  test('a row that vanished is held; thresholds that differ by one are the same row', () => {
    const row = completePrice({ perToken: pico(usd(1, 1)) })
    const before = createCatalog([entryOf({ prices: [row, { ...row, contextOver: 271_999 }, { ...row, tier: 'batch' }] })])
    const { catalog, change } = update(createCatalog([]), before, portkey({ prices: [row, { ...row, contextOver: 272_000 }] }))
    expect(change.quarantined.map(({ row: conditions, reason }) => [conditions, reason])).toEqual([['batch *', 'vanished']])
    expect(catalog.get('acme/m')?.prices.map(({ tier, contextOver }) => [tier, contextOver])).toEqual([
      ['standard', undefined],
      ['standard', 272_000],
      ['batch', undefined],
    ])
  })

  test('prices of units and images are held alike', () => {
    const before = createCatalog([entryOf({ prices: [{ perUnit: { webSearch: 10, image: { 'a/b': 5, 'c/d': 5 } } }] })])
    const next = completePrice({ perUnit: { webSearch: 1_000, image: { 'a/b': 6 } } })
    const { catalog, change } = update(createCatalog([]), before, portkey({ prices: [next] }))
    expect(catalog.get('acme/m')?.prices[0]?.perUnit).toEqual({ webSearch: 10, image: { 'a/b': 6, 'c/d': 5 } })
    expect(change.quarantined.map(({ field }) => field)).toEqual(['webSearch', 'image:c/d'])
  })

  test('an entry that lost all its prices keeps them', () => {
    const { catalog, change } = update(createCatalog([]), seed, portkey({ caps: { tools: true } }))
    expect(tokens(catalog)).toEqual(pico(usd(2, 4, { cacheRead: 0.2 })))
    expect(change.quarantined.map(({ reason }) => reason)).toEqual(['vanished'])
  })

  test('a person accepts by an override', () => {
    const { catalog } = update(seed, seed, portkey({ usd: usd(50, 4, { cacheRead: 0.2 }) }))
    const { overrides } = overridesFromRows([{ model: 'acme/m', from: '2026-10-01', input: 50 }])
    expect(applyOverrides(catalog, overrides).resolve('acme/m').prices.at(-1)?.perToken).toEqual(
      pico(usd(50, 4, { cacheRead: 0.2 })),
    )
  })

  test('history does not move, and does not come back over a new price', () => {
    const old = entryOf({
      prices: [
        { until: '2026-01-01', perToken: pico(usd(100, 100)) },
        { from: '2026-01-01', perToken: pico(usd(2, 4)) },
      ],
    })
    const before = createCatalog([old])
    const { catalog, change } = update(before, before, portkey({ usd: usd(3, 5) }))
    expect(change.quarantined).toEqual([])
    expect(catalog.get('acme/m')?.prices.map(({ from, until, perToken }) => [from, until, perToken.input])).toEqual([
      [undefined, '2026-01-01', 100_000_000],
      [undefined, undefined, 3_000_000],
    ])
  })
})

describe('layers', () => {
  test('what a feed knows wins, what it does not know stays', () => {
    const lower = entryOf({
      name: 'M',
      aliases: ['n'],
      caps: { tools: true, vision: false },
      limits: { context: 5, output: 3 },
      modalities: { input: ['text'], output: ['text'] },
      lifecycle: { status: 'active', released: '2025-01-01' },
      prices: [{ perToken: pico(usd(1, 1, { cacheWrite1h: 2 })) }, { tier: 'batch', perToken: pico(usd(0.5, 0.5)) }],
      provenance: { sources: ['pi-catalog'], confidence: 'single' },
    })
    const seed = createCatalog([lower])
    const { catalog } = update(
      seed,
      seed,
      portkey({ usd: usd(1, 1), caps: { vision: true }, limits: { context: 9 }, aliases: ['o'] }),
    )
    expect(catalog.get('acme/m')).toMatchObject({
      name: 'M',
      aliases: ['n', 'o'],
      caps: { tools: true, vision: true },
      limits: { context: 9, output: 3 },
      lifecycle: { status: 'active', released: '2025-01-01' },
      prices: [{ perToken: pico(usd(1, 1, { cacheWrite1h: 2 })) }, { tier: 'batch' }],
      provenance: { asOf: '2026-10-01', sources: ['portkey', 'pi-catalog'], confidence: 'agreed' },
    })
  })

  test('of a price that moved, only what the feed says is left', () => {
    const lower = known(usd(1, 1, { cacheWrite1h: 2 }))
    const upper = known(usd(2, 2))
    expect(layered(lower, upper).prices[0]?.perToken).toEqual(pico(usd(2, 2)))
  })

  test('what the feed only inherited gives way to what the seed knows', () => {
    const lower = entryOf({ limits: { context: 5 }, caps: { tools: false }, modalities: { input: ['text'], output: [] } })
    const upper = entryOf({
      limits: { context: 9 },
      caps: { tools: true },
      modalities: { input: ['image'], output: [] },
      provenance: { inherited: ['context', 'tools', 'modalities'] },
    })
    expect(layered(lower, upper)).toMatchObject({
      limits: { context: 5 },
      caps: { tools: false },
      modalities: { input: ['text'] },
    })
    expect(layered(lower, upper).provenance.inherited).toEqual([])
  })

  test('an id stays as it was known, whatever the feed spells', () => {
    const seed = createCatalog([entryOf({ model: 'claude@20250929' })])
    const { catalog, change } = update(seed, seed, portkey({ model: 'Claude-20250929', usd: usd(1, 1) }))
    expect(catalog.entries.map(({ id }) => id)).toEqual(['acme/claude@20250929'])
    expect(change).toMatchObject({ added: [], removed: [], repriced: ['acme/claude@20250929'] })
  })

  test('free below and priced above is priced; free above is free', () => {
    const free = entryOf({ free: true })
    expect(layered(free, known(usd(1, 1))).free).toBe(false)
    expect(layered(known(usd(1, 1)), free)).toMatchObject({ free: true, prices: [] })
    expect(layered(free, entryOf()).free).toBe(true)
  })
})

describe('the change', () => {
  const seed = createCatalog([entryOf({ model: 'stays' })])

  test('names what came, went and was repriced, and its version', () => {
    const first = update(seed, seed, portkey({ model: 'a', usd: usd(1, 1) }), portkey({ model: 'b', usd: usd(1, 1) }))
    expect(first.change).toMatchObject({ added: ['acme/a', 'acme/b'], removed: [], repriced: [], quarantined: [] })
    const second = update(seed, first.catalog, portkey({ model: 'a', usd: usd(2, 2) }))
    expect(second.change).toMatchObject({
      added: [],
      removed: ['acme/b'],
      repriced: ['acme/a'],
      version: second.catalog.version,
    })
    expect(second.catalog.version).not.toBe(first.catalog.version)
  })

  test('the same feed again changes nothing, not even the entries themselves', () => {
    const row = portkey({ model: 'a', usd: usd(1, 1) })
    const first = update(seed, seed, row)
    const again = update(seed, first.catalog, row)
    expect(again.catalog.version).toBe(first.catalog.version)
    expect(again.catalog.get('acme/a')).toBe(first.catalog.get('acme/a'))
    expect(again.change).toMatchObject({ added: [], removed: [], repriced: [], quarantined: [] })
  })

  test('no feed is the seed', () => {
    expect(updateCatalog({ seed, feeds: [], previous: seed }).catalog.version).toBe(seed.version)
  })

  test('the catalog in force is not touched: a call that holds it keeps its prices and version', () => {
    const before = createCatalog([known(usd(1, 1))])
    const { version } = before
    const entry = before.resolve('acme/m')
    update(before, before, portkey({ usd: usd(5, 5) }))
    expect(before.price(entry, { inputTokens: 1, outputTokens: 0 })).toMatchObject({ pico: 1_000_000n, version })
    expect(before.resolve('acme/m')).toBe(entry)
  })

  test('between a catalog and itself there is none', () => {
    expect(changeBetween(seed, seed)).toEqual({ version: seed.version, added: [], removed: [], repriced: [] })
  })
})
