import { expect, test } from 'vitest'
import { type Import, importModelsDev } from '../src/index.ts'
import { bytes } from './support.ts'

const AS_OF = '2026-10-01'
const read = (model: unknown, provider: object = {}, id = 'acme'): Import =>
  importModelsDev(bytes({ [id]: { id, models: { m: model }, ...provider } }), { asOf: AS_OF })
const rowOf = (model: unknown, provider: object = {}): unknown => read(model, provider).rows[0]

test('a model with all that the feed says', () => {
  const model = {
    id: 'm',
    name: 'M',
    family: 'gpt',
    attachment: true,
    reasoning: true,
    tool_call: true,
    structured_output: false,
    temperature: false,
    knowledge: '2025-08-31',
    release_date: '2026-03-05',
    last_updated: '2026-03-05',
    open_weights: false,
    modalities: { input: ['text', 'image', 'pdf', 'smell'], output: ['text'] },
    limit: { context: 1_050_000, input: 922_000, output: 128_000 },
    cost: {
      input: 2.5,
      output: 15,
      cache_read: 0.25,
      cache_write: 0,
      tiers: [{ tier: { type: 'context', size: 272_000 }, input: 5, output: 22.5, cache_read: 0.5 }],
      context_over_200k: { input: 99, output: 99 },
    },
    experimental: { modes: { fast: { cost: { input: 5, output: 30 }, provider: { body: { service_tier: 'priority' } } } } },
  }
  expect(rowOf(model, { api: 'https://api.acme/v1', env: ['ACME_KEY'] })).toEqual({
    source: 'models.dev',
    asOf: AS_OF,
    provider: 'acme',
    model: 'm',
    name: 'M',
    route: { via: 'openai-compatible', baseUrl: 'https://api.acme/v1', envKeys: ['ACME_KEY'] },
    limits: { context: 1_050_000, input: 922_000, output: 128_000 },
    modalities: { input: ['text', 'image', 'pdf'], output: ['text'] },
    caps: {
      tools: true,
      reasoning: true,
      jsonSchema: false,
      vision: true,
      audioIn: false,
      audioOut: false,
      pdf: true,
      promptCache: true,
    },
    prices: [
      { tier: 'standard', region: '*', perToken: { input: 2_500_000, output: 15_000_000, cacheRead: 250_000 }, perUnit: {} },
      {
        tier: 'standard',
        region: '*',
        contextOver: 272_000,
        perToken: { input: 5_000_000, output: 22_500_000, cacheRead: 500_000 },
        perUnit: {},
      },
      { tier: 'priority', region: '*', perToken: { input: 5_000_000, output: 30_000_000 }, perUnit: {} },
    ],
    lifecycle: { status: 'active', released: '2026-03-05', knowledge: '2025-08-31' },
  })
})

test('0 is unknown: limits, prices; both sides 0 are a voice for free', () => {
  expect(rowOf({ limit: { context: 0, output: 0 }, cost: { input: 0, output: 0 } })).toMatchObject({
    limits: {},
    prices: [],
    saysFree: true,
  })
  expect(rowOf({ cost: { input: 0, output: 1 } })).not.toHaveProperty('saysFree')
  expect(rowOf({})).toMatchObject({ prices: [], caps: {} })
})

test.each([
  ['speed: fast is a tier of its own', { body: { speed: 'fast' } }, ['standard', 'fast']],
  ['a mode that is no tier is left out', { body: { something: 1 } }, ['standard']],
])('%s', (_name, provider, tiers) => {
  const row = read({
    cost: { input: 1, output: 1 },
    experimental: { modes: { fast: { cost: { input: 2, output: 2 }, provider } } },
  }).rows[0]
  expect(row?.prices?.map(({ tier }) => tier)).toEqual(tiers)
})

test.each([
  ['deprecated', 'deprecated'],
  ['beta', 'preview'],
  ['alpha', 'preview'],
  ['new', 'active'],
])('status %s is %s', (status, lifecycle) => {
  expect(read({ status }).rows[0]?.lifecycle?.status).toBe(lifecycle)
})

test.each([
  [{ input: ['text'], output: ['image'] }, 'image'],
  [{ input: ['text'], output: ['audio'] }, 'speech'],
  [{ input: ['audio'], output: ['text'] }, 'transcription'],
  [{ input: ['text'], output: ['video'] }, 'video'],
  [{ input: ['text', 'image'], output: ['text', 'image'] }, undefined],
])('%j is of kind %s', (modalities, kind) => {
  expect(read({ modalities }).rows[0]?.kind).toBe(kind)
})

test.each([
  ['a negative price', { input: -1, output: 1 }, 'input is negative'],
  ['a text', { input: '1', output: 1 }, 'input is "1", not a number'],
  ['a price that is none by the token', { input: 1, output: 1000 }, 'output of 1000 USD a million tokens is not a token price'],
  ['a price beyond all', { input: 1e300, output: 1 }, 'input is beyond any price'],
])('%s rejects the row', (_name, cost, reason) => {
  const result = read({ cost })
  expect(result).toMatchObject({ rows: [], seen: 1, rejected: [{ id: 'acme/m', reason }] })
})

test('NaN and Infinity cannot stand in JSON; null and what is no object reject or say nothing', () => {
  expect(read(null).rejected).toEqual([{ id: 'acme/m', reason: 'not an object' }])
  expect(read({ cost: { input: null, output: null } }).rows[0]?.prices).toEqual([])
})

test('single values that cannot be are dropped and named', () => {
  const result = read({ limit: { context: 99_999_999, output: 5.5 }, cost: { input: 1, output: 1, cache_read: 2 } })
  expect(result.rows[0]).toMatchObject({ limits: {}, prices: [{ perToken: { input: 1_000_000, output: 1_000_000 } }] })
  expect(result.rows[0]).not.toHaveProperty('dropped')
  expect(result.dropped.map(({ field }) => field).sort()).toEqual(['cacheRead', 'context', 'output'])
})

test('unknown keys are counted, never an error', () => {
  expect(read({ shoe_size: 43, cost: { input: 1, output: 1, per_mile: 3 } }).unknownKeys).toEqual({ shoe_size: 1, per_mile: 1 })
})

test('providers: pseudo ones go, those without models are rejected, names are Portkey’s', () => {
  const feed = { 'github-copilot': { models: { a: {} } }, broken: { models: [] }, 'amazon-bedrock': { models: { b: {} } } }
  const result = importModelsDev(bytes(feed), { asOf: AS_OF })
  expect(result.rows.map(({ provider }) => provider)).toEqual(['bedrock'])
  expect(result.rejected).toEqual([{ id: 'broken', reason: 'a provider without models' }])
})

test('a tier without a size, or of another type, is none', () => {
  const tiers = [{ tier: { type: 'context' }, input: 2 }, { tier: { type: 'moon', size: 3 }, input: 2 }, 7, { input: 3 }]
  expect(read({ cost: { input: 1, output: 1, tiers } }).rows[0]?.prices).toHaveLength(1)
})
