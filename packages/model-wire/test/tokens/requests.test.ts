import type { ModelEndpoint } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countRequest, estimateRequest, estimateTokens, estimateUsage, loadO200k } from '../../src/index.ts'
import { pseudoRandomBase64, SAMPLES } from './samples.ts'

const encode = await loadO200k()
const prose = SAMPLES.prose as string
const proseTokens = estimateTokens(prose, 'other')
const immediately = async (): Promise<void> => {}

const user = (content: unknown): Record<string, unknown> => ({ messages: [{ role: 'user', content }] })

describe('bodies that no vendor takes', () => {
  test.each<[string, Record<string, unknown>]>([
    ['empty', {}],
    ['nulls', { messages: null, input: null, prompt: null, tools: null, max_tokens: null, n: null }],
    ['wrong types', { messages: 7, input: true, tools: 'x', prompt: { a: 1 }, max_tokens: '9', n: -3 }],
    ['messages of nothing', { messages: [null, 1, 'x', [], {}] }],
    ['parts of nothing', user([null, 3, { type: 'image_url' }, { type: 'image_url', image_url: null }, { type: 'file' }])],
    ['limits that are none', { max_tokens: Number.NaN, max_completion_tokens: -1, max_output_tokens: 1.5 }],
  ])('%s: numbers all the same', (_name, body) => {
    for (const endpoint of ['chat/completions', 'completions', 'responses', 'messages', 'embeddings', 'rerank'] as const) {
      const { inputTokens, reservation, maxOutputTokens } = estimateRequest(body, endpoint)
      expect(Number.isSafeInteger(inputTokens) && inputTokens >= 0).toBe(true)
      expect(Number.isSafeInteger(reservation) && reservation >= inputTokens).toBe(true)
      expect(maxOutputTokens).toBe(['embeddings', 'rerank'].includes(endpoint) ? 0 : undefined)
    }
  })

  test('nested 100,000 deep', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}"${prose.replaceAll('\n', ' ')}"${']'.repeat(100_000)}`)
    expect(estimateRequest({ messages: deep }, 'chat/completions').inputTokens).toBeGreaterThan(0)
    expect(estimateRequest({ tools: deep }, 'chat/completions', { bytes: 200_000 }).inputTokens).toBeGreaterThan(50_000)
  })

  test('half a million values: read as far as 20,000, the rest by its bytes', () => {
    const body = { input: Array.from({ length: 300_000 }, () => 'x') }
    const bytes = 300_000 * 4
    const { inputTokens, unscaled } = estimateRequest(body, 'embeddings', { bytes })
    expect(inputTokens).toBeGreaterThan(300_000)
    expect(unscaled).toBeUndefined()
    expect(estimateRequest(body, 'embeddings').inputTokens).toBeLessThan(50_000)
  })

  test('anything at all', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('messages', 'input', 'prompt', 'system', 'tools'), fc.jsonValue()), (body) => {
        const { inputTokens, reservation, images } = estimateRequest(body, 'chat/completions')
        expect(Number.isSafeInteger(inputTokens) && inputTokens >= 0 && reservation >= inputTokens && images >= 0).toBe(true)
      }),
    )
  })
})

describe('every dialect', () => {
  test.each<[ModelEndpoint, Record<string, unknown>]>([
    ['chat/completions', user(prose)],
    ['chat/completions', user([{ type: 'text', text: prose }])],
    ['messages', user([{ type: 'text', text: prose, cache_control: { type: 'ephemeral' } }])],
    ['messages', { system: prose, messages: [] }],
    ['messages', { system: [{ type: 'text', text: prose }], messages: [] }],
    ['messages', user([{ type: 'tool_result', tool_use_id: 'toolu_0123456789', content: prose }])],
    ['messages', user([{ type: 'document', source: { type: 'text', data: prose } }])],
    ['responses', { input: prose }],
    ['responses', { instructions: prose, input: [] }],
    ['responses', { input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: prose }] }] }],
    ['responses', { input: [{ type: 'function_call_output', call_id: 'call_0123456789', output: prose }] }],
    ['completions', { prompt: prose }],
    ['completions', { prompt: [prose] }],
    ['embeddings', { input: [prose] }],
    ['moderations', { input: prose }],
    ['rerank', { query: 'x', documents: [{ text: prose }] }],
    ['images/generations', { prompt: prose }],
  ])('%s %#: its text and little else', (endpoint, body) => {
    const { inputTokens, reservation, images } = estimateRequest(body, endpoint)
    expect(inputTokens).toBeGreaterThanOrEqual(proseTokens)
    expect(inputTokens).toBeLessThanOrEqual(proseTokens + 12)
    expect(reservation).toBe(inputTokens)
    expect(images).toBe(0)
  })

  test('tools and schemas count with their names', () => {
    const parameters = { type: 'object', properties: { harbour: { type: 'string' }, tonnage: { type: 'number' } } }
    const tools = [{ type: 'function', function: { name: 'count_twice', description: prose, parameters } }]
    const bare = estimateRequest(user('hi'), 'chat/completions').inputTokens
    const tooled = estimateRequest({ ...user('hi'), tools }, 'chat/completions').inputTokens
    const written = encode(JSON.stringify(tools))
    expect((tooled - bare) / written).toBeGreaterThan(0.85)
    expect((tooled - bare) / written).toBeLessThan(1.25)
  })

  test("a tool call's arguments count, in either dialect", () => {
    const chat = { messages: [{ role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: prose } }] }] }
    expect(estimateRequest(chat, 'chat/completions').inputTokens).toBeGreaterThan(proseTokens)
    const part = { type: 'tool_use', id: 'x', name: 'f', input: { harbour_master: { type: 'count' } } }
    const named = estimateRequest({ messages: [{ role: 'assistant', content: [part] }] }, 'messages').inputTokens
    expect(named).toBeGreaterThanOrEqual(12)
  })

  test('input as token ids counts itself', () => {
    const ids = Array.from({ length: 500 }, (_, index) => index)
    expect(estimateRequest({ input: ids }, 'embeddings').inputTokens).toBe(500)
    expect(estimateRequest({ prompt: [ids, ids] }, 'completions').inputTokens).toBe(1_000)
  })

  test('a multiplier scales the text and its frame; what it learns from is not scaled', () => {
    const body = user(prose)
    const plain = estimateRequest(body, 'messages')
    const doubled = estimateRequest(body, 'messages', { multipliers: { of: () => 2 } })
    expect(doubled.inputTokens).toBe(plain.inputTokens * 2)
    expect(doubled.unscaled).toBe(plain.unscaled)
    expect(plain.unscaled).toBe(plain.inputTokens)
    const halved = estimateRequest(body, 'messages', { multipliers: { of: () => 0.5 } })
    expect(halved.reservation).toBe(plain.reservation)
  })
})

describe('what is no text', () => {
  const picture = `data:image/png;base64,${pseudoRandomBase64(30_000)}`

  test.each<[string, string, object, number, number]>([
    ['chat', 'openai', { type: 'image_url', image_url: { url: picture } }, 765, 3_000],
    ['chat, low detail', 'openai', { type: 'image_url', image_url: { url: picture, detail: 'low' } }, 85, 85],
    ['responses', 'openai', { type: 'input_image', image_url: picture, detail: 'original' }, 3_000, 12_000],
    ['by reference', 'openai', { type: 'input_image', file_id: 'file_1' }, 765, 3_000],
    ['messages', 'claude-v5', { type: 'image', source: { type: 'base64', data: picture } }, 1_568, 4_784],
    ['gemini', 'gemini', { type: 'image_url', image_url: { url: 'https://x.example/a.png' } }, 1_120, 2_240],
    ['others', 'constructor', { type: 'image_url', image_url: { url: picture } }, 1_568, 4_784],
  ])('an image, %s: by formula, never as text', (_name, family, part, tokens, most) => {
    const body = user([part])
    const without = estimateRequest(user([]), 'messages', { family })
    const found = estimateRequest(body, 'messages', { family })
    expect(found.images).toBe(1)
    expect(found.inputTokens - without.inputTokens).toBe(tokens)
    expect(found.reservation - without.reservation).toBe(most)
    expect(found.unscaled).toBeUndefined()
  })

  test('an image within a tool result is found', () => {
    const result = { type: 'tool_result', content: [{ type: 'image', source: { type: 'base64', data: picture } }] }
    expect(estimateRequest(user([result, result]), 'messages').images).toBe(2)
  })

  test('audio and files by their length, and by a stated bound where the body does not tell', () => {
    const of = (part: object): { inputTokens: number; reservation: number; images: number } =>
      estimateRequest(user([part]), 'chat/completions')
    const audio = of({ type: 'input_audio', input_audio: { data: 'A'.repeat(64_000), format: 'mp3' } })
    expect(audio.inputTokens).toBe(7 + 30)
    expect(audio.reservation).toBe(7 + 384)
    const file = of({ type: 'file', file: { file_data: 'A'.repeat(200_000) } })
    expect(file.inputTokens).toBe(7 + 3 * 2_300)
    expect(file.reservation).toBe(7 + 15 * 3_000)
    const huge = of({ type: 'input_file', file_data: 'A'.repeat(100_000_000) })
    expect(huge.reservation).toBe(7 + 100 * 3_000)
    expect(of({ type: 'document', source: { type: 'url', url: 'https://x.example/a.pdf' } }).reservation).toBe(7 + 300_000)
    expect(of({ type: 'audio', id: 'audio_1' }).reservation).toBe(7 + 115_200)
    expect(audio.images + file.images).toBe(0)
  })
})

test.each<[ModelEndpoint, Record<string, unknown>, number | undefined]>([
  ['chat/completions', { max_tokens: 10 }, 10],
  ['chat/completions', { max_tokens: 10, max_completion_tokens: 20 }, 20],
  ['chat/completions', { max_tokens: 20, max_completion_tokens: 10 }, 20],
  ['chat/completions', { max_tokens: 20, n: '3' }, 60],
  ['chat/completions', { max_completion_tokens: 20, n: 3 }, 60],
  ['chat/completions', { max_completion_tokens: 20, n: 1e9 }, 20 * 16_384],
  ['chat/completions', { max_completion_tokens: 20, n: 0 }, 20],
  ['chat/completions', { n: 2 }, undefined],
  ['completions', { max_tokens: 10, prompt: ['a', 'b'], best_of: 4, n: 2 }, 80],
  ['completions', { max_tokens: 10, prompt: [1, 2, 3] }, 10],
  ['completions', { max_tokens: Number.MAX_SAFE_INTEGER, n: 8 }, Number.MAX_SAFE_INTEGER],
  ['responses', { max_output_tokens: 7, max_tokens: 9 }, 7],
  ['messages', { max_tokens: 0 }, 0],
  ['moderations', { max_tokens: 9 }, 0],
  ['audio/speech', { max_tokens: 9 }, undefined],
])('the output that %s allows by %j', (endpoint, body, limit) => {
  const found = estimateRequest(body, endpoint)
  expect(found.maxOutputTokens).toBe(limit)
  expect('maxOutputTokens' in found).toBe(limit !== undefined)
})

test('of a text too long to be read at once, what was not read is reserved as if it were like the densest part', () => {
  const mixed = user('word '.repeat(100_000) + pseudoRandomBase64(15_000))
  const { inputTokens, reservation } = estimateRequest(mixed, 'messages')
  expect(inputTokens).toBeGreaterThan(100_000)
  expect(inputTokens).toBeLessThan(130_000)
  expect(reservation).toBeGreaterThan(300_000)
})

describe('countRequest', () => {
  test('exact text for openai, estimated for others, all of a long one for both', async () => {
    const body = { ...user(prose), max_tokens: 5 }
    const counted = await countRequest(body, 'chat/completions', { family: 'openai', pause: immediately })
    expect(counted).toEqual({
      inputTokens: encode(prose) + 7,
      reservation: encode(prose) + 7,
      images: 0,
      maxOutputTokens: 5,
    })
    // Dense where the samples of a quick estimate do not look.
    const hidden = `${'a '.repeat(3_000)}${pseudoRandomBase64(900)} `.repeat(140)
    const whole = await countRequest(user(hidden), 'messages', { family: 'x', pause: immediately })
    expect(whole.inputTokens / encodeAll(hidden)).toBeGreaterThan(0.95)
    expect(whole.inputTokens / encodeAll(hidden)).toBeLessThan(1.1)
  })

  test('gives up when told', async () => {
    const signal = AbortSignal.abort()
    await expect(countRequest({}, 'messages', { family: 'x', signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

test('usage that nobody reported is estimated from what the model reads, not from the bytes of its pictures', () => {
  const body = { model: 'p/gpt-5.4', ...user([{ type: 'image_url', image_url: { url: `data:${'A'.repeat(400_000)}` } }]) }
  const raw = new TextEncoder().encode(JSON.stringify(body))
  const request = { endpoint: 'chat/completions', model: 'p/gpt-5.4', body, raw, stream: false } as const
  expect(estimateUsage(request, 41)).toEqual({ inputTokens: 7 + 765, outputTokens: 11 })
})

/** A part at a time, as the whole would take minutes. */
function encodeAll(text: string): number {
  return text.split(/(?= )/).reduce((sum, part) => sum + encode(part), 0)
}
