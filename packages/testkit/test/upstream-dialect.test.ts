import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BIG_INTEGER, DEFAULT_TOKENS, type FakeUpstream, startFakeUpstream } from '../src/index.ts'
import { chat, events, rawExchange } from './support/raw-exchange.ts'

const TOOLS = [{ type: 'function', function: { name: 'weather', parameters: {} } }]

describe('the dialect of the fake upstream', () => {
  let upstream: FakeUpstream
  beforeEach(async () => {
    upstream = await startFakeUpstream()
  })
  afterEach(() => upstream.close())

  const send = async (body: unknown, path = '/v1/chat/completions', method = 'POST') =>
    rawExchange(upstream.port, { path, method, body })

  test.each([
    ['an unknown route', '/v1/unknown', 'POST', chat(), 404, 'unknown_url'],
    ['a wrong method', '/v1/chat/completions', 'PUT', chat(), 404, 'unknown_url'],
    ['a body that is no JSON', '/v1/chat/completions', 'POST', '{', 400, null],
    ['a body that is no object', '/v1/embeddings', 'POST', [], 400, null],
    ['no model', '/v1/chat/completions', 'POST', { messages: [] }, 400, null],
    ['no messages', '/v1/chat/completions', 'POST', { model: 'gpt-fake' }, 400, null],
    ['no input', '/v1/embeddings', 'POST', { model: 'gpt-fake' }, 400, null],
    ['an unknown fault', '/v1/chat/completions', 'POST', chat({ model: 'gpt-fake!explode' }), 400, 'unknown_fault'],
  ] as const)('answers %s with an error of its shape', async (_, path, method, body, status, code) => {
    const reply = await send(body, path, method)
    expect(reply.status).toBe(status)
    expect(reply.headers['content-type']).toBe('application/json')
    expect(JSON.parse(reply.body)).toEqual({
      error: { message: expect.any(String), type: 'invalid_request_error', param: null, code },
    })
  })

  test.each(['authorization', 'x-api-key', 'api-key'])('asks for the key that it requires, in %s', async (header) => {
    const guarded = await startFakeUpstream({ requireKey: 'sk-right' })
    const key = (value: string) => ({ [header]: header === 'authorization' ? `Bearer ${value}` : value })
    const ask = (headers: Record<string, string>) => rawExchange(guarded.port, { body: chat(), headers })
    expect((await ask({})).status).toBe(401)
    expect((await ask(key('sk-wrong'))).status).toBe(401)
    expect((await ask(key('sk-right'))).status).toBe(200)
    await guarded.close()
  })

  test('answers a chat whole, with its length', async () => {
    const reply = await send(chat())
    expect(reply.status).toBe(200)
    expect(reply.headers['content-length']).toBe(String(reply.wire.length))
    expect(reply.body).toContain(`"big":${BIG_INTEGER}`)
    const body = JSON.parse(reply.body)
    expect(body).toMatchObject({ object: 'chat.completion', model: 'gpt-fake', x_fake_extension: { keep: 'this' } })
    expect(body.choices).toEqual([
      expect.objectContaining({
        index: 0,
        finish_reason: 'stop',
        message: expect.objectContaining({ content: DEFAULT_TOKENS.join('') }),
      }),
    ])
    expect(body.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 9, total_tokens: 16 })
  })

  test('streams a chat: role, tokens, finish reason, [DONE], and usage only where asked', async () => {
    const { headers, body, terminated, pieces } = await send(chat({ stream: true }))
    expect(headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(terminated).toBe(true)
    const data = events(body)
    expect(pieces).toHaveLength(data.length)
    expect(data.at(-1)).toBe('[DONE]')
    const chunks = data.slice(0, -1).map((text) => JSON.parse(text))
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', content: '' })
    expect(chunks.map(({ choices }) => choices[0].delta.content ?? '').join('')).toBe(DEFAULT_TOKENS.join(''))
    expect(chunks.at(-1).choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' })
    expect(chunks.every((chunk) => !('usage' in chunk))).toBe(true)

    const asked = events((await send(chat({ stream: true, stream_options: { include_usage: true } }))).body)
    expect(asked).toHaveLength(data.length + 1)
    expect(JSON.parse(asked.at(-2) as string)).toMatchObject({ choices: [], usage: { total_tokens: 16 } })
    expect(JSON.parse(asked[1] as string).usage).toBeNull()
  })

  test('calls the first tool where the fault asks, and answers as ever where there is none', async () => {
    const whole = JSON.parse((await send(chat({ model: 'gpt-fake!tool-call', tools: TOOLS }))).body)
    expect(whole.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
    expect(JSON.parse(whole.choices[0].message.tool_calls[0].function.arguments)).toEqual({ city: 'Zürich', days: 3 })

    const data = events((await send(chat({ model: 'gpt-fake!tool-call', tools: TOOLS, stream: true }))).body)
    const parts = data.slice(0, -1).flatMap((text) => JSON.parse(text).choices[0].delta.tool_calls ?? [])
    expect(parts.length).toBeGreaterThan(3)
    expect(JSON.parse(parts.map((part) => part.function.arguments).join(''))).toEqual({ city: 'Zürich', days: 3 })

    expect((await send(chat({ model: 'gpt-fake!tool-call' }))).body).toContain('"finish_reason":"stop"')
  })

  test('embeds each input, the same for the same, as floats or base64', async () => {
    const embed = async (input: unknown, extra = {}) =>
      JSON.parse((await send({ model: 'embedding-fake', input, ...extra }, '/v1/embeddings')).body)
    const { data, usage } = await embed(['one', 'two', 'one'])
    expect(data.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2])
    expect(data[0].embedding).toEqual(data[2].embedding)
    expect(data[0].embedding).not.toEqual(data[1].embedding)
    expect(usage).toEqual({ prompt_tokens: 15, total_tokens: 15 })
    const base64 = await embed('one', { encoding_format: 'base64' })
    const floats = new Float32Array(new Uint8Array(Buffer.from(base64.data[0].embedding, 'base64')).buffer)
    expect([...floats]).toEqual(data[0].embedding)
    expect((await embed([])).data).toEqual([])
    expect((await embed([1, 2, 3])).data).toHaveLength(1)
  })

  test.each([
    ['absent', undefined],
    ['negative', { prompt_tokens: -1, total_tokens: -1 }],
    ['inconsistent', { prompt_tokens: 5, total_tokens: 9 }],
  ])('embeds with usage that is %s', async (flaw, usage) => {
    const reply = await send({ model: `embedding-fake!usage:${flaw}`, input: 'x' }, '/v1/embeddings')
    expect(JSON.parse(reply.body).usage).toEqual(usage)
  })

  test('lists its models', async () => {
    const two = await startFakeUpstream({ models: ['a', 'b'] })
    const reply = await rawExchange(two.port, { path: '/v1/models?limit=9', method: 'GET' })
    expect(JSON.parse(reply.body)).toEqual({
      object: 'list',
      data: ['a', 'b'].map((id) => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'fake' })),
    })
    await two.close()
  })

  test('says the tokens that it was given', async () => {
    const terse = await startFakeUpstream({ tokens: ['yes'], delayMs: 30, tokenDelayMs: 1 })
    const reply = await rawExchange(terse.port, { body: chat({ stream: true }) })
    expect(events(reply.body)).toHaveLength(4)
    expect(reply.firstMs).toBeGreaterThanOrEqual(28)
    await terse.close()
  })
})
