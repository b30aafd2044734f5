import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countTokens, estimateTokens, loadO200k, tokenFamily, tokenMultipliers } from '../../src/index.ts'
import { countText } from '../../src/tokens/count-tokens.ts'
import { measureByCharacters, measureByWords } from '../../src/tokens/heuristic.ts'
import { pseudoRandomBase64, SAMPLES } from './samples.ts'

const encode = await loadO200k()
const immediately = async (): Promise<void> => {}

/** Estimate / o200k as measured, by words and by characters; the test allows 0.04 either way. */
const RATIOS: readonly (readonly [kind: string, byWords: number, byCharacters: number])[] = [
  ['prose', 1.01, 1.01],
  ['code', 1.04, 1.04],
  ['json', 0.94, 0.94],
  ['chinese', 1.09, 1.06],
  ['japanese', 1.01, 0.98],
  ['korean', 1.05, 0.94],
  ['russian', 0.99, 1.11],
  ['greek', 1.12, 1.09],
  ['arabic', 0.99, 1.07],
  ['hebrew', 1.05, 1.1],
  ['hindi', 1.13, 1.07],
  ['thai', 1.01, 0.99],
  ['german', 1.01, 0.94],
  ['french', 0.96, 1.02],
  ['emoji', 0.96, 0.96],
  ['base64', 1.06, 1.06],
  ['base64Lines', 1.06, 1.06],
  ['hex', 1.25, 1.25],
  ['digits', 1, 1],
  ['log', 0.95, 0.95],
]

test('every sample has a ratio', () => {
  expect(RATIOS.map(([kind]) => kind)).toEqual(Object.keys(SAMPLES))
})

test.each(RATIOS)('%s against o200k: %d by words, %d by characters', (kind, byWords, byCharacters) => {
  const text = SAMPLES[kind] as string
  const exact = encode(text)
  expect(Math.abs(measureByWords(text).tokens / exact - byWords)).toBeLessThan(0.04)
  expect(Math.abs(measureByCharacters(text).tokens / exact - byCharacters)).toBeLessThan(0.04)
})

describe('hostile texts', () => {
  const HOSTILE: readonly (readonly [name: string, text: string, least: number])[] = [
    ['100,000 x a', 'a'.repeat(100_000), 100_000 / 8],
    ['1 MB of base64', pseudoRandomBase64(786_432), 1_048_576 / 1.47],
    ['lone surrogates', '\ud800x\udfff'.repeat(300), 140],
    ['null bytes', '\0'.repeat(5_000), 2_500],
    ['64 k spaces', ' '.repeat(65_536), 600],
    ['slashes and lines', '/\n'.repeat(30_000), 30_000],
    ['one run of Chinese', '漢'.repeat(60_000), 20_000],
    ['white space of all kinds', '\t \n'.repeat(2_000), 1_000],
    ['rare characters', '\u{2070e}\ue000'.repeat(500), 1_500],
    ['special tokens', '<|endoftext|><|im_start|>'.repeat(50), 350],
  ]

  test.each(HOSTILE)('%s: counted, and never reserved at less', async (_name, text, least) => {
    for (const family of ['openai', 'claude', 'other']) {
      expect(estimateTokens(text, family)).toBeGreaterThan(0)
      const { tokens, reservation } = await countText(text, { family, pause: immediately })
      expect(tokens).toBeGreaterThan(0)
      expect(reservation).toBeGreaterThanOrEqual(tokens)
      expect(reservation).toBeGreaterThanOrEqual(Math.floor(least))
    }
  })

  test('a run above 2,000 characters is not encoded, and is reserved at 1.4 characters a token', async () => {
    const run = 'a'.repeat(2_001)
    const counted = await countText(`start ${run} end`, { family: 'openai', pause: immediately })
    expect(counted.exact).toBe(false)
    expect(counted.reservation).toBeGreaterThanOrEqual(Math.ceil(2_001 / 1.4))
    expect(counted.reservation).toBeLessThan(Math.ceil(2_001 / 1.4) + 10)
    expect(counted.tokens).toBeLessThan(320)
    const shorter = await countText(`start ${'a'.repeat(2_000)} end`, { family: 'openai', pause: immediately })
    expect(shorter.exact).toBe(true)
  })

  test('text that looks like a special token is text', async () => {
    const text = 'say <|endoftext|> and go on'
    const count = await countTokens(text, { family: 'openai' })
    expect(count).toBe(encode(text))
    expect(count).toBeGreaterThan(7)
  })

  test('a count that was given up stops between two slices', async () => {
    const controller = new AbortController()
    let slices = 0
    const pause = async (): Promise<void> => {
      if (++slices === 3) controller.abort(new Error('enough'))
    }
    const text = 'word '.repeat(200_000)
    await expect(countTokens(text, { family: 'claude', signal: controller.signal, pause })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    expect(slices).toBe(3)
    await expect(countTokens('', { family: 'claude', signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

describe('counts', () => {
  test.each(Object.entries(SAMPLES))('%s: exact for openai', async (_kind, text) => {
    const counted = await countText(text, { family: 'openai', pause: immediately })
    const longRun = /\S{2001,}/.test(text)
    expect(counted.exact).toBe(!longRun)
    // Stretches above 252 characters without a safe cut are cut all the same, at a token each.
    if (!longRun) expect(counted.tokens - encode(text)).toBeGreaterThanOrEqual(0)
    if (!longRun) expect(counted.tokens - encode(text)).toBeLessThanOrEqual(Math.ceil(text.length / 252))
  })

  test('above 64 k characters nothing is encoded', async () => {
    const text = 'the harbour '.repeat(5_500)
    expect((await countText(text, { family: 'openai', pause: immediately })).exact).toBe(false)
    expect((await countText(text.slice(0, 65_536), { family: 'openai', pause: immediately })).exact).toBe(true)
  })

  test('a multiplier scales estimates, not counts', async () => {
    const text = SAMPLES.prose as string
    const multipliers = { of: () => 2 }
    expect(await countTokens(text, { family: 'openai', multipliers })).toBe(encode(text))
    expect(await countTokens(text, { family: 'x', multipliers })).toBe(2 * (await countTokens(text, { family: 'x' })))
    expect(estimateTokens(text, 'x', multipliers)).toBe(2 * estimateTokens(text, 'x'))
    expect(estimateTokens(text, 'claude')).toBe(Math.ceil(estimateTokens(text, 'x') * 1.1))
  })
})

describe('estimates of arithmetic', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ maxLength: 200 }),
    fc.string({ unit: fc.constantFrom('a', 'B', '7', ' ', '\n', '/', '漢', '🧿', '\ud800', '-'), maxLength: 400 }),
  )

  test('whole, never negative, zero for nothing only, a reservation never less', () => {
    fc.assert(
      fc.property(text, (sample) => {
        const tokens = estimateTokens(sample, 'other')
        expect(Number.isSafeInteger(tokens) && tokens >= 0).toBe(true)
        if (sample.trim() !== '') expect(tokens).toBeGreaterThan(0)
        for (const { tokens: estimated, reserved } of [measureByWords(sample), measureByCharacters(sample)])
          expect(reserved).toBeGreaterThanOrEqual(estimated)
      }),
    )
    expect(estimateTokens('', 'openai')).toBe(0)
  })

  test('what is appended after a space adds its own tokens, give or take twelve', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        const both = estimateTokens(`${left} ${right}`, 'other')
        expect(both).toBeGreaterThanOrEqual(estimateTokens(left, 'other') - 1)
        expect(Math.abs(both - estimateTokens(left, 'other') - estimateTokens(right, 'other'))).toBeLessThanOrEqual(12)
      }),
    )
  })

  test('a long text that is all alike is estimated from samples within a twentieth, and a dense part is reserved for', () => {
    const prose = (SAMPLES.prose as string).repeat(400)
    const whole = measureByCharacters(prose).tokens
    expect(Math.abs(estimateTokens(prose, 'other') / whole - 1)).toBeLessThan(0.05)
    const mixed = 'word '.repeat(100_000) + pseudoRandomBase64(75_000)
    expect(estimateTokens(mixed, 'other')).toBeGreaterThan(150_000)
  })
})

test.each([
  ['openai/gpt-5.4', 'openai'],
  ['azure-openai/o4-mini', 'openai'],
  ['openai/text-embedding-3-small', 'openai'],
  ['anthropic/claude-sonnet-5', 'claude'],
  ['bedrock/eu.anthropic.claude-haiku-4-5-v1:0', 'claude'],
  ['google/gemini-3-pro', 'gemini'],
  ['together-ai/meta-llama/Llama-4-Scout', 'llama'],
  ['deepseek/deepseek-chat', 'deepseek'],
  ['p/foo1-x', 'other'],
  ['', 'other'],
])('%s has the tokenizer family %s', (model, family) => {
  expect(tokenFamily(model)).toBe(family)
})

describe('multipliers', () => {
  test('start values, then what providers report', () => {
    const multipliers = tokenMultipliers()
    expect(multipliers.of('claude-v5')).toBe(1.1)
    expect(multipliers.of('qwen')).toBe(1)
    for (let index = 0; index < 300; index++) multipliers.learn('qwen', 1_000, 1_400)
    expect(multipliers.of('qwen')).toBeCloseTo(1.4, 2)
    expect(multipliers.of('kimi')).toBe(1)
    for (let index = 0; index < 300; index++) multipliers.learn('qwen', 1_000, 900)
    expect(multipliers.of('qwen')).toBeCloseTo(0.9, 2)
  })

  test('one reply moves it little, however long or absurd', () => {
    const multipliers = tokenMultipliers()
    multipliers.learn('qwen', 1e9, 1e12)
    expect(multipliers.of('qwen')).toBeGreaterThan(1)
    expect(multipliers.of('qwen')).toBeLessThan(1.6)
  })

  test('counts that say nothing teach nothing', () => {
    const multipliers = tokenMultipliers()
    for (const bad of [0, -5, Number.NaN, Number.POSITIVE_INFINITY]) {
      multipliers.learn('qwen', bad, 100)
      multipliers.learn('qwen', 100, bad)
    }
    multipliers.learn('qwen', 5, 500)
    expect(multipliers.of('qwen')).toBe(1)
  })

  test('always within its bounds, and its memory too', () => {
    const counts = fc.tuple(fc.double({ min: -10, max: 1e9 }), fc.double({ min: -10, max: 1e9 }))
    fc.assert(
      fc.property(fc.array(counts), (replies) => {
        const multipliers = tokenMultipliers()
        for (const [unscaled, reported] of replies) multipliers.learn('x', unscaled, reported)
        expect(multipliers.of('x')).toBeGreaterThanOrEqual(0.5)
        expect(multipliers.of('x')).toBeLessThanOrEqual(2.5)
      }),
    )
    const multipliers = tokenMultipliers()
    for (let index = 0; index < 1_000; index++) multipliers.learn(`family-${index}`, 1_000, 2_000)
    expect(multipliers.of('family-0')).toBeGreaterThan(1)
    expect(multipliers.of('family-999')).toBe(1)
  })
})
