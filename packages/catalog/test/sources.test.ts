import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { genaiRows } from '../scripts/sources/genai-prices.ts'
import { readMastra } from '../scripts/sources/mastra.ts'
import { readPiCatalog } from '../scripts/sources/pi-catalog.ts'
import { readTokenlens } from '../scripts/sources/tokenlens.ts'
import type { SourceRow } from '../src/merge/source-row.ts'

const AS_OF = '2026-09-23'
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A package's files in a folder of their own. */
function unpacked(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-source-'))
  folders.push(folder)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}

const pi = (provider: string, parts: object = {}): readonly SourceRow[] => {
  const model = {
    id: 'm',
    name: 'M',
    baseUrl: 'https://api.example/v1',
    reasoning: true,
    input: ['text', 'image'],
    cost: { input: 2, output: 4, cacheRead: 0, cacheWrite: 0 },
    contextWindow: 100,
    maxTokens: 10,
    ...parts,
  }
  return readPiCatalog(unpacked({ 'src/models.json': { [provider]: { m: model } } }), AS_OF)
}

test('pi-catalog: a chat model', () => {
  expect(pi('acme')).toEqual([
    {
      source: 'pi-catalog',
      asOf: AS_OF,
      provider: 'acme',
      model: 'm',
      name: 'M',
      route: { via: 'openai-compatible', baseUrl: 'https://api.example/v1', envKeys: [] },
      limits: { context: 100, output: 10 },
      modalities: { input: ['text', 'image'], output: ['text'] },
      caps: { reasoning: true, vision: true },
      prices: [{ tier: 'standard', region: '*', perToken: { input: 2_000_000, output: 4_000_000 }, perUnit: {} }],
    },
  ])
})

test('pi-catalog: what is 0, negative or null is unknown', () => {
  const [zero] = pi('acme', { cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }, contextWindow: null })
  expect(zero).toMatchObject({ prices: [], limits: { output: 10 } })
  expect(zero?.saysFree).toBeUndefined()
  expect(pi('openrouter', { cost: { input: -1_000_000, output: -1_000_000, cacheRead: 0, cacheWrite: 0 } })[0]?.prices).toEqual(
    [],
  )
})

test('pi-catalog: tools are false only where it says so', () => {
  expect(pi('acme', { supportsTools: false })[0]?.caps).toMatchObject({ tools: false })
  expect(pi('acme', { supportsTools: true })[0]?.caps).toMatchObject({ tools: true })
  expect(pi('acme')[0]?.caps).not.toHaveProperty('tools')
})

test('pi-catalog: subscriptions are no providers, templates no addresses, and kinds are kept', () => {
  expect(pi('github-copilot')).toEqual([])
  expect(pi('alibaba-token-plan')).toEqual([])
  expect(pi('acme', { baseUrl: 'https://{location}-x/v1' })[0]?.route).toBeUndefined()
  expect(pi('acme', { kind: 'stt' })[0]).toMatchObject({ kind: 'transcription' })
  expect(pi('acme', { kind: 'stt' })[0]?.modalities).toBeUndefined()
})

test('pi-catalog: an inclusive threshold is one less', () => {
  const long = { inputThreshold: 200_000, input: 4, output: 8, cacheRead: 0, cacheWrite: 0 }
  const over = (longContext: object): number | undefined =>
    pi('xai', { cost: { input: 2, output: 4, cacheRead: 0, cacheWrite: 0, longContext } })[0]?.prices?.[1]?.contextOver
  expect(over(long)).toBe(200_000)
  expect(over({ ...long, inputThresholdInclusive: true })).toBe(199_999)
})

test('pi-catalog: off-peak hours, and rates that came into effect', () => {
  const rates = { input: 2, output: 4, cacheRead: 0, cacheWrite: 0 }
  const hours = { weekdays: [1], startMinute: 60, endMinute: 120 }
  const timeBased = {
    offPeakMultiplier: 0.5,
    peakWindows: [hours],
    effectiveRates: [
      { ...rates, input: 6, effectiveFrom: Date.parse('2026-09-01') },
      { ...rates, input: 9, effectiveFrom: Date.parse('2026-10-01') },
    ],
  }
  expect(pi('deepseek', { cost: { ...rates, timeBased } })[0]?.prices?.map((row) => [row.hours, row.perToken.input])).toEqual([
    [undefined, 3_000_000],
    [hours, 6_000_000],
  ])
})

const genai = (prices: unknown, rest: object = {}, provider = 'acme'): readonly SourceRow[] =>
  genaiRows([{ id: provider, models: [{ id: 'm', match: { equals: 'm' }, prices, ...rest }] }] as never, AS_OF)

test('genai-prices: token and unit prices, aliases, context', () => {
  const match = { or: [{ equals: 'm' }, { equals: 'm-0101' }, { starts_with: 'mm' }] }
  const prices = {
    input_mtok: 2,
    output_mtok: 4,
    cache_write_1h_mtok: 5,
    web_searches_kcount: 10,
    audio_hours: 3.6,
    unheard_of: 1,
  }
  expect(genai(prices, { match, context_window: 9, deprecated: true })).toEqual([
    {
      source: 'genai-prices',
      asOf: AS_OF,
      provider: 'acme',
      model: 'm',
      aliases: ['m-0101'],
      limits: { context: 9 },
      lifecycle: { status: 'deprecated' },
      prices: [
        {
          tier: 'standard',
          region: '*',
          perToken: { input: 2_000_000, output: 4_000_000, cacheWrite1h: 5_000_000 },
          perUnit: { webSearch: 10_000_000_000, second: 1_000_000_000 },
        },
      ],
    },
  ])
})

test('genai-prices: starts are exclusive, and a side without tiers keeps its price', () => {
  const prices = { input_mtok: { base: 1, tiers: [{ start: 271_999, price: 2 }] }, output_mtok: 7 }
  expect(genai(prices)[0]?.prices?.map((row) => [row.contextOver, row.perToken])).toEqual([
    [undefined, { input: 1_000_000, output: 7_000_000 }],
    [271_999, { input: 2_000_000, output: 7_000_000 }],
  ])
})

test('genai-prices: tiers of the ended beta are left out', () => {
  const prices = { input_mtok: { base: 3, tiers: [{ start: 200_000, price: 6 }] }, output_mtok: 15 }
  expect(genai(prices, { id: 'claude-sonnet-4-5' }, 'anthropic')[0]?.prices).toHaveLength(1)
  expect(genai(prices, { id: 'claude-sonnet-4-6' }, 'anthropic')[0]?.prices).toHaveLength(2)
  expect(genai(prices, { id: 'us.anthropic.claude-sonnet-4-20250514-v1:0' }, 'aws')[0]?.prices).toHaveLength(1)
})

test('genai-prices: dated rows follow one another, hours stand beside', () => {
  const rows = genai([
    { prices: { input_mtok: 1, output_mtok: 1 } },
    { constraint: { type: 'start_date', start_date: '2026-01-01' }, prices: { input_mtok: 2, output_mtok: 2 } },
    { constraint: { type: 'start_date', start_date: '2027-01-01' }, prices: { input_mtok: 3, output_mtok: 3 } },
    {
      constraint: { type: 'time_of_date', start_time: '00:30:00Z', end_time: '16:30:00Z' },
      prices: { input_mtok: 4, output_mtok: 4 },
    },
  ])[0]?.prices
  expect(
    rows?.map(({ from, until, hours, perToken }) => [perToken.input, from, until, hours?.startMinute, hours?.endMinute]),
  ).toEqual([
    [1_000_000, undefined, '2026-01-01', undefined, undefined],
    [2_000_000, '2026-01-01', '2027-01-01', undefined, undefined],
    [3_000_000, '2027-01-01', undefined, undefined, undefined],
    [4_000_000, '2027-01-01', undefined, 30, 990],
  ])
})

test('genai-prices: its google speaks for Vertex where nobody else does', () => {
  expect(genai({ input_mtok: 1, output_mtok: 1 }, {}, 'google').map(({ provider, borrowed }) => [provider, borrowed])).toEqual([
    ['google', undefined],
    ['vertex-ai', true],
  ])
  expect(genai({ input_mtok: 1, output_mtok: 1 }, { id: 'claude-x' }, 'google').map(({ provider }) => provider)).toEqual([
    'vertex-ai',
  ])
  expect(genai({ input_mtok: 1 }, {}, 'github-copilot')).toEqual([])
})

test('genai-prices: prices that cannot be leave the model unpriced', () => {
  expect(genai({ input_mtok: -1, output_mtok: 1 })[0]?.prices).toEqual([])
  expect(genai({})[0]?.prices).toEqual([])
})

test('mastra: lists say what is there, not what is missing', () => {
  const folder = unpacked({
    'dist/provider-registry.json': {
      providers: {
        acme: { url: 'https://api.acme/v1', apiKeyEnvVar: 'ACME_KEY', models: ['a', 'b'], deprecatedModels: ['b'] },
        local: { models: ['x'] },
        two: { url: 'http://127.0.0.1:1/v1', apiKeyEnvVar: ['A', 'B'], models: ['c'] },
      },
    },
    'dist/capabilities/acme.json': { attachment: ['a'], structuredOutput: ['a'], temperature: ['b'] },
  })
  expect(
    readMastra(folder, AS_OF).map(({ provider, model, caps, lifecycle, route }) => [
      provider,
      model,
      caps,
      lifecycle?.status,
      route?.via,
    ]),
  ).toEqual([
    ['acme', 'a', { jsonSchema: true, vision: true }, 'active', 'openai-compatible'],
    ['acme', 'b', {}, 'deprecated', 'openai-compatible'],
    ['two', 'c', {}, 'active', undefined],
  ])
})

test('tokenlens: each provider once, and what was active is known no longer', async () => {
  const provider = { id: 'acme', models: { m: { id: 'm', tool_call: true, cost: { input: 1, output: 2 } } } }
  const folder = unpacked({
    'package.json': { type: 'module' },
    'dist/providers/acme.js': `export const models = ${JSON.stringify(provider)}\nexport default models\nexport const other = 3\n`,
    'dist/providers/acme.d.ts': 'export {}',
  })
  const rows = await readTokenlens(folder, AS_OF)
  expect(rows).toMatchObject([
    { source: 'tokenlens', provider: 'acme', model: 'm', caps: { tools: true }, lifecycle: { status: 'unknown' } },
  ])
})
