import { price } from '@switchyard/catalog'
import type { ModelRequest, Usage } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Forecast, forecast } from '../src/attempt/hold.ts'
import { OutputLengths } from '../src/attempt/output-lengths.ts'
import { tagsJson } from '../src/attempt/tags.ts'
import { tierOf } from '../src/attempt/tier.ts'
import { ENTRIES, entryOf } from './support/catalog.ts'
import { callOf } from './support/world.ts'

const OPTIONS = { hold: 'worst', defaultMaxOutputTokens: 2_000, defaultOutputTokens: 50 } as const
const [M] = ENTRIES as readonly [(typeof ENTRIES)[number]]
const AT = Date.UTC(2026, 0, 1)

function of(
  body: Readonly<Record<string, unknown>>,
  changes: { entry?: typeof M; hold?: 'p90'; lengths?: OutputLengths } = {},
): Forecast {
  const { request } = callOf({ body })
  const { entry = M, lengths = new OutputLengths() } = changes
  return forecast(entry, request, tierOf(request.body), AT, lengths, {
    ...OPTIONS,
    ...(changes.hold && { hold: changes.hold }),
  })
}

/** The output's part of a hold. */
const outputOf = ({ hold }: Forecast, each: number): number => Math.floor(Number(hold) / each)

describe('the hold', () => {
  test.each([
    ["the request's limit", { max_tokens: 300 }, 300],
    ['all its answers', { max_tokens: 100, n: 3 }, 300],
    ['the larger of two limits', { max_tokens: 300, max_completion_tokens: 1 }, 300],
    ['answers whose number stands in quotes', { max_tokens: 100, n: '3' }, 300],
    ["the model's limit, where it sets none", { max_tokens: undefined }, 1_000],
    ["the model's limit for each answer", { max_tokens: undefined, n: 2 }, 2_000],
  ])('is for %s', (_name, body, tokens) => {
    const found = outputOf(of(body), 10_000_000)
    expect(found).toBeGreaterThanOrEqual(tokens)
    expect(found).toBeLessThan(tokens + 40)
  })

  test('is for the option, where nobody sets a limit', () => {
    const entry = entryOf({ prices: [{ perToken: { input: 1, output: 10_000_000 } }] })
    expect(outputOf(of({ max_tokens: undefined }, { entry }), 10_000_000)).toBe(2_000)
  })

  test('is at the tier that is asked for, and guessed ones above it', () => {
    expect(outputOf(of({ service_tier: 'priority' }), 20_000_000)).toBeGreaterThanOrEqual(100)
    const entry = entryOf({ prices: [{ perToken: { input: 2_000_000, output: 10_000_000 } }] })
    const standard = of({ service_tier: 'standard' }, { entry }).hold as bigint
    expect(of({ service_tier: 'priority' }, { entry }).hold).toBe((standard * 5n + 1n) / 2n)
  })

  test('is at the standard price for a cheaper tier, which may not be granted', () => {
    // Words of the same length, since the input is held by its bytes.
    expect(of({ service_tier: 'flex' }).hold).toBe(of({ service_tier: 'auto' }).hold)
    expect(of({ service_tier: 'batch' }).hold).toBe(of({ service_tier: 'xxxxx' }).hold)
  })

  test('is for answers that are made and thrown away, and for every prompt', () => {
    const body = { model: 'acme/m', prompt: ['a', 'b'], best_of: 5 }
    const { request } = callOf({ endpoint: 'completions', body: { ...body, max_tokens: undefined, messages: undefined } })
    expect(outputOf(forecast(M, request, 'standard', AT, new OutputLengths(), OPTIONS), 10_000_000)).toBeGreaterThanOrEqual(
      10_000,
    )
  })

  test('is for what tools of the vendor find, and for what they cost', () => {
    const entry = entryOf({
      limits: { context: 50_000 },
      prices: [{ perToken: { input: 1, output: 1 }, perUnit: { webSearch: 10_000_000_000 } }],
    })
    const own = of({ tools: [{ type: 'function', function: { name: 'f' } }], max_tokens: 0 }, { entry }).hold as bigint
    expect(own).toBeLessThan(1_000n)
    const searching = (tool: object): bigint => of({ tools: [tool], max_tokens: 0 }, { entry }).hold as bigint
    expect(searching({ type: 'web_search' })).toBe(100_000_050_000n)
    expect(searching({ type: 'web_search_20250305', name: 'web_search', max_uses: 3 })).toBe(30_000_050_000n)
    expect(of({ web_search_options: {}, max_tokens: 0 }, { entry }).hold).toBe(100_000_050_000n)
  })

  test('is at the price of pictures, where the model may draw', () => {
    const entry = entryOf({ prices: [{ perToken: { input: 1, output: 2_000_000, imageOut: 30_000_000 } }] })
    expect(outputOf(of({ max_tokens: 100 }, { entry }), 30_000_000)).toBe(100)
    expect(outputOf(of({ max_tokens: 100, modalities: ['text'] }, { entry }), 2_000_000)).toBe(100)
  })

  test('is not lowered by letters that stand as escapes', () => {
    const content = [{ type: 'image_url', image_url: { url: 'https://x.y/z.png' } }]
    const { request } = callOf({ body: { max_tokens: 0, messages: [{ role: 'user', content }] } })
    const text = new TextDecoder().decode(request.raw)
    const hidden = { ...request, raw: new TextEncoder().encode(text.replaceAll('"type"', '"\\u0074ype"')) }
    const holdOf = (one: ModelRequest) => forecast(M, one, 'standard', AT, new OutputLengths(), OPTIONS).hold
    expect(holdOf(hidden)).toBeGreaterThanOrEqual(holdOf(request) as bigint)
    const accented = { ...request, raw: new TextEncoder().encode(text.replaceAll('"type"', '"t\\u00e9"')) }
    expect(holdOf(accented)).toBeLessThan(holdOf(request) as bigint)
  })

  test('is at the context step that the input may reach', () => {
    const content = 'word '.repeat(120_000)
    expect(outputOf(of({ messages: [{ role: 'user', content }], max_tokens: 1 }), 4_000_000)).toBeGreaterThan(100_000)
  })

  test('is at the price of cache writes and of audio, where the request may bring them', () => {
    const plain = of({ max_tokens: 0 }).hold as bigint
    const part = { type: 'text', text: 'Say hello.', cache_control: { type: 'ephemeral' } }
    const written = of({ max_tokens: 0, messages: [{ role: 'user', content: [part] }] })
    expect(Number(written.hold) % 2_500_000).toBe(0)
    const hour = { ...part, cache_control: { type: 'ephemeral', ttl: '1h' } }
    expect(Number(of({ max_tokens: 0, messages: [{ role: 'user', content: [hour] }] }).hold) % 4_000_000).toBe(0)
    const audio = { type: 'input_audio', input_audio: { data: 'aaaa', format: 'wav' } }
    expect(Number(of({ max_tokens: 0, messages: [{ role: 'user', content: [audio] }] }).hold) % 40_000_000).toBe(0)
    expect(outputOf(of({ modalities: ['text', 'audio'], max_tokens: 100 }), 80_000_000)).toBeGreaterThanOrEqual(100)
    expect(plain).toBeGreaterThan(0n)
  })

  test('is for all that the model reads, where the request brings in what is stored elsewhere', () => {
    expect(outputOf(of({ previous_response_id: 'r', max_tokens: 0 }), 4_000_000)).toBe(200_000)
    for (const body of [
      { prompt: { id: 'pmpt_1' } },
      { input: [{ type: 'item_reference', id: 'm' }] },
      { input: [{ id: 'm' }] },
    ]) {
      const { request } = callOf({ endpoint: 'responses', body: { max_output_tokens: 0, messages: undefined, ...body } })
      expect(outputOf(forecast(M, request, 'standard', AT, new OutputLengths(), OPTIONS), 4_000_000)).toBe(200_000)
    }
    expect(outputOf(of({ extra_body: { google: { cached_content: 'c' } }, max_tokens: 0 }), 4_000_000)).toBe(200_000)
  })

  test('of images and speech is by the piece', () => {
    const image = entryOf({ kind: 'image', prices: [{ perUnit: { image: { 'hd/1024x1024': 80, 'low/1024x1024': 10 } } }] })
    const { request } = callOf({ endpoint: 'images/generations', body: { n: 3, prompt: 'x', max_tokens: undefined } })
    expect(
      forecast(image, request, 'standard', AT, new OutputLengths(), { ...OPTIONS, defaultMaxOutputTokens: 0 } as never).hold,
    ).toBeUndefined()
    const speech = entryOf({
      kind: 'speech',
      prices: [{ perToken: { input: 1, output: 1 }, perUnit: { character: 15_000_000 } }],
    })
    const said = callOf({ endpoint: 'audio/speech', body: { input: 'hello', max_tokens: undefined } }).request
    expect(forecast(speech, said, 'standard', AT, new OutputLengths(), OPTIONS).hold).toBeGreaterThanOrEqual(75_000_000n)
  })

  test('what is expected before answers were seen is all that the request asks for, else the option', () => {
    const each = 10_000_000
    const tokens = ({ expected }: Forecast): number => Math.floor(Number(expected) / each)
    expect(tokens(of({ max_tokens: 1_000 }))).toBeGreaterThanOrEqual(1_000)
    expect(tokens(of({ max_tokens: undefined }))).toBeGreaterThanOrEqual(50)
    expect(tokens(of({ max_tokens: undefined }))).toBeLessThan(90)
    const lengths = new OutputLengths()
    for (let index = 0; index < 20; index++) lengths.add(200)
    expect(tokens(of({ max_tokens: 1_000 }, { lengths }))).toBeGreaterThanOrEqual(200)
    expect(tokens(of({ max_tokens: 1_000 }, { lengths }))).toBeLessThan(240)
  })

  test('near p90 is of what was seen, and never above the worst case', () => {
    const lengths = new OutputLengths()
    expect(of({ max_tokens: 1_000 }, { hold: 'p90', lengths }).hold).toBe(of({ max_tokens: 1_000 }).hold)
    for (let index = 0; index < 100; index++) lengths.add(index < 95 ? 40 : 900)
    const near = outputOf(of({ max_tokens: 1_000 }, { hold: 'p90', lengths }), 10_000_000)
    expect(near).toBeGreaterThanOrEqual(40)
    expect(near).toBeLessThan(90)
    expect(of({ max_tokens: 10 }, { hold: 'p90', lengths }).hold).toBe(of({ max_tokens: 10 }).hold)
  })

  test('covers every cost that the request can come to, and what is expected lies within it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 400 }),
        fc.nat({ max: 500 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(undefined, 'priority', 'flex'),
        (content, max, part, tier) => {
          const { request } = callOf({ body: { messages: [{ role: 'user', content }], max_tokens: max, service_tier: tier } })
          const found = forecast(M, request, tierOf(request.body), AT, new OutputLengths(), OPTIONS)
          // No tokenizer makes more than a token of a byte of such text; four for the frame of a message.
          const input = Math.ceil(new TextEncoder().encode(content).length / 1.4) + 4
          const usage: Usage = { inputTokens: Math.min(input, boundOf(request)), outputTokens: Math.floor(max * part) }
          const cost = price(M, usage, { tier: tierOf(request.body), at: AT })
          expect(found.hold).toBeGreaterThanOrEqual(cost?.pico as bigint)
          expect(found.hold).toBeGreaterThanOrEqual(found.expected as bigint)
        },
      ),
      { numRuns: 200 },
    )
  })
})

function boundOf({ raw }: ModelRequest): number {
  return Math.ceil((raw?.byteLength ?? 0) / 1.4)
}

describe('answers that were seen', () => {
  test('say nothing before there are twenty, and follow what is asked', () => {
    const lengths = new OutputLengths()
    for (let index = 0; index < 19; index++) lengths.add(100)
    expect([lengths.underWay(), lengths.p90()]).toEqual([undefined, undefined])
    lengths.add(100)
    expect(lengths.underWay()).toBe(100)
    expect(lengths.p90()).toBeGreaterThanOrEqual(100)
    for (let index = 0; index < 10_000; index++) lengths.add(1_000)
    expect(lengths.underWay()).toBeGreaterThan(950)
    expect(lengths.p90()).toBeLessThan(1_300)
  })
})

describe('tags', () => {
  test('are text, bounded, and null without any', () => {
    expect(tagsJson({})).toBeNull()
    expect(tagsJson({ a: null, b: {}, '': 'x' })).toBeNull()
    expect(tagsJson({ a: 1, b: true, c: 'x'.repeat(300) })).toBe(`{"a":"1","b":"true","c":"${'x'.repeat(256)}"}`)
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`t${index}`, 'v']))
    expect(Object.keys(JSON.parse(tagsJson(many) as string))).toHaveLength(16)
  })
})
