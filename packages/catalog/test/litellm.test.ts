import { describe, expect, test } from 'vitest'
import { type Import, importLiteLlm, type SourceRow } from '../src/index.ts'
import { bytes } from './support.ts'

const read = (models: object): Import => importLiteLlm(bytes(models), { asOf: '2026-10-01' })
const rowOf = (key: string, record: object): SourceRow | undefined =>
  read({ [key]: { litellm_provider: 'openai', mode: 'chat', ...record } }).rows[0]

test('a model with all that the feed says', () => {
  const record = {
    max_input_tokens: 1_050_000,
    max_output_tokens: 128_000,
    max_tokens: 1,
    input_cost_per_token: 0.0000025,
    output_cost_per_token: 0.000015,
    cache_read_input_token_cost: 2.5e-7,
    cache_creation_input_token_cost: 0.000003,
    cache_creation_input_token_cost_above_1hr: 0.000005,
    input_cost_per_token_above_272k_tokens: 0.000005,
    output_cost_per_token_above_272k_tokens: 0.0000225,
    input_cost_per_token_batches: 0.00000125,
    input_cost_per_token_flex: 0.00000125,
    input_cost_per_token_priority: 0.000005,
    input_cost_per_token_above_272k_tokens_priority: 0.00001,
    search_context_cost_per_query: { search_context_size_medium: 0.01 },
    file_search_cost_per_1k_calls: 2.5,
    supports_function_calling: true,
    supports_vision: false,
    supports_native_streaming: true,
    supports_something_new: true,
    supported_modalities: ['text', 'image'],
    supported_output_modalities: ['text'],
    deprecation_date: '2026-11-04',
  }
  const perUnit = { webSearch: 10_000_000_000, fileSearch: 2_500_000_000 }
  const row = (tier: string, perToken: object, contextOver?: number, units: object = {}): object => ({
    tier,
    region: '*',
    ...(contextOver === undefined ? {} : { contextOver }),
    perToken,
    perUnit: units,
  })
  expect(rowOf('gpt-x', record)).toEqual({
    source: 'litellm',
    asOf: '2026-10-01',
    provider: 'openai',
    model: 'gpt-x',
    kind: 'chat',
    limits: { context: 1_050_000, output: 128_000 },
    modalities: { input: ['text', 'image'], output: ['text'] },
    caps: { tools: true, vision: false, streaming: true },
    lifecycle: { deprecatesOn: '2026-11-04' },
    prices: [
      row(
        'standard',
        { input: 2_500_000, output: 15_000_000, cacheRead: 250_000, cacheWrite5m: 3_000_000, cacheWrite1h: 5_000_000 },
        undefined,
        perUnit,
      ),
      row('standard', { input: 5_000_000, output: 22_500_000 }, 272_000),
      row('batch', { input: 1_250_000 }),
      row('flex', { input: 1_250_000 }),
      row('priority', { input: 5_000_000 }),
      row('priority', { input: 10_000_000 }, 272_000),
    ],
  })
})

test('a flag that is not there is unknown', () => {
  expect(rowOf('m', {})?.caps).toEqual({})
})

describe('what is no model', () => {
  test.each<[string, object]>([
    ['sample_spec', { litellm_provider: 'one of https://...', mode: 'chat' }],
    ['fallback_generalizations', { rules: [] }],
    ['bedrock/us-east-1/1-month-commitment/anthropic.claude-v2', { litellm_provider: 'bedrock', input_cost_per_second: 0.01 }],
    ['github_copilot/gpt-4o', { litellm_provider: 'github_copilot' }],
  ])('%s', (key, record) => {
    expect(read({ [key]: record })).toMatchObject({ rows: [], seen: 0, rejected: [] })
  })
})

test.each([
  ['gemini/gemini-2.5-pro', 'gemini', 'google', 'gemini-2.5-pro'],
  ['claude-x', 'anthropic', 'anthropic', 'claude-x'],
  ['vertex_ai/claude-x@20250929', 'vertex_ai-anthropic_models', 'vertex-ai', 'claude-x@20250929'],
  ['fireworks_ai/accounts/fireworks/models/llama', 'fireworks_ai', 'fireworks-ai', 'llama'],
  ['cohere/embed-v4.0', 'cohere', 'cohere', 'embed-v4.0'],
  ['openrouter/openai/gpt-4o', 'openrouter', 'openrouter', 'openai/gpt-4o'],
  ['groq/openai/gpt-oss-20b', 'groq', 'groq', 'openai/gpt-oss-20b'],
  ['anthropic.claude-x-v1:0', 'bedrock_converse', 'bedrock', 'anthropic.claude-x-v1:0'],
  ['bedrock/us.anthropic.claude-x-v1:0', 'bedrock', 'bedrock', 'us.anthropic.claude-x-v1:0'],
  ['codestral/codestral-latest', 'codestral', 'mistral-ai', 'codestral-latest'],
  ['ft:gpt-4o-2024-08-06', 'openai', 'openai', 'ft:gpt-4o-2024-08-06'],
])('%s of %s is %s/%s', (key, litellmProvider, provider, model) => {
  expect(rowOf(key, { litellm_provider: litellmProvider })).toMatchObject({ provider, model })
})

test('regions of one model are one row, whichever comes first', () => {
  const price = (input: number): object => ({
    litellm_provider: 'bedrock',
    mode: 'chat',
    input_cost_per_token: input,
    output_cost_per_token: input,
  })
  const { rows } = read({
    'bedrock/us-gov-west-1/meta.llama-x': price(3e-6),
    'meta.llama-x': { ...price(1e-6), supports_vision: true },
    'bedrock/ap-south-1/meta.llama-x': price(2e-6),
  })
  expect(rows).toHaveLength(1)
  expect(rows[0]?.caps).toEqual({ vision: true })
  expect(rows[0]?.prices?.map(({ region, perToken }) => [region, perToken.input])).toEqual([
    ['*', 1_000_000],
    ['us-gov-west-1', 3_000_000],
    ['ap-south-1', 2_000_000],
  ])
})

test('an Azure region is one, global is everywhere', () => {
  const { rows } = read({
    'azure/eu/gpt-x': { litellm_provider: 'azure', input_cost_per_token: 2e-6 },
    'azure/global/gpt-x': { litellm_provider: 'azure', input_cost_per_token: 1e-6 },
  })
  expect(rows.map(({ model, prices }) => [model, prices?.map(({ region }) => region)])).toEqual([['gpt-x', ['*', 'eu']]])
})

test('sizes are folded into one model', () => {
  const { rows } = read({
    'hd/1024-x-1024/dall-e-3': {
      litellm_provider: 'openai',
      mode: 'image_generation',
      input_cost_per_pixel: 7.629e-8,
      output_cost_per_pixel: 0,
    },
    'low/1024-x-1536/dall-e-3': { litellm_provider: 'openai', mode: 'image_generation', input_cost_per_image: 0.013 },
    '1024-x-1024/50-steps/bedrock/amazon.nova-canvas-v1:0': {
      litellm_provider: 'bedrock',
      mode: 'image_generation',
      output_cost_per_image: 0.06,
    },
    'max-x-max/50-steps/stability.x': { litellm_provider: 'bedrock', mode: 'image_generation', output_cost_per_image: 0.07 },
    '512-x-512/nothing': { litellm_provider: 'openai', mode: 'image_generation' },
    'gpt-image-1': {
      litellm_provider: 'openai',
      mode: 'image_generation',
      input_cost_per_token: 5e-6,
      output_cost_per_image: 0.04,
    },
    'high/1024-x-1024/gpt-image-1': { litellm_provider: 'openai', mode: 'image_generation', input_cost_per_image: 0.167 },
  })
  expect(
    rows.map(({ provider, model, kind, prices }) => [provider, model, kind, prices?.map(({ perUnit }) => perUnit.image)]),
  ).toEqual([
    ['openai', 'dall-e-3', 'image', [{ 'hd/1024x1024': 79_995_863_040, 'low/1024x1536': 13_000_000_000 }]],
    ['bedrock', 'amazon.nova-canvas-v1:0', 'image', [{ 'default-50-steps/1024x1024': 60_000_000_000 }]],
    ['bedrock', 'stability.x', 'image', [{ 'default-50-steps/maxxmax': 70_000_000_000 }]],
    ['openai', 'nothing', 'image', []],
    ['openai', 'gpt-image-1', 'image', [{ 'default/default': 40_000_000_000, 'high/1024x1024': 167_000_000_000 }]],
  ])
})

test('wandb is 100,000 times too high until it is mended', () => {
  const wandb = (input: number): unknown =>
    rowOf('wandb/m', { litellm_provider: 'wandb', input_cost_per_token: input, output_cost_per_token: input })?.prices?.[0]
      ?.perToken.input
  expect(wandb(0.055)).toBe(550_000)
  expect(wandb(5.5e-7)).toBe(550_000)
})

test.each<[string, object, object]>([
  [
    'a transcription by the second',
    { mode: 'audio_transcription', input_cost_per_second: 0.0001, output_cost_per_second: 0.0001 },
    { second: 100_000_000 },
  ],
  ['a video by the second', { mode: 'video_generation', output_cost_per_second: 0.4 }, { second: 400_000_000_000 }],
  ['speech by the character', { mode: 'audio_speech', input_cost_per_character: 0.000015 }, { character: 15_000_000 }],
  [
    'a rerank by the query',
    { mode: 'rerank', input_cost_per_query: 0.002, input_cost_per_token: 0 },
    { search: 2_000_000_000 },
  ],
  ['pages', { mode: 'ocr', ocr_cost_per_page: 0.004 }, { page: 4_000_000_000 }],
])('%s', (_name, record, perUnit) => {
  expect(rowOf('m', record)?.prices).toEqual([{ tier: 'standard', region: '*', perToken: {}, perUnit }])
})

test('regional uplift makes rows of their own', () => {
  const record = {
    input_cost_per_token: 1e-6,
    input_cost_per_token_batches: 5e-7,
    regional_processing_uplift_multiplier_eu: 1.1,
  }
  expect(rowOf('m', record)?.prices?.map(({ tier, region, perToken }) => [tier, region, perToken.input])).toEqual([
    ['standard', '*', 1_000_000],
    ['batch', '*', 500_000],
    ['standard', 'eu', 1_100_000],
    ['batch', 'eu', 550_000],
  ])
})

test('ranges are thresholds, marked for checking', () => {
  const tiered_pricing = [
    { range: [0, 32_000], input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 },
    { range: [32_000, 128_000], input_cost_per_token: 3e-6, output_cost_per_token: 4e-6 },
    { range: 'all' },
    null,
  ]
  const result = read({ 'dashscope/qwen-x': { litellm_provider: 'dashscope', mode: 'chat', tiered_pricing } })
  expect(result.toCheck).toEqual([{ id: 'dashscope/qwen-x', field: 'tiered_pricing' }])
  expect(result.rows[0]?.prices?.map(({ contextOver, perToken }) => [contextOver, perToken.input])).toEqual([
    [undefined, 1_000_000],
    [32_000, 3_000_000],
  ])
})

test('0/0 is a voice for free, no price', () => {
  expect(
    rowOf('codestral/codestral-latest', { litellm_provider: 'codestral', input_cost_per_token: 0, output_cost_per_token: 0 }),
  ).toMatchObject({
    prices: [],
    saysFree: true,
  })
})

test.each<[string, object]>([
  ['a negative price', { input_cost_per_token: -1e-6 }],
  ['a text', { input_cost_per_token: '1e-6' }],
  ['a price that is none by the token', { input_cost_per_token: 0.002 }],
  ['a date that is none', { deprecation_date: 'soon' }],
])('%s rejects the row', (_name, record) => {
  const result = read({ m: { litellm_provider: 'openai', mode: 'chat', ...record } })
  expect([result.rows.length, result.rejected.length, result.seen]).toEqual([0, 1, 1])
})

test('unknown keys are counted; all flags and prices count as known', () => {
  const record = {
    litellm_provider: 'openai',
    shoe_size: 43,
    supports_x: true,
    input_cost_per_video_per_second: 1,
    mode: 'teleport',
  }
  expect(read({ m: record }).unknownKeys).toEqual({ shoe_size: 1 })
})
