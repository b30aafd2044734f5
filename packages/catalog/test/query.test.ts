import { describe, expect, test } from 'vitest'
import { type CatalogQuery, createCatalog, hasCapability, type StoredEntry, statusAt } from '../src/index.ts'
import { entryOf } from './support.ts'

const found = (entries: readonly Partial<StoredEntry>[], query: CatalogQuery): readonly string[] =>
  createCatalog(entries.map((parts, at) => entryOf({ model: `m${at}`, ...parts })))
    .find(query)
    .map(({ model }) => model)

test('no query finds all', () => {
  expect(found([{}, {}], {})).toEqual(['m0', 'm1'])
})

test('capabilities must be known to be there: false and unknown are not', () => {
  const entries = [
    { caps: { tools: true, vision: true } },
    { caps: { tools: true } },
    { caps: { tools: true, vision: false } },
    {},
  ]
  expect(found(entries, { capabilities: ['tools', 'vision'] })).toEqual(['m0'])
  expect(found(entries, { capabilities: [] })).toHaveLength(4)
})

test('streaming that nobody speaks of is taken for granted in chat only', () => {
  const entries: Partial<StoredEntry>[] = [{}, { kind: 'responses' }, { kind: 'embedding' }, { caps: { streaming: false } }]
  expect(found(entries, { capabilities: ['streaming'] })).toEqual(['m0', 'm1'])
  expect(hasCapability(entryOf(), 'tools')).toBe(false)
})

test('modalities in and out', () => {
  const entries: Partial<StoredEntry>[] = [
    { modalities: { input: ['text', 'image'], output: ['text'] } },
    { modalities: { input: ['text'], output: ['text', 'audio'] } },
  ]
  expect(found(entries, { modalities: { input: ['image'] } })).toEqual(['m0'])
  expect(found(entries, { modalities: { output: ['audio', 'text'] } })).toEqual(['m1'])
  expect(found(entries, { modalities: { input: ['image'], output: ['audio'] } })).toEqual([])
})

describe('price', () => {
  const entries: Partial<StoredEntry>[] = [
    { prices: [{ perToken: { input: 1_000_000, output: 1_000_000 } }] },
    { prices: [{ perToken: { input: 1_000_000, output: 1_000_001 } }] },
    { prices: [{ perToken: { input: 1_000_000 } }] },
    {},
    { free: true },
    { kind: 'embedding', prices: [{ perToken: { input: 500_000 } }] },
    { prices: [{ tier: 'batch', perToken: { input: 1, output: 1 } }] },
  ]
  test('a number bounds both sides, and what is not priced never meets it', () => {
    expect(found(entries, { maxPrice: 1 })).toEqual(['m0', 'm4', 'm5'])
  })

  test('one side alone', () => {
    expect(found(entries, { maxPrice: { input: 0.5 } })).toEqual(['m4', 'm5'])
    expect(found(entries, { maxPrice: { output: 2 } })).toEqual(['m0', 'm1', 'm4', 'm5'])
  })

  test('in the region that is asked for', () => {
    const regional: Partial<StoredEntry>[] = [
      { prices: [{ perToken: { input: 1, output: 1 } }, { region: 'eu', perToken: { input: 2_000_000, output: 1 } }] },
    ]
    expect(found(regional, { maxPrice: 1 })).toEqual(['m0'])
    expect(found(regional, { maxPrice: 1, region: 'eu' })).toEqual([])
  })
})

test('a context that nobody knows meets no minimum', () => {
  expect(found([{ limits: { context: 9 } }, { limits: { context: 10 } }, {}], { minContext: 10 })).toEqual(['m1'])
})

test('region: ids and prices of other regions are left out', () => {
  const entries: Partial<StoredEntry>[] = [
    {},
    { model: 'eu.x' },
    { model: 'us.x' },
    { model: 'global.x' },
    { prices: [{ region: 'us', perToken: { input: 1 } }] },
    { prices: [{ perToken: { input: 1 } }, { region: 'us', perToken: { input: 2 } }] },
  ]
  expect(found(entries, { region: 'eu' })).toEqual(['eu.x', 'global.x', 'm0', 'm5'])
  expect(found(entries, { region: 'us-east-1' })).toEqual(['global.x', 'm0', 'm5', 'us.x'])
})

test('providers by any of their names, in order of id', () => {
  const entries: Partial<StoredEntry>[] = [{ provider: 'x-ai' }, { provider: 'bedrock' }, { provider: 'openai' }]
  expect(found(entries, { providers: ['xai', 'amazon-bedrock', 'x-ai', 'nobody'] })).toEqual(['m1', 'm0'])
  expect(found(entries, { providers: [] })).toEqual([])
})

test('kinds', () => {
  expect(found([{ kind: 'rerank' }, {}], { kinds: ['rerank', 'ocr'] })).toEqual(['m0'])
})

describe('lifecycle', () => {
  const entries: Partial<StoredEntry>[] = [
    { lifecycle: { status: 'active' } },
    { lifecycle: { status: 'deprecated' } },
    { lifecycle: { status: 'active', deprecatesOn: '2026-10-01' } },
    { lifecycle: { status: 'deprecated', deprecatesOn: '2026-12-01' } },
    { lifecycle: { status: 'retired' } },
    {},
  ]
  test('what is deprecated or retired by then is left out', () => {
    expect(found(entries, { notDeprecatedBefore: '2026-11-01' })).toEqual(['m0', 'm3', 'm5'])
    expect(found(entries, { notDeprecatedBefore: Date.parse('2026-09-01') })).toEqual(['m0', 'm2', 'm3', 'm5'])
  })

  test('past its date a model is retired, whatever it is called', () => {
    const entry = entryOf({ lifecycle: { status: 'active', deprecatesOn: '2026-10-01' } })
    expect(statusAt(entry, Date.parse('2026-09-30'))).toBe('active')
    expect(statusAt(entry, Date.parse('2026-10-01'))).toBe('retired')
  })

  test.each(['soon', '', Number.NaN])('%j is no date', (notDeprecatedBefore) => {
    expect(() => found([], { notDeprecatedBefore })).toThrow(TypeError)
  })
})
