import type { ModelEnding, ModelRequest } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { relayStream, relayWhole, tokensOfBytes } from '../src/index.ts'

type Json = Readonly<Record<string, unknown>>

/** The ending of a whole reply. */
async function whole(request: Pick<ModelRequest, 'endpoint' | 'body'>, reply: Json | string): Promise<ModelEnding> {
  const text = typeof reply === 'string'
  const headers = { 'content-type': text ? 'audio/mpeg' : 'application/json' }
  const body = Buffer.from(text ? reply : JSON.stringify(reply))
  return (await relayWhole({ status: 200, headers }, body, options({ ...request, stream: false })).ended) as ModelEnding
}

/** The ending of a stream; its reader leaves behind so many events where that is told. */
async function streamed(
  request: Pick<ModelRequest, 'endpoint' | 'body'> & { readonly model?: string },
  events: readonly Json[],
  leaveAfter = Number.POSITIVE_INFINITY,
): Promise<ModelEnding> {
  const body = {
    destroy: () => {},
    async *[Symbol.asyncIterator]() {
      for (const event of events) yield Buffer.from(`data: ${JSON.stringify(event)}\n\n`)
      if (request.endpoint === 'chat/completions') yield Buffer.from('data: [DONE]\n\n')
    },
  }
  const reply = await relayStream({ status: 200, headers: {}, body }, options({ ...request, stream: true }))
  let read = 0
  for await (const _ of reply.body as AsyncIterable<Uint8Array>) if (++read >= leaveAfter) break
  return (await reply.ended) as ModelEnding
}

function options(request: Omit<ModelRequest, 'model'> & { readonly model?: string }) {
  return { plugin: 'p', request: { model: 'p/m', ...request } as ModelRequest }
}

const chat = { endpoint: 'chat/completions', body: { messages: [{ role: 'user', content: 'Hello' }] } } as const
const says = (content: string, more: Json = {}): Json => ({
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
  ...more,
})
const stops = (more: Json = {}): Json => ({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], ...more })
const counts = (prompt: number, completion: number): Json => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
})

describe('units', () => {
  const none = { inputTokens: 0, outputTokens: 0 }

  test.each<[string, Pick<ModelRequest, 'endpoint' | 'body'>, Json | string, object]>([
    [
      'pictures by quality and size, as the request has them',
      { endpoint: 'images/generations', body: { n: 2, quality: 'hd', size: '1024x1792' } },
      { data: [{}, {}] },
      { usage: { ...none, units: { 'image:hd/1024x1792': 2 } }, usageSource: 'reported' },
    ],
    [
      'the reply knows what "auto" became',
      { endpoint: 'images/generations', body: { quality: 'auto', size: 'auto' } },
      { data: [{}], quality: 'low', size: '1024x1024' },
      { usage: { ...none, units: { 'image:low/1024x1024': 1 } } },
    ],
    [
      'pictures that are counted in tokens are not counted twice',
      { endpoint: 'images/generations', body: { quality: 'low' } },
      { data: [{}], usage: { input_tokens: 5, output_tokens: 272, total_tokens: 277 } },
      { usage: { inputTokens: 5, outputTokens: 272 } },
    ],
    [
      'seconds of a transcript',
      { endpoint: 'audio/transcriptions', body: {} },
      { text: 'a', duration: 8.47 },
      { usage: { ...none, units: { second: 8.47 } }, usageSource: 'reported' },
    ],
    [
      'its usage wins over its length',
      { endpoint: 'audio/transcriptions', body: {} },
      { text: 'a', duration: 8.47, usage: { type: 'duration', seconds: 9 } },
      { usage: { ...none, units: { second: 9 } } },
    ],
    [
      'characters to be spoken, an astral one once',
      { endpoint: 'audio/speech', body: { input: 'Höre 🎧!' } },
      'ID3',
      { usage: { ...none, units: { character: 7 } }, usageSource: 'estimated' },
    ],
    [
      'searches of a response, without the pages that it opened',
      { endpoint: 'responses', body: {} },
      {
        status: 'completed',
        output: [
          { type: 'web_search_call', action: { type: 'search' } },
          { type: 'web_search_call', action: { type: 'open_page' } },
          { type: 'web_search_call' },
          { type: 'file_search_call' },
          { type: 'message' },
          null,
        ],
        usage: { input_tokens: 5, output_tokens: 1, total_tokens: 6 },
      },
      { usage: { inputTokens: 5, outputTokens: 1, units: { webSearch: 2, fileSearch: 1 } }, usageSource: 'reported' },
    ],
    [
      'searches of a response that counts no tokens: these are estimated',
      { endpoint: 'responses', body: { input: 'Hello' } },
      { status: 'completed', output: [{ type: 'web_search_call' }] },
      { usage: { inputTokens: expect.any(Number), units: { webSearch: 1 } }, usageSource: 'estimated' },
    ],
    [
      'xai: searches among the server’s tools',
      chat,
      { choices: [], usage: { ...counts(5, 1), server_side_tool_usage_details: { web_search_calls: 4 } } },
      { usage: { inputTokens: 5, outputTokens: 1, units: { webSearch: 4 } } },
    ],
    [
      'none of a negative or endless amount',
      { endpoint: 'audio/transcriptions', body: {} },
      { text: 'a', duration: -1, usage: { type: 'duration', seconds: 0 } },
      { usage: none, usageSource: 'none' },
    ],
  ])('%s', async (_, request, reply, ending) => {
    expect(await whole(request, reply)).toMatchObject(ending)
  })

  test('searches at the end of a stream of responses', async () => {
    const response = {
      status: 'completed',
      output: [{ type: 'web_search_call' }],
      usage: { input_tokens: 5, output_tokens: 1, total_tokens: 6 },
      service_tier: 'flex',
    }
    const events = [
      { type: 'response.output_text.delta', delta: 'Hi' },
      { type: 'response.completed', response },
    ]
    expect(await streamed({ endpoint: 'responses', body: {} }, events)).toMatchObject({
      usage: { inputTokens: 5, outputTokens: 1, units: { webSearch: 1 } },
      serviceTier: 'flex',
    })
  })
})

describe('the service tier that the reply names', () => {
  test.each<[string, Json, string | undefined]>([
    ['chat: beside the choices', { choices: [], service_tier: 'priority' }, 'priority'],
    [
      'its usage’s, which is nearer',
      { choices: [], service_tier: 'default', usage: { ...counts(1, 1), service_tier: 'batch' } },
      'batch',
    ],
    [
      'fast speed is a price of its own',
      { choices: [], usage: { ...counts(1, 1), service_tier: 'standard', speed: 'fast' } },
      'fast',
    ],
    ['a wish is no answer', { choices: [], service_tier: 'auto' }, undefined],
    ['nothing', { choices: [], service_tier: null }, undefined],
  ])('%s', async (_, reply, tier) => {
    expect((await whole(chat, reply)).serviceTier).toBe(tier)
  })

  test('chat, streamed: of any event that is read, the last', async () => {
    const events = [
      says('a', { service_tier: 'auto' }),
      says('b'),
      stops(),
      { choices: [], service_tier: 'flex', usage: counts(1, 2) },
    ]
    expect((await streamed(chat, events)).serviceTier).toBe('flex')
  })

  test('messages, streamed: of its beginning', async () => {
    const usage = { input_tokens: 3, output_tokens: 1, service_tier: 'priority' }
    const events = [
      { type: 'message_start', message: { usage } },
      { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hi' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } },
      { type: 'message_stop' },
    ]
    expect(await streamed({ endpoint: 'messages', body: {} }, events)).toEqual({
      outcome: 'complete',
      finishReason: 'end_turn',
      usage: { inputTokens: 3, outputTokens: 4 },
      usageSource: 'reported',
      serviceTier: 'priority',
    })
  })
})

describe('the maker’s rule where only the model tells the maker', () => {
  test.each(['google/gemini-2.5-pro', 'x-ai/grok-4'])('%s: thoughts outside the completion', async (model) => {
    const usage = { ...counts(10, 5), total_tokens: 40 }
    expect((await streamed({ ...chat, model }, [says('a'), stops({ usage })])).usage).toEqual({
      inputTokens: 10,
      outputTokens: 30,
      reasoningTokens: 25,
    })
  })
})

describe('usage that comes with the last choices', () => {
  test('is read', async () => {
    const ending = await streamed(chat, [says('Hello'), stops({ usage: counts(4, 2) })])
    expect(ending).toMatchObject({ usage: { inputTokens: 4, outputTokens: 2 }, usageSource: 'reported' })
  })

  test('holds what that event says itself, also when the reader leaves behind it', async () => {
    const ending = await streamed(chat, [says('Hello', { usage: counts(4, 2) }), says('never read')], 1)
    expect(ending).toMatchObject({ outcome: 'aborted', usage: { inputTokens: 4, outputTokens: 2 }, usageSource: 'reported' })
  })
})

describe('a reader who leaves', () => {
  const hello = 'Hello, how may I help you today?'
  const leave = async (events: readonly Json[], after: number, endpoint: 'chat/completions' | 'messages' | 'responses') =>
    streamed({ endpoint, body: chat.body }, events, after)

  test('chat: what came after the last count is estimated on top of it', async () => {
    const events = [says('Hi', { usage: counts(40, 9) }), says(hello), says('x')]
    expect(await leave(events, 2, 'chat/completions')).toMatchObject({
      outcome: 'aborted',
      usage: { inputTokens: 40, outputTokens: 9 + tokensOfBytes(hello.length) },
      usageSource: 'estimated',
    })
  })

  test('chat: counts of zero until the end are none', async () => {
    const ending = await leave([says('Hi', { usage: counts(0, 0) }), says(hello), says('x')], 2, 'chat/completions')
    expect(ending).toMatchObject({ usageSource: 'estimated', usage: { outputTokens: tokensOfBytes(hello.length + 2) } })
    expect(ending.usage.inputTokens).toBeGreaterThan(0)
  })

  test('messages: the first count of the output is of its beginning alone', async () => {
    const usage = { input_tokens: 25, cache_read_input_tokens: 1000, output_tokens: 3 }
    const events = [
      { type: 'message_start', message: { usage } },
      { type: 'content_block_delta', delta: { type: 'text_delta', text: hello } },
      { type: 'content_block_delta', delta: { type: 'text_delta', text: 'x' } },
    ]
    expect(await leave(events, 2, 'messages')).toMatchObject({
      outcome: 'aborted',
      usage: { inputTokens: 1025, cacheReadTokens: 1000, outputTokens: tokensOfBytes(hello.length) },
      usageSource: 'estimated',
    })
  })

  test('messages: a beginning that counts zero counts nothing', async () => {
    const events = [
      { type: 'message_start', message: { usage: { input_tokens: 0, output_tokens: 0 } } },
      { type: 'content_block_delta', delta: { type: 'text_delta', text: hello } },
      { type: 'content_block_delta', delta: { type: 'text_delta', text: 'x' } },
    ]
    const ending = await leave(events, 2, 'messages')
    expect(ending).toMatchObject({ usageSource: 'estimated', usage: { outputTokens: tokensOfBytes(hello.length) } })
    expect(ending.usage.inputTokens).toBeGreaterThan(0)
  })

  test('responses: nothing is counted before the end', async () => {
    const events = [
      { type: 'response.output_text.delta', delta: hello },
      { type: 'response.output_text.delta', delta: 'x' },
    ]
    expect(await leave(events, 1, 'responses')).toMatchObject({
      usage: { outputTokens: tokensOfBytes(hello.length) },
      usageSource: 'estimated',
    })
  })
})
