import { describe, expect, test } from 'vitest'
import {
  type Import,
  importPortkeyGeneral,
  importPortkeyPricing,
  type PortkeyPricingOptions,
  type PriceRow,
} from '../src/index.ts'
import { bytes } from './support.ts'

const AS_OF = '2026-10-01'
const cents = (values: Readonly<Record<string, number>>): object =>
  Object.fromEntries(Object.entries(values).map(([key, price]) => [key, { price }]))
const payg = (values: object, more: object = {}): object => ({ pricing_config: { pay_as_you_go: values, ...more } })
const read = (models: object, slug = 'openai', options: Partial<PortkeyPricingOptions> = {}): Import =>
  importPortkeyPricing(slug, bytes(models), { asOf: AS_OF, ...options })
const prices = (model: object, id = 'm', slug?: string): readonly PriceRow[] | undefined =>
  read({ [id]: model }, slug).rows[0]?.prices

describe('pricing', () => {
  test('cents a token: x 1e10 is pico-USD', () => {
    const model = payg({
      ...cents({
        request_token: 0.000125,
        response_token: 0.001,
        cache_read_input_token: 0.0000125,
        cache_write_input_token: 0,
        reasoning_token: 0.002,
      }),
      ...cents({
        request_audio_token: 0.003,
        response_audio_token: 0.004,
        request_image_token: 0.005,
        response_image_token: 0.006,
      }),
    })
    expect(prices(model)).toEqual([
      {
        tier: 'standard',
        region: '*',
        perToken: {
          input: 1_250_000,
          output: 10_000_000,
          cacheRead: 125_000,
          reasoning: 20_000_000,
          audioIn: 30_000_000,
          audioOut: 40_000_000,
          imageIn: 50_000_000,
          imageOut: 60_000_000,
        },
        perUnit: {},
      },
    ])
  })

  test('token prices among the units, and units', () => {
    const units = cents({ cache_write_1h: 0.0006, image_token: 0.003, web_search: 1, file_search: 0.25, unheard_of: 3 })
    expect(prices(payg({ ...cents({ request_token: 0.0003, response_token: 0.0015 }), additional_units: units }))).toEqual([
      {
        tier: 'standard',
        region: '*',
        perToken: { input: 3_000_000, output: 15_000_000, cacheWrite1h: 6_000_000, imageOut: 30_000_000 },
        perUnit: { webSearch: 10_000_000_000, fileSearch: 2_500_000_000 },
      },
    ])
  })

  test('default is no model, calculate is ignored, and 0/0 is a voice for free only', () => {
    const zero = payg(cents({ request_token: 0, response_token: 0 }), { calculate: { request: 1 } })
    const { rows, seen } = read({ default: payg(cents({ request_token: 1 })), m: zero })
    expect([rows.length, seen]).toEqual([1, 1])
    expect(rows[0]).toMatchObject({ model: 'm', prices: [], saysFree: true })
  })

  test.each([
    ['rerank-v3.5', 'cohere', 0.2, { search: 2_000_000_000 }],
    ['mistral-ocr-latest', 'mistral-ai', 0.4, { page: 4_000_000_000 }],
    ['whisper-1', 'openai', 0.6, { minute: 6_000_000_000 }],
  ])('%s is priced by the unit, though it stands in a token field', (id, slug, price, perUnit) => {
    const model = payg(cents({ request_token: price, response_token: 0, request_audio_token: price }))
    expect(prices(model, id, slug)).toEqual([{ tier: 'standard', region: '*', perToken: {}, perUnit }])
  })

  test('a transcription that is priced by the token keeps it', () => {
    const model = payg(cents({ request_token: 0.00025, response_token: 0.001, request_audio_token: 0.6 }))
    expect(prices(model, 'gpt-4o-transcribe')).toMatchObject([
      { perToken: { input: 2_500_000, output: 10_000_000 }, perUnit: { minute: 6_000_000_000 } },
    ])
  })

  test('of any other kind such a price rejects the row', () => {
    expect(read({ m: payg(cents({ request_token: 0.6 })) })).toMatchObject({
      rows: [],
      rejected: [{ id: 'openai/m', reason: 'input of 6000 USD a million tokens is not a token price' }],
    })
  })

  test('images by quality and size', () => {
    const image = { default: cents({ default: 4 }), hd: cents({ '1024x1024': 8, none: 0 }) }
    expect(prices(payg({ image }))).toMatchObject([
      { perUnit: { image: { 'default/default': 40_000_000_000, 'hd/1024x1024': 80_000_000_000 } } },
    ])
  })

  test('batch stands beside', () => {
    const model = payg(cents({ request_token: 0.0002, response_token: 0.0002 }), {
      batch_config: cents({ request_token: 0.0001, response_token: 0.0001 }),
    })
    expect(prices(model)?.map(({ tier, perToken }) => [tier, perToken.input])).toEqual([
      ['standard', 2_000_000],
      ['batch', 1_000_000],
    ])
  })

  test('regions are split, tiers and thresholds named, the default region is everywhere', () => {
    const tier = (price: number): object => ({
      pricing_config: { pay_as_you_go: cents({ request_token: price, response_token: price }) },
    })
    const model = {
      ...payg(cents({ request_token: 0.0001, response_token: 0.0001 })),
      custom_pricing: {
        context_tier_map: { 0: 'lte-272k', 272000: 'gt-272k' },
        regions: {
          default: {
            execution_modes: {
              standard: { context_tiers: { 'lte-272k': tier(0.0001), 'gt-272k': tier(0.0002), unheard: tier(9) } },
              priority: tier(0.0003),
              warp: tier(0.0009),
            },
          },
          'us,eu': { execution_modes: { standard: tier(0.00011) } },
        },
      },
    }
    expect(
      prices(model)?.map(({ tier, region, contextOver, perToken }) => [tier, region, contextOver, perToken.input]),
    ).toEqual([
      ['standard', '*', undefined, 1_000_000],
      ['standard', '*', 272_000, 2_000_000],
      ['priority', '*', undefined, 3_000_000],
      ['standard', 'us', undefined, 1_100_000],
      ['standard', 'eu', undefined, 1_100_000],
    ])
  })

  describe('a model spelt as a pair', () => {
    const half = (price: number): object => payg(cents({ request_token: price, response_token: price }))
    const pair = (model: string, size = '128k', over = 0.0002): object => ({
      [`${model}-lte-${size}`]: half(0.0001),
      [`${model}-gt-${size}`]: half(over),
    })
    const thresholds = (models: object, options?: Partial<PortkeyPricingOptions>): unknown =>
      read(models, 'google', options).rows.map(({ model, prices: rows }) => [
        model,
        rows?.map(({ contextOver }) => contextOver),
      ])

    test('is one, under its plain name, with the threshold of its family', () => {
      expect(thresholds({ ...pair('gemini-1.5-pro'), ...pair('gemini-2.5-pro') })).toEqual([
        ['gemini-1.5-pro', [undefined, 128_000]],
        ['gemini-2.5-pro', [undefined, 200_000]],
      ])
    })

    test('a source that knows the threshold is believed', () => {
      expect(
        thresholds(pair('gemini-2.5-pro'), {
          threshold: (provider, model) => (provider === 'google' && model === 'gemini-2.5-pro' ? 7 : undefined),
        }),
      ).toEqual([['gemini-2.5-pro', [undefined, 7]]])
    })

    test('equal halves are one price; half a pair is the model; of two pairs the larger counts', () => {
      expect(thresholds(pair('a', '128k', 0.0001))).toEqual([['a', [undefined]]])
      expect(thresholds({ 'b-gt-128k': half(0.0001) })).toEqual([['b', [undefined]]])
      expect(thresholds({ ...pair('c', '200k'), ...pair('c', '128k') })).toEqual([['c', [undefined, 200_000]]])
    })

    test('a plain key of the same name comes first', () => {
      expect(thresholds({ ...pair('d'), d: half(0.0001) })).toEqual([['d', [undefined]]])
    })
  })

  test('what is no object rejects its row; unknown keys are counted', () => {
    expect(read({ m: 7, n: { ...payg({}), color: 'red' } })).toMatchObject({
      rejected: [{ id: 'openai/m', reason: 'not an object' }],
      unknownKeys: { color: 1 },
    })
    expect(read({ 'm-lte-128k': {}, 'm-gt-128k': 7 }).rejected).toHaveLength(1)
  })

  test('a second spelling of a provider is that provider', () => {
    expect(read({ m: {} }, 'open-ai').rows[0]?.provider).toBe('openai')
  })
})

describe('general', () => {
  const general = (models: object, slug = 'openai'): Import => importPortkeyGeneral(slug, bytes(models), { asOf: AS_OF })

  test('kinds and features; what is not listed is unknown', () => {
    const file = {
      name: 'OpenAI',
      description: 'x',
      default: { type: { primary: 'chat', supported: ['tools'] } },
      inherits: {},
      own: {
        type: { primary: 'chat', supported: ['image', 'pdf'], unsupported: ['tools'] },
        params: [{ key: 'max_tokens', maxValue: 9 }],
      },
      embeds: { type: { primary: 'embedding' } },
      speaks: { type: { primary: 'audio' } },
      'tts-1': { type: { primary: 'audio' } },
      'whisper-1': { type: { primary: 'audio' } },
    }
    expect(general(file).rows.map(({ model, kind, caps, limits }) => [model, kind, caps, limits])).toEqual([
      ['inherits', 'chat', { tools: true }, {}],
      ['own', 'chat', { vision: true, pdf: true, tools: false }, { output: 9 }],
      ['embeds', 'embedding', {}, {}],
      ['speaks', undefined, {}, {}],
      ['tts-1', 'speech', {}, {}],
      ['whisper-1', 'transcription', {}, {}],
    ])
  })

  test.each(['open-ai', 'fireworks', 'nomic-ai'])('%s is a second spelling', (slug) => {
    expect(general({ m: {} }, slug).rows[0]?.provider).toBe(
      { 'open-ai': 'openai', fireworks: 'fireworks-ai', 'nomic-ai': 'nomic' }[slug],
    )
  })

  test('what is no object rejects its row', () => {
    expect(general({ m: [] }).rejected).toEqual([{ id: 'openai/m', reason: 'not an object' }])
  })
})
