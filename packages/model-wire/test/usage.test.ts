import type { ModelEnding, ModelReply, ModelRequest } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normaliseUsage, relayStream, relayWhole, type UsageRoute } from '../src/index.ts'

const chat = { endpoint: 'chat/completions', model: 'p/m', body: { model: 'p/m', messages: [] } } as const

/** The ending of a stream with these usage events between its content and its end. */
async function streamed(route: UsageRoute, events: readonly object[], outcome = 'complete'): Promise<ModelEnding> {
  const sent = [
    { choices: [{ index: 0, delta: { content: 'Hello there' }, finish_reason: null }] },
    ...events.map((usage) => ({ choices: [], usage })),
  ].map((event) => Buffer.from(`data: ${JSON.stringify(event)}\n\n`))
  if (outcome === 'complete') sent.push(Buffer.from('data: [DONE]\n\n'))
  const body = {
    destroy: () => {},
    async *[Symbol.asyncIterator]() {
      yield* sent
    },
  }
  const options = { plugin: 'p', request: { ...chat, stream: true }, dialect: route }
  const reply = await relayStream({ status: 200, headers: {}, body }, options)
  await readAll(reply).catch(() => {})
  return (await reply.ended) as ModelEnding
}

async function readAll(reply: ModelReply): Promise<void> {
  for await (const _ of reply.body as AsyncIterable<Uint8Array>);
}

/** The ending of a whole reply with this usage. */
function whole(route: UsageRoute, usage: object, request: Omit<ModelRequest, 'stream'> = chat): Promise<ModelEnding> {
  const body = Buffer.from(JSON.stringify({ choices: [{ message: { content: 'Hello there' } }], data: [], usage }))
  return relayWhole({ status: 200, headers: {} }, body, {
    plugin: 'p',
    request: { ...request, stream: false },
    dialect: route,
  }).ended as Promise<ModelEnding>
}

describe('counts of every route become totals, whole, streamed, and streamed field by field', () => {
  test.each<[string, UsageRoute, object, object]>([
    [
      'openai: cached and reasoning inside',
      'openai',
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_tokens_details: { cached_tokens: 80 },
        completion_tokens_details: { reasoning_tokens: 30 },
      },
      { inputTokens: 100, outputTokens: 50, cacheReadTokens: 80, reasoningTokens: 30 },
    ],
    [
      'anthropic: cache outside, total holds it',
      'anthropic',
      {
        prompt_tokens: 1000,
        completion_tokens: 20,
        total_tokens: 11_020,
        cache_read_input_tokens: 8000,
        cache_creation_input_tokens: 2000,
      },
      { inputTokens: 11_000, outputTokens: 20, cacheReadTokens: 8000, cacheWriteTokens: 2000 },
    ],
    [
      'vertex claude, strict: the write is what the total has beyond',
      'vertex-claude',
      { prompt_tokens: 100, completion_tokens: 10, total_tokens: 160, prompt_tokens_details: { cached_tokens: 30 } },
      { inputTokens: 150, outputTokens: 10, cacheReadTokens: 30, cacheWriteTokens: 20 },
    ],
    [
      'anthropic: cached_tokens beside its own names counts once',
      'anthropic',
      {
        prompt_tokens: 1000,
        completion_tokens: 20,
        total_tokens: 9020,
        cache_read_input_tokens: 8000,
        prompt_tokens_details: { cached_tokens: 8000 },
      },
      { inputTokens: 9000, outputTokens: 20, cacheReadTokens: 8000 },
    ],
    [
      'anthropic: without a total the cache is still outside',
      'anthropic',
      { prompt_tokens: 10, completion_tokens: 2, cache_read_input_tokens: 5, cache_creation_input_tokens: 3 },
      { inputTokens: 18, outputTokens: 2, cacheReadTokens: 5, cacheWriteTokens: 3 },
    ],
    [
      'anthropic: nothing cached',
      'anthropic',
      { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, prompt_tokens_details: { cached_tokens: 0 } },
      { inputTokens: 10, outputTokens: 2 },
    ],
    [
      'vertex claude, not strict: the write has a name',
      'vertex-claude',
      {
        prompt_tokens: 100,
        completion_tokens: 10,
        total_tokens: 160,
        cache_read_input_tokens: 30,
        cache_creation_input_tokens: 20,
      },
      { inputTokens: 150, outputTokens: 10, cacheReadTokens: 30, cacheWriteTokens: 20 },
    ],
    [
      'vertex claude, strict, read only',
      'vertex-claude',
      { prompt_tokens: 100, completion_tokens: 10, total_tokens: 140, prompt_tokens_details: { cached_tokens: 30 } },
      { inputTokens: 130, outputTokens: 10, cacheReadTokens: 30 },
    ],
    [
      'bedrock: cache inside',
      'bedrock',
      {
        prompt_tokens: 110,
        completion_tokens: 10,
        total_tokens: 120,
        cache_read_input_tokens: 80,
        cache_creation_input_tokens: 20,
      },
      { inputTokens: 110, outputTokens: 10, cacheReadTokens: 80, cacheWriteTokens: 20 },
    ],
    [
      'gemini: thoughts outside the completion',
      'gemini',
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 40, completion_tokens_details: { reasoning_tokens: 25 } },
      { inputTokens: 10, outputTokens: 30, reasoningTokens: 25 },
    ],
    [
      'gemini: where cache and thoughts both fit, it is the thoughts',
      'gemini',
      {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 20,
        prompt_tokens_details: { cached_tokens: 5 },
        completion_tokens_details: { reasoning_tokens: 5 },
      },
      { inputTokens: 10, outputTokens: 10, cacheReadTokens: 5, reasoningTokens: 5 },
    ],
    [
      'gemini: cache inside, no thoughts',
      'gemini',
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, prompt_tokens_details: { cached_tokens: 4 } },
      { inputTokens: 10, outputTokens: 5, cacheReadTokens: 4 },
    ],
    [
      'gemini: without a total the thoughts are still outside',
      'gemini',
      { prompt_tokens: 10, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 25 } },
      { inputTokens: 10, outputTokens: 30, reasoningTokens: 25 },
    ],
    [
      'an unnamed route whose cache is outside by the total',
      'openai',
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 95, prompt_tokens_details: { cached_tokens: 80 } },
      { inputTokens: 90, outputTokens: 5, cacheReadTokens: 80 },
    ],
    [
      'an unnamed route: where cache and thoughts both fit, it is the cache',
      'openai',
      {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 20,
        prompt_tokens_details: { cached_tokens: 5 },
        completion_tokens_details: { reasoning_tokens: 5 },
      },
      { inputTokens: 15, outputTokens: 5, cacheReadTokens: 5, reasoningTokens: 5 },
    ],
    [
      'without a total, what is larger than its whole was left out of it',
      'openai',
      {
        prompt_tokens: 10,
        completion_tokens: 5,
        prompt_tokens_details: { cached_tokens: 80 },
        completion_tokens_details: { reasoning_tokens: 6 },
      },
      { inputTokens: 90, outputTokens: 11, cacheReadTokens: 80, reasoningTokens: 6 },
    ],
    [
      'without a total, reasoning that fits is inside',
      'openai',
      { prompt_tokens: 10, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 5 } },
      { inputTokens: 10, outputTokens: 5, reasoningTokens: 5 },
    ],
    [
      'audio is a part of both',
      'openai',
      {
        prompt_tokens: 10,
        completion_tokens: 5,
        prompt_tokens_details: { audio_tokens: 7 },
        completion_tokens_details: { audio_tokens: 3 },
      },
      { inputTokens: 10, outputTokens: 5, audioInputTokens: 7, audioOutputTokens: 3 },
    ],
    [
      'deepseek: the cache has a name of its own, and lies inside',
      'openai',
      {
        prompt_tokens: 1000,
        completion_tokens: 60,
        total_tokens: 1060,
        prompt_cache_hit_tokens: 640,
        prompt_cache_miss_tokens: 360,
        completion_tokens_details: { reasoning_tokens: 40 },
      },
      { inputTokens: 1000, outputTokens: 60, cacheReadTokens: 640, reasoningTokens: 40 },
    ],
    [
      'moonshot: cached tokens beside the totals',
      'openai',
      { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105, cached_tokens: 64 },
      { inputTokens: 100, outputTokens: 5, cacheReadTokens: 64 },
    ],
    [
      'xai: reasoning outside the completion, also where as much was cached',
      'xai',
      {
        prompt_tokens: 100,
        completion_tokens: 10,
        total_tokens: 174,
        prompt_tokens_details: { cached_tokens: 64 },
        completion_tokens_details: { reasoning_tokens: 64 },
      },
      { inputTokens: 100, outputTokens: 74, cacheReadTokens: 64, reasoningTokens: 64 },
    ],
    [
      'gemini: thoughts that only the total knows are output',
      'gemini',
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 40 },
      { inputTokens: 10, outputTokens: 30, reasoningTokens: 25 },
    ],
    [
      'anthropic: writes for an hour are a part of the writes',
      'anthropic',
      {
        input_tokens: 10,
        output_tokens: 2,
        cache_read_input_tokens: 5,
        cache_creation_input_tokens: 300,
        cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
      },
      { inputTokens: 315, outputTokens: 2, cacheReadTokens: 5, cacheWriteTokens: 300, cacheWrite1hTokens: 200 },
    ],
    [
      'anthropic: writes by their kinds alone',
      'anthropic',
      {
        input_tokens: 10,
        output_tokens: 2,
        cache_read_input_tokens: 0,
        cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
      },
      { inputTokens: 310, outputTokens: 2, cacheWriteTokens: 300, cacheWrite1hTokens: 200 },
    ],
    [
      'sound that came from the cache counts there alone',
      'openai',
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_tokens_details: {
          cached_tokens: 60,
          audio_tokens: 70,
          cached_tokens_details: { text_tokens: 20, audio_tokens: 40 },
        },
        completion_tokens_details: { audio_tokens: 30, reasoning_tokens: 0 },
      },
      { inputTokens: 100, outputTokens: 50, cacheReadTokens: 60, audioInputTokens: 30, audioOutputTokens: 30 },
    ],
    [
      'parts that must overlap are cut to their whole, the cache first',
      'openai',
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_tokens_details: { cached_tokens: 80, audio_tokens: 30, image_tokens: 10 },
        completion_tokens_details: { reasoning_tokens: 30, audio_tokens: 40 },
      },
      {
        inputTokens: 100,
        outputTokens: 50,
        cacheReadTokens: 80,
        audioInputTokens: 20,
        reasoningTokens: 30,
        audioOutputTokens: 20,
      },
    ],
    [
      'pictures, in and out',
      'openai',
      {
        input_tokens: 50,
        output_tokens: 1056,
        total_tokens: 1106,
        input_tokens_details: { text_tokens: 10, image_tokens: 40 },
        output_tokens_details: { image_tokens: 1056, text_tokens: 0 },
      },
      { inputTokens: 50, outputTokens: 1056, imageInputTokens: 40, imageOutputTokens: 1056 },
    ],
    [
      'transcripts write "token" for "tokens"',
      'openai',
      {
        type: 'tokens',
        input_tokens: 14,
        output_tokens: 45,
        total_tokens: 59,
        input_token_details: { text_tokens: 4, audio_tokens: 10 },
      },
      { inputTokens: 14, outputTokens: 45, audioInputTokens: 10 },
    ],
    [
      'seconds of sound and searches beside tokens',
      'openai',
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, prompt_audio_seconds: 7, num_search_queries: 3 },
      { inputTokens: 10, outputTokens: 5, units: { second: 7, webSearch: 3 } },
    ],
    [
      'anthropic: searches on the web',
      'anthropic',
      { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 0, server_tool_use: { web_search_requests: 2 } },
      { inputTokens: 10, outputTokens: 5, units: { webSearch: 2 } },
    ],
    ['cohere: plain', 'cohere', { prompt_tokens: 3, completion_tokens: 4 }, { inputTokens: 3, outputTokens: 4 }],
    [
      'anthropic messages: cache beside the input',
      'anthropic',
      { input_tokens: 10, output_tokens: 2, cache_read_input_tokens: 5, cache_creation_input_tokens: 3 },
      { inputTokens: 18, outputTokens: 2, cacheReadTokens: 5, cacheWriteTokens: 3 },
    ],
    [
      'responses: without a total the cache is inside, unless it has names of its own',
      'openai',
      { input_tokens: 10, output_tokens: 8, input_tokens_details: { cached_tokens: 4 } },
      { inputTokens: 10, outputTokens: 8, cacheReadTokens: 4 },
    ],
    [
      'messages through an unnamed route: cache beside the input',
      'openai',
      { input_tokens: 10, output_tokens: 2, cache_read_input_tokens: 5 },
      { inputTokens: 15, outputTokens: 2, cacheReadTokens: 5 },
    ],
    [
      'responses: totals',
      'openai',
      {
        input_tokens: 10,
        output_tokens: 8,
        total_tokens: 18,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens_details: { reasoning_tokens: 6 },
      },
      { inputTokens: 10, outputTokens: 8, cacheReadTokens: 4, reasoningTokens: 6 },
    ],
  ])('%s', async (_, route, raw, usage) => {
    expect(normaliseUsage(raw, route)).toEqual({ usage })
    const booked = { outcome: 'complete', usage, usageSource: 'reported' }
    expect(await whole(route, raw)).toEqual(booked)
    expect(await streamed(route, [raw])).toEqual(booked)
    expect(await streamed(route, [{ [Object.keys(raw)[0] as string]: 1 }, raw, raw])).toEqual(booked)
    const fields = Object.entries(raw).map(([name, value]) => ({ [name]: value }))
    expect(await streamed(route, fields)).toEqual(booked)
    expect(await streamed(route, fields.toReversed())).toEqual(booked)
  })
})

test('no part is ever larger than its whole, and no count below zero, whatever was sent', () => {
  const tokens = fc.option(fc.oneof(fc.integer({ min: -2, max: 40 }), fc.constantFrom(1.5, '7', Number.NaN)), {
    nil: undefined,
  })
  const details = fc.option(
    fc.record({ cached_tokens: tokens, reasoning_tokens: tokens, audio_tokens: tokens, image_tokens: tokens }),
  )
  const names = ['prompt', 'completion', 'total', 'input', 'output', 'cache_read_input', 'cache_creation_input']
  const fields = fc.record({
    ...Object.fromEntries(names.map((name) => [`${name}_tokens`, tokens])),
    ...Object.fromEntries(names.slice(0, 5).map((name) => [`${name}_tokens_details`, details])),
  })
  const routes = fc.constantFrom<UsageRoute>('openai', 'anthropic', 'vertex-claude', 'bedrock', 'gemini', 'xai', 'cohere')
  fc.assert(
    fc.property(fields, routes, (raw, route) => {
      const usage = normaliseUsage(raw, route)?.usage
      if (usage === undefined) return
      for (const value of Object.values(usage)) expect(Number.isSafeInteger(value) && value >= 0).toBe(true)
      const { cacheReadTokens = 0, cacheWriteTokens = 0, audioInputTokens = 0, imageInputTokens = 0 } = usage
      const { reasoningTokens = 0, audioOutputTokens = 0, imageOutputTokens = 0 } = usage
      const partsIn = cacheReadTokens + cacheWriteTokens + audioInputTokens + imageInputTokens
      expect(partsIn).toBeLessThanOrEqual(usage.inputTokens)
      expect(reasoningTokens + audioOutputTokens + imageOutputTokens).toBeLessThanOrEqual(usage.outputTokens)
      expect(usage.cacheWrite1hTokens ?? 0).toBeLessThanOrEqual(cacheWriteTokens)
    }),
    { numRuns: 2_000 },
  )
})

describe('what was not counted is estimated, and marked', () => {
  test.each<[string, object]>([
    ['negative counts', { prompt_tokens: -1, completion_tokens: -1, total_tokens: -1 }],
    ['no counts', {}],
  ])('%s', async (_, raw) => {
    expect(normaliseUsage(raw)).toBeUndefined()
    expect(await streamed('openai', [raw])).toMatchObject({ usageSource: 'estimated', usage: { outputTokens: 3 } })
    expect(await whole('openai', raw)).toMatchObject({ usageSource: 'estimated' })
    const embeddings = { endpoint: 'embeddings', model: 'p/e', body: { model: 'p/e', input: 'twelve bytes' } } as const
    const ending = await whole('openai', raw, embeddings)
    expect(ending).toMatchObject({ usageSource: 'estimated', usage: { outputTokens: 0 } })
    expect(ending.usage.inputTokens).toBeGreaterThan(0)
  })

  test.each<[string, object]>([
    ['an input alone', { prompt_tokens: 7 }],
    ['an unknown output', { prompt_tokens: 7, completion_tokens: -1 }],
  ])('%s: the output of a chat', async (_, raw) => {
    expect(normaliseUsage(raw)).toEqual({ usage: { inputTokens: 7, outputTokens: 0 }, inputOnly: true })
    expect(await streamed('vertex-claude', [raw], 'truncated')).toMatchObject({
      outcome: 'truncated',
      usageSource: 'estimated',
      usage: { inputTokens: 7, outputTokens: 3 },
    })
    const ending = await whole('openai', raw)
    expect(ending).toMatchObject({ usageSource: 'estimated', usage: { inputTokens: 7 } })
    expect(ending.usage.outputTokens).toBeGreaterThan(0)
  })

  test('an embedding has no output, so its input is all there is', async () => {
    const raw = { prompt_tokens: 7, total_tokens: 7 }
    const embeddings = { endpoint: 'embeddings', model: 'p/e', body: { model: 'p/e', input: 'x' } } as const
    expect(await whole('openai', raw, embeddings)).toEqual({
      outcome: 'complete',
      usage: { inputTokens: 7, outputTokens: 0 },
      usageSource: 'reported',
    })
  })
})

describe('a reported zero is a count', () => {
  test('of the output, though something was said', async () => {
    const raw = { prompt_tokens: 7, completion_tokens: 0, total_tokens: 7 }
    const booked = { usage: { inputTokens: 7, outputTokens: 0 }, usageSource: 'reported' }
    expect(await streamed('openai', [raw])).toEqual({ outcome: 'complete', ...booked })
    expect(await whole('openai', raw)).toEqual({ outcome: 'complete', ...booked })
  })

  test('of everything: booked, and marked where something was said', async () => {
    const raw = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
    const booked = { usage: { inputTokens: 0, outputTokens: 0 }, usageSource: 'reported', unreconciled: true }
    expect(await streamed('openai', [raw])).toMatchObject(booked)
    expect(await whole('openai', raw)).toMatchObject(booked)
    const embeddings = { endpoint: 'embeddings', model: 'p/e', body: { model: 'p/e', input: 'x' } } as const
    expect(await whole('openai', raw, embeddings)).not.toHaveProperty('unreconciled')
  })

  test('field by field: a zero in one name hides what another says', () => {
    const raw = { prompt_tokens: 9, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 0 }, cached_tokens: 8 }
    expect(normaliseUsage(raw)?.usage).toEqual({ inputTokens: 9, outputTokens: 1 })
  })
})

test('cumulative counts: the last, never the sum', async () => {
  const counts = [1, 2, 3].map((done) => ({ prompt_tokens: 10, completion_tokens: done, total_tokens: 10 + done }))
  expect((await streamed('gemini', counts)).usage).toEqual({ inputTokens: 10, outputTokens: 3 })
})

test('a stream with endless names in its usage keeps none of them, and one count is not lost to a later null', async () => {
  const junk = Array.from({ length: 2_000 }, (_, index) => ({ [`x${index}`]: 'y'.repeat(100), prompt_tokens: null }))
  expect((await streamed('openai', [{ prompt_tokens: 4, completion_tokens: 2 }, ...junk])).usage).toEqual({
    inputTokens: 4,
    outputTokens: 2,
  })
})

test('a total that fits no rule is booked and flagged', () => {
  expect(normaliseUsage({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 99 })).toEqual({
    usage: { inputTokens: 94, outputTokens: 5 },
    unreconciled: true,
  })
  expect(normaliseUsage({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 1 })).toEqual({
    usage: { inputTokens: 10, outputTokens: 5 },
    unreconciled: true,
  })
})

test('the flag reaches the ending, whole and streamed', async () => {
  const raw = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 99 }
  const booked = { usage: { inputTokens: 94, outputTokens: 5 }, usageSource: 'reported', unreconciled: true }
  expect(await whole('openai', raw)).toMatchObject(booked)
  expect(await streamed('openai', [raw])).toMatchObject(booked)
})

test('parts that do not fit a total that does are flagged', () => {
  const raw = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, prompt_tokens_details: { cached_tokens: 80 } }
  expect(normaliseUsage(raw)).toEqual({
    usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 10 },
    unreconciled: true,
  })
})

test.each([undefined, null, 'text', {}, { prompt_tokens: -1, completion_tokens: 2 }, { prompt_tokens: 1.5 }])(
  '%j is no usage',
  (raw) => {
    expect(normaliseUsage(raw)).toBeUndefined()
  },
)
