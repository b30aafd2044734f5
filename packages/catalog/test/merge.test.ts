import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { completePrice, type StoredEntry } from '../src/index.ts'
import { judge } from '../src/merge/judge.ts'
import { mergeRows } from '../src/merge/merge.ts'
import type { SourceRow } from '../src/merge/source-row.ts'
import { pico, rowOf } from './support.ts'

const merged = (...rows: readonly SourceRow[]): StoredEntry => {
  const entries = mergeRows(rows)
  if (entries.length !== 1) throw new Error(`${entries.length} entries`)
  return entries[0] as StoredEntry
}
const base = (entry: StoredEntry): unknown => entry.prices?.[0]?.perToken

describe('price', () => {
  test('two independent sources within half a per cent win over a newer one', () => {
    const entry = merged(
      rowOf({ source: 'portkey', asOf: '2026-11-01', usd: { input: 5, output: 30 } }),
      rowOf({ source: 'pi-catalog', usd: { input: 4, output: 20 } }),
      rowOf({ source: 'genai-prices', asOf: '2026-01-01', usd: { input: 4.01, output: 20 } }),
    )
    expect(base(entry)).toEqual(pico({ input: 4, output: 20 }))
    expect(entry.provenance).toMatchObject({
      confidence: 'agreed',
      conflicts: [
        { field: 'input', source: 'portkey', value: 5_000_000 },
        { field: 'output', source: 'portkey', value: 30_000_000 },
      ],
    })
  })

  test.each([
    [1.005, 'agreed'],
    [1.0051, 'disputed'],
  ])('1 and %f are %s: half a per cent of the larger', (other, confidence) => {
    const entry = merged(
      rowOf({ source: 'portkey', usd: { input: 1, output: 1 } }),
      rowOf({ source: 'pi-catalog', usd: { input: other, output: 1 } }),
    )
    expect(entry.provenance?.confidence).toBe(confidence)
  })

  test('input and output are one pair: agreeing on one of them is no agreement', () => {
    const entry = merged(
      rowOf({ source: 'portkey', usd: { input: 4, output: 30 } }),
      rowOf({ source: 'pi-catalog', usd: { input: 4, output: 20 } }),
    )
    expect(base(entry)).toEqual(pico({ input: 4, output: 30 }))
    expect(entry.provenance).toMatchObject({
      confidence: 'disputed',
      conflicts: [{ field: 'output', source: 'pi-catalog', value: 20_000_000 }],
    })
  })

  test('without agreement the newest wins, openai/gpt-5.6 for one: 5/30 or 4/20', () => {
    const entry = merged(
      rowOf({ source: 'portkey', asOf: '2026-08-21', usd: { input: 5, output: 30 } }),
      rowOf({ source: 'pi-catalog', asOf: '2026-09-23', usd: { input: 4, output: 20 } }),
    )
    expect(base(entry)).toEqual(pico({ input: 4, output: 20 }))
    expect(entry.provenance?.confidence).toBe('disputed')
  })

  test.each([
    ['models.dev', 'portkey'],
    ['pi-catalog', 'models.dev'],
    ['genai-prices', 'pi-catalog'],
    ['litellm', 'genai-prices'],
    ['tokenlens', 'litellm'],
  ] as const)('of equally new ones %s comes after %s', (after, before) => {
    const entry = merged(
      rowOf({ source: after, usd: { input: 1, output: 1 } }),
      rowOf({ source: before, usd: { input: 2, output: 2 } }),
    )
    expect(base(entry)).toEqual(pico({ input: 2, output: 2 }))
  })

  test('sources that copy one another are one witness', () => {
    const entry = merged(
      rowOf({ source: 'pi-catalog', asOf: '2026-09-23', usd: { input: 4, output: 4 } }),
      rowOf({ source: 'models.dev', asOf: '2026-01-01', usd: { input: 5, output: 5 } }),
      rowOf({ source: 'tokenlens', asOf: '2025-01-01', usd: { input: 5, output: 5 } }),
    )
    expect(base(entry)).toEqual(pico({ input: 4, output: 4 }))
  })

  test('two pairs of witnesses that differ are a dispute', () => {
    const entry = merged(
      rowOf({ source: 'portkey', asOf: '2026-01-01', usd: { input: 1, output: 1 } }),
      rowOf({ source: 'litellm', asOf: '2026-01-01', usd: { input: 1, output: 1 } }),
      rowOf({ source: 'pi-catalog', asOf: '2026-09-01', usd: { input: 2, output: 2 } }),
      rowOf({ source: 'genai-prices', asOf: '2026-09-01', usd: { input: 2, output: 2 } }),
    )
    expect(base(entry)).toEqual(pico({ input: 2, output: 2 }))
    expect(entry.provenance?.confidence).toBe('disputed')
  })

  test('one voice is single, none is none', () => {
    expect(merged(rowOf({ usd: { input: 1, output: 1 } })).provenance?.confidence).toBe('single')
    expect(merged(rowOf({})).provenance?.confidence).toBeUndefined()
  })

  test('a price with both sides beats a newer half', () => {
    const entry = merged(
      rowOf({ source: 'portkey', asOf: '2026-11-01', usd: { input: 9 } }),
      rowOf({ source: 'pi-catalog', usd: { input: 1, output: 2 } }),
    )
    expect(base(entry)).toEqual(pico({ input: 1, output: 2 }))
  })

  test('a cache price comes from those only who agree on the input it was cut from', () => {
    const entry = merged(
      rowOf({ source: 'portkey', usd: { input: 5, output: 30, cacheRead: 0.5 } }),
      rowOf({ source: 'pi-catalog', usd: { input: 4, output: 20 } }),
      rowOf({ source: 'genai-prices', usd: { input: 4, output: 20, cacheWrite5m: 5 } }),
    )
    expect(base(entry)).toEqual(pico({ input: 4, output: 20, cacheWrite5m: 5 }))
  })

  test('a disputed cache price is settled by itself, x-ai/grok-4.5 for one', () => {
    const entry = merged(
      rowOf({ source: 'portkey', usd: { input: 2, output: 6, cacheRead: 0.5 } }),
      rowOf({ source: 'pi-catalog', usd: { input: 2, output: 6, cacheRead: 0.3 } }),
      rowOf({ source: 'genai-prices', usd: { input: 2, output: 6, cacheRead: 0.3 } }),
    )
    expect(base(entry)).toEqual(pico({ input: 2, output: 6, cacheRead: 0.3 }))
    expect(entry.provenance).toMatchObject({
      confidence: 'agreed',
      conflicts: [{ field: 'cacheRead', source: 'portkey', value: 500_000 }],
    })
  })

  test('long context, tiers and regions come whole from the first of the agreeing that has them', () => {
    const short = completePrice({ perToken: pico({ input: 1, output: 1 }) })
    const entry = merged(
      rowOf({ source: 'portkey', prices: [short, { ...short, tier: 'batch' }, { ...short, contextOver: 272_000 }] }),
      rowOf({ source: 'genai-prices', prices: [short, { ...short, contextOver: 271_999 }, { ...short, tier: 'flex' }] }),
      rowOf({
        source: 'litellm',
        usd: { input: 7, output: 7 },
        prices: [
          { ...short, perToken: pico({ input: 7, output: 7 }) },
          { ...short, region: 'eu' },
        ],
      }),
    )
    expect(entry.prices?.map(({ tier, region, contextOver }) => [tier, region, contextOver])).toEqual([
      [undefined, undefined, undefined],
      [undefined, undefined, 272_000],
      ['batch', undefined, undefined],
      ['flex', undefined, undefined],
    ])
  })

  test('prices over more than the context are of an offer that has ended', () => {
    const short = completePrice({ perToken: pico({ input: 1, output: 1 }) })
    const entry = merged(rowOf({ limits: { context: 200_000 }, prices: [short, { ...short, contextOver: 200_000 }] }))
    expect(entry.prices).toHaveLength(1)
  })

  test('the base of dated rows is the one that holds at the date of the source', () => {
    const rows = [
      completePrice({ until: '2026-01-01', perToken: pico({ input: 9, output: 9 }) }),
      completePrice({ from: '2026-01-01', until: '2027-01-01', perToken: pico({ input: 4, output: 4 }) }),
      completePrice({ from: '2027-01-01', perToken: pico({ input: 1, output: 1 }) }),
    ]
    const entry = merged(
      rowOf({ source: 'genai-prices', prices: rows }),
      rowOf({ usd: { input: 4, output: 4, cacheRead: 0.4 } }),
    )
    expect(entry.provenance?.confidence).toBe('agreed')
    expect(entry.prices?.map(({ perToken }) => perToken?.cacheRead)).toEqual([undefined, 400_000, undefined])
  })

  test('an override is believed before all', () => {
    const entry = merged(
      rowOf({ source: 'override', asOf: '2020-01-01', usd: { input: 9, output: 9 } }),
      rowOf({ source: 'portkey', usd: { input: 1, output: 1 } }),
      rowOf({ source: 'pi-catalog', usd: { input: 1, output: 1 } }),
    )
    expect(base(entry)).toEqual(pico({ input: 9, output: 9 }))
  })

  test('a borrowed price is taken where nobody else speaks, and marked', () => {
    const borrowed = rowOf({ source: 'genai-prices', borrowed: true, usd: { input: 1, output: 1 } })
    expect(merged(borrowed).provenance?.inherited).toEqual(['prices'])
    const both = merged(borrowed, rowOf({ source: 'tokenlens', asOf: '2025-01-01', usd: { input: 2, output: 2 } }))
    expect(base(both)).toEqual(pico({ input: 2, output: 2 }))
    expect(both.provenance?.inherited).toBeUndefined()
  })

  test('fees by the unit stand beside whatever token price won', () => {
    const entry = merged(
      rowOf({ source: 'portkey', usd: { input: 1, output: 1 } }),
      rowOf({ source: 'litellm', prices: [completePrice({ perUnit: { webSearch: 10 } })] }),
    )
    expect(entry.prices).toEqual([{ perToken: pico({ input: 1, output: 1 }), perUnit: { webSearch: 10 } }])
  })
})

describe('free', () => {
  const zero = { saysFree: true } as const
  test('two independent sources that say 0', () => {
    expect(merged(rowOf({ source: 'portkey', ...zero }), rowOf({ source: 'models.dev', ...zero })).free).toBe(true)
  })

  test('a name that says so, whatever else is said', () => {
    expect(merged(rowOf({ model: 'x:free', usd: { input: 1, output: 1 } }))).toMatchObject({ free: true })
    expect(merged(rowOf({ model: 'x:free', usd: { input: 1, output: 1 } })).prices).toBeUndefined()
  })

  test.each<[string, readonly SourceRow[]]>([
    ['one that says 0: codestral is unknown', [rowOf({ source: 'litellm', ...zero })]],
    ['two that copy each other', [rowOf({ source: 'models.dev', ...zero }), rowOf({ source: 'tokenlens', ...zero })]],
    [
      'a price beside',
      [rowOf({ source: 'portkey', ...zero }), rowOf({ source: 'litellm', ...zero }), rowOf({ usd: { input: 1, output: 1 } })],
    ],
  ])('is not %s', (_name, rows) => {
    expect(merged(...rows).free).toBeUndefined()
  })
})

describe('identity', () => {
  test('spellings meet in one entry, the others become aliases', () => {
    const entry = merged(
      rowOf({ source: 'models.dev', model: 'Claude-X@20250929' }),
      rowOf({ source: 'pi-catalog', model: 'claude-x-20250929' }),
    )
    expect(entry).toMatchObject({ model: 'Claude-X@20250929', aliases: ['claude-x-20250929'] })
  })

  test('an alias that is a model of its own is none, nor is a moving name an alias of a fixed one', () => {
    const entries = mergeRows([rowOf({ model: 'a', aliases: ['b', 'a-latest', 'a-0314'] }), rowOf({ model: 'b' })])
    expect(entries.map(({ aliases }) => aliases)).toEqual([['a-0314'], undefined])
    expect(merged(rowOf({ model: 'deepseek-chat', aliases: ['deepseek-chat-v3-0324'] })).aliases).toBeUndefined()
  })

  test('kind: by the source that knows, else by the name', () => {
    expect(merged(rowOf({ model: 'my-embed' })).kind).toBe('embedding')
    expect(merged(rowOf({ model: 'my-embed', kind: 'rerank' })).kind).toBe('rerank')
    expect(merged(rowOf({ kind: 'chat' })).kind).toBeUndefined()
  })

  test('Portkey’s own providers need no address', () => {
    const route = { via: 'openai-compatible', baseUrl: 'https://x', envKeys: [] } as const
    expect(merged(rowOf({ route })).route).toEqual(route)
    expect(merged(rowOf({ route, provider: 'openai' })).route).toBeUndefined()
  })
})

describe('facts', () => {
  test('flags come from the source believed first that has any', () => {
    const entry = merged(
      rowOf({ source: 'mastra', caps: { jsonSchema: true, vision: true } }),
      rowOf({ source: 'pi-catalog', caps: { vision: false } }),
      rowOf({ source: 'models.dev', caps: { tools: true } }),
    )
    expect(entry.caps).toEqual({ tools: true, vision: false, jsonSchema: true })
  })

  test('a limit that two witnesses give wins, else the first believed', () => {
    const rows = [
      rowOf({ source: 'pi-catalog', limits: { context: 1 } }),
      rowOf({ source: 'genai-prices', limits: { context: 2 } }),
      rowOf({ source: 'litellm', limits: { context: 2, output: 5 } }),
    ]
    expect(merged(...rows).limits).toEqual({ context: 2, output: 5 })
    expect(merged(...rows.slice(0, 2)).limits).toEqual({ context: 1 })
  })

  test('a deprecation that anyone reports stands', () => {
    const entry = merged(
      rowOf({ source: 'models.dev', lifecycle: { status: 'active', released: '2025-01-01' } }),
      rowOf({ source: 'genai-prices', lifecycle: { status: 'deprecated' } }),
      rowOf({ source: 'litellm', lifecycle: { deprecatesOn: '2026-12-01' } }),
    )
    expect(entry.lifecycle).toEqual({ status: 'deprecated', released: '2025-01-01', deprecatesOn: '2026-12-01' })
  })
})

describe('inheritance from the same weights', () => {
  const at = (provider: string, parts: Parameters<typeof rowOf>[0] = {}): SourceRow =>
    rowOf({ provider, model: 'claude-x', ...parts })
  const of = (entries: readonly StoredEntry[], provider: string): StoredEntry | undefined =>
    entries.find((entry) => entry.provider === provider)

  test('fills limits, modalities and flags, never prices nor lifecycle, and says what', () => {
    const entries = mergeRows([
      at('a'),
      at('b', {
        limits: { context: 9, output: 5 },
        modalities: { input: ['text'], output: ['text'] },
        caps: { tools: true },
        usd: { input: 1, output: 1 },
        lifecycle: { status: 'active' },
      }),
    ])
    expect(of(entries, 'a')).toEqual({
      provider: 'a',
      model: 'claude-x',
      limits: { context: 9, output: 5 },
      modalities: { input: ['text'], output: ['text'] },
      caps: { tools: true },
      provenance: { asOf: '2026-09-23', sources: ['pi-catalog'], inherited: ['context', 'output', 'modalities', 'tools'] },
    })
  })

  test('the maker’s word first, then the value that most share, then the smallest', () => {
    const context = (value: number): Parameters<typeof rowOf>[0] => ({ limits: { context: value } })
    const filled = (...rows: readonly SourceRow[]): number | undefined =>
      of(mergeRows([at('me'), ...rows]), 'me')?.limits?.context
    expect(filled(at('b', context(7)), at('c', context(7)), at('anthropic', context(3)))).toBe(3)
    expect(filled(at('b', context(7)), at('c', context(7)), at('d', context(3)))).toBe(7)
    expect(filled(at('b', context(7)), at('c', context(3)))).toBe(3)
  })

  test('an inherited value is not passed on, and an output above the own context is not taken', () => {
    const entries = mergeRows([at('a', { limits: { context: 4 } }), at('b', { limits: { context: 9, output: 8 } })])
    expect(of(entries, 'a')?.limits).toEqual({ context: 4 })
  })

  test(':thinking is another model', () => {
    const entries = mergeRows([
      rowOf({ provider: 'a', model: 'x:thinking' }),
      rowOf({ provider: 'b', model: 'x', limits: { context: 9 } }),
    ])
    expect(of(entries, 'a')?.limits).toBeUndefined()
  })
})

test('the order of rows does not matter', () => {
  const rows = [
    rowOf({ source: 'portkey', usd: { input: 5, output: 30, cacheRead: 0.5 }, caps: { tools: true } }),
    rowOf({ source: 'pi-catalog', model: 'M', usd: { input: 4, output: 20 }, limits: { context: 9 } }),
    rowOf({ source: 'genai-prices', usd: { input: 4, output: 20 }, aliases: ['n'] }),
    rowOf({ source: 'litellm', usd: { input: 5, output: 30 }, limits: { context: 8 } }),
    rowOf({ provider: 'b', source: 'models.dev', limits: { output: 3 } }),
  ]
  const expected = JSON.stringify(mergeRows(rows))
  fc.assert(
    fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (shuffled) => {
      expect(JSON.stringify(mergeRows(shuffled))).toBe(expected)
    }),
  )
})

test('nobody’s word is no verdict', () => {
  expect(judge([], () => true)).toBeUndefined()
})
