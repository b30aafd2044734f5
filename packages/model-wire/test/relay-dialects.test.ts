import { MODEL_ENDPOINTS, type ModelEndpoint, type ModelReply, type ModelRequest } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { hasStreams, type RelayOptions, relayStream, relayWhole } from '../src/index.ts'

type Json = Record<string, unknown>

const request = (endpoint: ModelEndpoint, body: Json = {}): ModelRequest => ({ endpoint, model: 'p/m', body, stream: true })
const event = (type: string, fields: Json = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`

function open(
  endpoint: ModelEndpoint,
  pieces: readonly string[],
  more: Partial<RelayOptions> = {},
  body: Json = {},
): Promise<ModelReply> {
  const upstream = {
    destroy: () => {},
    async *[Symbol.asyncIterator]() {
      for (const piece of pieces) yield Buffer.from(piece)
    },
  }
  const options = { plugin: 'test', request: request(endpoint, body), ...more }
  return relayStream({ status: 200, headers: {}, body: upstream }, options)
}

async function text(reply: ModelReply): Promise<string> {
  let all = ''
  for await (const chunk of reply.body as AsyncIterable<Uint8Array>) all += Buffer.from(chunk).toString()
  return all
}

const messageStart = event('message_start', {
  message: { usage: { input_tokens: 10, cache_read_input_tokens: 4, cache_creation_input_tokens: 3, output_tokens: 1 } },
})
const blockStart = event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })
const said = event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'a' } })
const messageDelta = event('message_delta', {
  delta: { stop_reason: 'end_turn' },
  usage: { output_tokens: 8, output_tokens_details: { thinking_tokens: 2 } },
})
const messageStop = event('message_stop')

const created = event('response.created', { response: { status: 'in_progress', usage: null } })
const textDelta = event('response.output_text.delta', { delta: 'a' })
const ended = (type: string, response: Json): string => event(type, { response })
const counts = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 4, cache_write_tokens: 1 },
  output_tokens: 8,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 18,
}
const completed = ended('response.completed', { status: 'completed', usage: counts })

const textChunk = (fields: Json): string => `data: ${JSON.stringify({ choices: [{ index: 0, ...fields }] })}\n\n`
const textUsage = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } })}\n\n`

const streams: readonly [ModelEndpoint, string[], Json][] = [
  [
    'messages',
    [messageStart, event('ping'), blockStart, said, event('content_block_stop', { index: 0 }), messageDelta, messageStop],
    {
      usage: { inputTokens: 17, outputTokens: 8, cacheReadTokens: 4, cacheWriteTokens: 3, reasoningTokens: 2 },
      finishReason: 'end_turn',
    },
  ],
  [
    'responses',
    [created, event('response.output_item.added', { item: {} }), textDelta, completed],
    {
      usage: { inputTokens: 10, outputTokens: 8, cacheReadTokens: 4, cacheWriteTokens: 1, reasoningTokens: 2 },
      finishReason: 'completed',
    },
  ],
  [
    'completions',
    [
      textChunk({ text: 'a', finish_reason: null }),
      textChunk({ text: '', finish_reason: 'stop' }),
      textUsage,
      'data: [DONE]\n\n',
    ],
    { usage: { inputTokens: 3, outputTokens: 2 }, finishReason: 'stop' },
  ],
  [
    'audio/transcriptions',
    [
      event('transcript.text.delta', { delta: 'a' }),
      event('transcript.text.done', {
        text: 'a',
        usage: { type: 'tokens', input_tokens: 5, output_tokens: 1, total_tokens: 6 },
      }),
    ],
    { usage: { inputTokens: 5, outputTokens: 1 } },
  ],
]

describe.each(streams)('a stream of %s', (endpoint, pieces, ending) => {
  const wire = pieces.join('')

  test('passes byte for byte in any two pieces, with usage and finish reason, and ends complete', async () => {
    for (let cut = 1; cut < wire.length; cut += 7) {
      const reply = await open(endpoint, [wire.slice(0, cut), wire.slice(cut)])
      expect(await text(reply)).toBe(wire)
      expect(await reply.ended).toEqual({ outcome: 'complete', usageSource: 'reported', ...ending })
    }
  })

  test('without its terminator is cut, after what came', async () => {
    const reply = await open(endpoint, pieces.slice(0, -1))
    const heard: string[] = []
    const drain = async (): Promise<void> => {
      for await (const chunk of reply.body as AsyncIterable<Uint8Array>) heard.push(Buffer.from(chunk).toString())
    }
    await expect(drain()).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
    expect(heard.join('')).toBe(pieces.slice(0, -1).join(''))
    expect(await reply.ended).toMatchObject({ outcome: 'truncated' })
  })

  test('hands out nothing after its terminator', async () => {
    expect(await text(await open(endpoint, [wire + event('late')]))).toBe(wire)
  })
})

describe('before the first content', () => {
  const failed = ended('response.failed', { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'x' } })
  const overloaded = event('error', { error: { type: 'overloaded_error', message: 'x' } })
  test.each<[string, ModelEndpoint, string[], string]>([
    ['an error event', 'messages', [messageStart, overloaded], 'UPSTREAM_UNAVAILABLE'],
    ['an end', 'messages', [messageStart, blockStart], 'UPSTREAM_TRUNCATED'],
    ['the beginning of an event', 'messages', [messageStart, 'event: content_blo'], 'UPSTREAM_TRUNCATED'],
    ['a page for people', 'messages', ['<html>busy</html>'], 'UPSTREAM_INVALID'],
    ['an error as JSON', 'messages', ['{"type":"error","error":{"type":"rate_limit_error","message":"x"}}'], 'RATE_LIMITED'],
    ['an event that is no JSON', 'messages', ['event: x\ndata: {\n\n'], 'UPSTREAM_INVALID'],
    ['a failed response', 'responses', [created, failed], 'RATE_LIMITED'],
    ['a failed response without an error', 'responses', [ended('response.failed', { status: 'failed' })], 'UPSTREAM_INVALID'],
    ['an error event', 'responses', [created, event('error', { code: 'server_error', message: 'x' })], 'UPSTREAM_UNAVAILABLE'],
    ['an end', 'responses', [created], 'UPSTREAM_TRUNCATED'],
    ['an error event', 'audio/speech', [event('error', { error: { type: 'server_error' } })], 'UPSTREAM_UNAVAILABLE'],
    ['any event', 'moderations', [event('x')], 'UNSUPPORTED'],
  ])('%s of %s rejects the call', async (_name, endpoint, pieces, code) => {
    await expect(open(endpoint, pieces)).rejects.toMatchObject({ code })
  })
})

describe('after the first content', () => {
  test('a response that fails breaks the stream and is still billed', async () => {
    const failed = ended('response.failed', { status: 'failed', usage: counts, error: { code: 'server_error', message: 'x' } })
    const reply = await open('responses', [created + textDelta, failed])
    await expect(text(reply)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect(await reply.ended).toMatchObject({ outcome: 'error', usageSource: 'reported', usage: { outputTokens: 8 } })
  })

  test('a message that was cut books the input that was told and estimates the output', async () => {
    const start = event('message_start', { message: { usage: { input_tokens: 10 } } })
    const long = event('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json: 'x'.repeat(40) } })
    const reply = await open('messages', [start, long])
    await expect(text(reply)).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
    expect(await reply.ended).toMatchObject({ usageSource: 'estimated', usage: { inputTokens: 10, outputTokens: 10 } })
  })

  test('an incomplete response tells why', async () => {
    const response = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, usage: counts }
    const reply = await open('responses', [textDelta, ended('response.incomplete', response)])
    await text(reply)
    expect(await reply.ended).toMatchObject({ outcome: 'complete', finishReason: 'max_output_tokens' })
  })
})

test('the first content of messages is a text, a tool or the end, never an empty beginning', async () => {
  const pieces = [
    messageStart,
    blockStart,
    event('content_block_start', { index: 1, content_block: { type: 'tool_use', name: 'f' } }),
  ]
  const reply = await open('messages', [...pieces, 'event: x'])
  await expect(text(reply)).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
  await expect(open('messages', [...pieces.slice(0, 2), 'event: x'])).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
  expect(await text(await open('messages', [messageStart, messageStop]))).toBe(messageStart + messageStop)
})

test('the first content of responses may be what a tool of its own made', async () => {
  const image = event('response.image_generation_call.partial_image', { partial_image_b64: 'AA' })
  for (const first of [event('response.output_item.done', { item: {} }), image, textDelta]) {
    const reply = await open('responses', [created, first])
    await expect(text(reply)).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
  }
  await expect(open('responses', [created, event('response.output_item.added', { item: {} })])).rejects.toThrow()
})

test('a finish reason proves messages whole where the upstream is known to send no terminator', async () => {
  const reply = await open('messages', [messageStart, said, messageDelta], { terminator: 'finish-reason' })
  expect(await text(reply)).toBe(messageStart + said + messageDelta)
})

test('[DONE] is none of the terminators of messages and responses', async () => {
  const done = 'data: [DONE]\n\n'
  await expect(open('messages', [said + done]).then(text)).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
  await expect(open('responses', [textDelta + done]).then(text)).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
})

test('the output of a response that was cut is estimated from what came', async () => {
  const reply = await open('responses', [created, event('response.output_text.delta', { delta: 'x'.repeat(40) })])
  await expect(text(reply)).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
  expect(await reply.ended).toMatchObject({ usageSource: 'estimated', usage: { outputTokens: 10 } })
})

test('as many images end a stream as were asked for', async () => {
  const image = event('image_generation.completed', { usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 } })
  const partial = event('image_generation.partial_image', { b64_json: 'AA' })
  expect(await text(await open('images/generations', [partial, image, image], {}, { n: 2 }))).toBe(partial + image + image)
  await expect(open('images/generations', [partial, image], {}, { n: 2 }).then(text)).rejects.toMatchObject({
    code: 'UPSTREAM_TRUNCATED',
  })
})

describe('whole replies', () => {
  const whole = (endpoint: ModelEndpoint, body: object | string, type = 'application/json'): ModelReply => {
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const options = { plugin: 'test', request: { ...request(endpoint), stream: false } }
    return relayWhole({ status: 200, headers: { 'content-type': type } }, bytes, options)
  }
  const tokens = { input_tokens: 5, output_tokens: 1, total_tokens: 6 }

  test.each<[ModelEndpoint, object | string, string, Json]>([
    [
      'messages',
      { content: [], stop_reason: 'max_tokens', usage: { input_tokens: 5, cache_read_input_tokens: 2, output_tokens: 1 } },
      'application/json',
      { finishReason: 'max_tokens', usage: { inputTokens: 7, outputTokens: 1, cacheReadTokens: 2 }, usageSource: 'reported' },
    ],
    [
      'responses',
      { output: [], status: 'completed', error: null, usage: tokens },
      'application/json',
      { finishReason: 'completed', usage: { inputTokens: 5, outputTokens: 1 }, usageSource: 'reported' },
    ],
    [
      'responses',
      { output: [], status: 'incomplete', incomplete_details: { reason: 'content_filter' }, usage: tokens },
      'application/json',
      { finishReason: 'content_filter' },
    ],
    ['completions', { choices: [{ text: 'a', finish_reason: 'stop' }] }, 'application/json', { usageSource: 'estimated' }],
    ['moderations', { results: [{}] }, 'application/json', { usageSource: 'none', usage: { inputTokens: 0, outputTokens: 0 } }],
    ['rerank', { results: [], usage: { total_tokens: 9 } }, 'application/json', { usage: { inputTokens: 9, outputTokens: 0 } }],
    [
      'rerank',
      { data: [], meta: { tokens: { input_tokens: 4 } } },
      'application/json',
      { usage: { inputTokens: 4, outputTokens: 0 } },
    ],
    [
      'rerank',
      { results: [], meta: { billed_units: { search_units: 2 } } },
      'application/json',
      { usageSource: 'reported', usage: { inputTokens: 0, outputTokens: 0, units: { search: 2 } } },
    ],
    ['images/generations', { data: [{}], usage: tokens }, 'application/json', { usage: { inputTokens: 5, outputTokens: 1 } }],
    [
      'images/generations',
      { data: [{}, {}] },
      'application/json',
      { usageSource: 'reported', usage: { inputTokens: 0, outputTokens: 0, units: { 'image:default/default': 2 } } },
    ],
    ['audio/speech', 'ID3\u0000<html', 'audio/mpeg', { usageSource: 'none' }],
    ['audio/transcriptions', 'hello', 'text/plain', { usageSource: 'none' }],
    ['audio/transcriptions', { text: 'a', usage: tokens }, 'application/json', { usage: { inputTokens: 5, outputTokens: 1 } }],
    [
      'audio/transcriptions',
      { text: 'a', usage: { type: 'duration', seconds: 3 } },
      'application/json',
      { usageSource: 'reported', usage: { inputTokens: 0, outputTokens: 0, units: { second: 3 } } },
    ],
  ])('of %s pass byte for byte: %j', async (endpoint, body, type, ending) => {
    const reply = whole(endpoint, body, type)
    expect(Buffer.from(reply.body as Uint8Array).toString()).toBe(typeof body === 'string' ? body : JSON.stringify(body))
    expect(await reply.ended).toMatchObject({ outcome: 'complete', ...ending })
  })

  test.each<[ModelEndpoint, object | string, string, string]>([
    ['messages', { type: 'error', error: { type: 'overloaded_error' } }, 'application/json', 'UPSTREAM_UNAVAILABLE'],
    ['messages', { choices: [] }, 'application/json', 'UPSTREAM_INVALID'],
    ['messages', { content: [], stop_reason: 'error' }, 'application/json', 'UPSTREAM_INVALID'],
    [
      'responses',
      { output: [], status: 'failed', error: { code: 'server_error' } },
      'application/json',
      'UPSTREAM_UNAVAILABLE',
    ],
    ['responses', { output: [], status: 'failed', error: null }, 'application/json', 'UPSTREAM_INVALID'],
    ['responses', { id: 'x' }, 'application/json', 'UPSTREAM_INVALID'],
    ['moderations', {}, 'application/json', 'UPSTREAM_INVALID'],
    ['rerank', { error: 'rate_limit' }, 'application/json', 'UPSTREAM_INVALID'],
    ['images/generations', '<html>', 'text/html', 'UPSTREAM_INVALID'],
    ['audio/speech', '<html>', 'text/html; charset=utf-8', 'UPSTREAM_INVALID'],
    ['audio/speech', '', 'audio/mpeg', 'UPSTREAM_INVALID'],
    ['audio/speech', { error: { type: 'rate_limit_error', message: 'x' } }, 'application/json', 'RATE_LIMITED'],
    ['audio/transcriptions', '{', 'application/json', 'UPSTREAM_INVALID'],
  ])('of %s that are no success throw: %j', (endpoint, body, type, code) => {
    expect(() => whole(endpoint, body, type)).toThrow(expect.objectContaining({ code }))
  })
})

test('what has no streams can be asked before anything is sent, and is what the relay refuses', async () => {
  for (const endpoint of MODEL_ENDPOINTS) {
    const code = await open(endpoint, []).then(
      () => undefined,
      (error) => error.code,
    )
    expect([endpoint, code === 'UNSUPPORTED']).toEqual([endpoint, !hasStreams(endpoint)])
  }
})
