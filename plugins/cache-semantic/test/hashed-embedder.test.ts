import { embedder } from '@switchyard/contract'
import { rejectsWith, startPlugin } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { type CacheSemanticInput, cacheSemantic, HASHED_ENCODER_ID, hashedNgrams } from '../src/index.ts'

async function embedderOf(options: CacheSemanticInput = {}) {
  return (await startPlugin(cacheSemantic(options))).port(embedder)
}

describe('sizes', () => {
  test.each([
    { dimensions: 60 },
    { dimensions: 66 },
    { dimensions: 65_540 },
    { dimensions: 1_024.5 },
    { maxTokens: 15 },
    { maxTokens: 32_769 },
  ])('%j is refused', async (wrong) => {
    await rejectsWith(() => embedderOf(wrong), 'CONFIG_INVALID', JSON.stringify(wrong))
  })

  test('by default vectors are those of the harness, under its id', async () => {
    const made = await embedderOf()
    expect(made).toMatchObject({ id: HASHED_ENCODER_ID, dimensions: 1_024, maxTokens: 512 })
    expect(await made.embed(['how do i reset my password'])).toEqual([hashedNgrams('how do i reset my password')])
  })

  test('other dimensions have another id, another limit of tokens has not: it changes no vector', async () => {
    expect((await embedderOf({ dimensions: 256 })).id).toBe('hashed-ngrams-256-v1')
    expect((await embedderOf({ maxTokens: 16 })).id).toBe(HASHED_ENCODER_ID)
  })
})

describe('long texts', () => {
  test('four code units are a token: the last that fits is taken, one more is refused, by its place in the list', async () => {
    const made = await embedderOf({ maxTokens: 16 })
    expect(await made.embed(['a'.repeat(64)])).toHaveLength(1)
    const { message } = await rejectsWith(() => made.embed(['short', 'a'.repeat(65)]), 'TOO_LARGE', '65 code units')
    expect(message).toMatch(/^text 1 has 17 tokens, .* 16 may be embedded/)
  })

  test('the longest that may be asked for, all of one letter, overflows nothing', async () => {
    const made = await embedderOf({ maxTokens: 32_768 })
    const [long, short] = await made.embed(['a'.repeat(131_072), 'a'.repeat(1_000)])
    expect(cosine(long as Float32Array, short as Float32Array)).toBeGreaterThan(0.99)
  })
})

test('a wrong text is named by its place and kind, and never quoted', async () => {
  const made = await embedderOf()
  const mixed = ['a text', ['my secret']] as unknown as readonly string[]
  const { message } = await rejectsWith(() => made.embed(mixed), 'INVALID_REQUEST', 'a list among texts')
  expect(message).toMatch(/text 1 is a list/)
  expect(message).not.toContain('secret')
})

function cosine(one: Float32Array, other: Float32Array): number {
  return one.reduce((sum, value, at) => sum + value * (other[at] as number), 0)
}
