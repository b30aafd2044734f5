import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  chatReplyToMessages,
  chatReplyToResponses,
  chatStreamToMessages,
  chatStreamToResponses,
  createSseDecoder,
  messagesReplyToChat,
  messagesStreamToChat,
  type StreamTranslator,
} from '../../src/index.ts'
import { chunk, data, ending, fullReply, fullStream } from './support/chat-pieces.ts'

type Json = Record<string, unknown>

const options = { created: 5 }
const done = 'data: [DONE]\n\n'

/** All events that a translator makes of a stream. */
function eventsOf(translator: StreamTranslator, pieces: readonly (string | Uint8Array)[]): Json[] {
  const decoder = createSseDecoder()
  const events: Json[] = []
  const take = (): void => {
    for (const { event, data: text } of decoder.push(translator.take())) {
      const parsed: Json = text === '[DONE]' ? { done: true } : (JSON.parse(text) as Json)
      expect(event).toBe(parsed.type ?? 'message')
      events.push(parsed)
    }
  }
  for (const piece of pieces) {
    translator.push(Buffer.from(piece as string))
    take()
  }
  translator.end()
  take()
  return events
}

/** Cuts a text at random bytes, also inside of a character. */
const cuts = fc.array(fc.nat(), { maxLength: 12 })
function cutAt(text: string, places: readonly number[]): Uint8Array[] {
  const bytes = Buffer.from(text)
  const sorted = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b)
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length))
}

describe('any chunking gives the same events', () => {
  const makers: readonly [string, () => StreamTranslator, string][] = [
    ['chat to messages', () => chatStreamToMessages(), fullStream.join('')],
    ['chat to responses', () => chatStreamToResponses({}, options), fullStream.join('')],
    [
      'messages to chat',
      () => messagesStreamToChat({ ...options, includeUsage: true }),
      `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message: { id: 'x', model: 'm', usage: { input_tokens: 3 } } })}\n\n` +
        data({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }) +
        data({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'häß 𝄞' } }) +
        data({ type: 'content_block_stop', index: 0 }) +
        data({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } }) +
        data({ type: 'message_stop' }),
    ],
  ]
  test.each(makers)('%s', (_name, make, text) => {
    const once = eventsOf(make(), [text])
    expect(once.length).toBeGreaterThan(4)
    fc.assert(
      fc.property(cuts, (places) => {
        expect(eventsOf(make(), cutAt(text, places))).toEqual(once)
      }),
      { numRuns: 150 },
    )
  })
})

describe('a chat stream as messages', () => {
  const blocks = (pieces: readonly string[]): Json[] =>
    eventsOf(chatStreamToMessages(), pieces)
      .filter(({ type }) => String(type).startsWith('content_block'))
      .map(({ type, index, content_block, delta }) => ({ type, index, ...(content_block as Json), ...(delta as Json) }))
  const start = (pieces: readonly string[]): unknown[] =>
    blocks(pieces)
      .filter(({ type }) => type !== 'text_delta')
      .map(({ id, name, partial_json }) => [id, name, partial_json])
  const tool = (call: Json): string => chunk({ tool_calls: [call] })
  const fn = (name: string | undefined, args: string): Json => ({ function: { ...(name && { name }), arguments: args } })

  test('begins with the message and ends with usage and the stop reason', () => {
    const events = eventsOf(chatStreamToMessages(), [chunk({ content: 'a' }), ...ending('stop')])
    expect(events.map(({ type }) => type)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(events[0]).toMatchObject({ message: { id: 'msg_c1', content: [], usage: { input_tokens: 0, output_tokens: 0 } } })
    expect(events[4]).toMatchObject({
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { input_tokens: 13, cache_read_input_tokens: 5, cache_creation_input_tokens: 2, output_tokens: 9 },
    })
  })

  test.each([
    ['stop', {}, { stop_reason: 'end_turn', stop_sequence: null }],
    ['stop', { stop_reason: 'END' }, { stop_reason: 'stop_sequence', stop_sequence: 'END' }],
    ['length', {}, { stop_reason: 'max_tokens', stop_sequence: null }],
    ['content_filter', {}, { stop_reason: 'refusal', stop_sequence: null }],
    ['pause_turn', {}, { stop_reason: 'pause_turn', stop_sequence: null }],
    ['whatever', {}, { stop_reason: 'end_turn', stop_sequence: null }],
  ])('tells %s %j in its own words', (reason, more, delta) => {
    const events = eventsOf(chatStreamToMessages(), [chunk({ content: 'a' }), ...ending(reason, more)])
    expect(events.at(-2)).toMatchObject({ delta })
  })

  test('a refusal is text that ends as one', () => {
    const events = eventsOf(chatStreamToMessages(), [chunk({ refusal: 'no' }), ...ending('stop')])
    expect(events[2]).toMatchObject({ delta: { type: 'text_delta', text: 'no' } })
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'refusal' } })
  })

  test('an empty answer is a message without content', () => {
    expect(eventsOf(chatStreamToMessages(), [done]).map(({ type }) => type)).toEqual([
      'message_start',
      'message_delta',
      'message_stop',
    ])
  })

  test('calls with one index are told apart by their ids, and a call without an id gets one', () => {
    const pieces = [
      tool({ index: 0, id: 'a', ...fn('f', '{}') }),
      tool({ index: 0, id: 'b', ...fn('g', '{"x":') }),
      tool({ index: 0, id: 'b', ...fn(undefined, '1}') }),
      tool({ index: 1, ...fn('h', '') }),
    ]
    expect(start([...pieces, ...ending('stop')])).toEqual([
      ['a', 'f', undefined],
      [undefined, undefined, '{}'],
      [undefined, undefined, undefined],
      ['b', 'g', undefined],
      [undefined, undefined, '{"x":'],
      [undefined, undefined, '1}'],
      [undefined, undefined, undefined],
      ['call_c1_2', 'h', undefined],
      [undefined, undefined, undefined],
    ])
    expect(eventsOf(chatStreamToMessages(), [...pieces, ...ending('stop')]).at(-2)).toMatchObject({
      delta: { stop_reason: 'tool_use' },
    })
  })

  test('arguments that come before the name are kept until it does', () => {
    const pieces = [tool({ index: 0, id: 'a', ...fn(undefined, '{"x"') }), tool({ index: 0, ...fn('f', ':1}') })]
    expect(start([...pieces, ...ending('tool_calls')])).toEqual([
      ['a', 'f', undefined],
      [undefined, undefined, '{"x":1}'],
      [undefined, undefined, undefined],
    ])
  })

  test('content in parts is text and thinking', () => {
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'a' },
    ]
    expect(blocks([chunk({ content }), ...ending('stop')]).map(({ thinking, text }) => thinking ?? text)).toEqual([
      '',
      'hm',
      undefined,
      '',
      'a',
      undefined,
    ])
  })

  test.each<[string, string[], string]>([
    [
      'a call that names no function',
      [tool({ index: 0, id: 'a', ...fn(undefined, '{}') }), ...ending('stop')],
      'UPSTREAM_INVALID',
    ],
    [
      'a call that goes on after another',
      [
        tool({ index: 0, id: 'a', ...fn('f', '{') }),
        tool({ index: 1, id: 'b', ...fn('g', '{}') }),
        tool({ index: 0, ...fn(undefined, '}') }),
      ],
      'UPSTREAM_INVALID',
    ],
    [
      'an error',
      [chunk({ content: 'a' }), data({ error: { type: 'overloaded_error', message: 'x' } })],
      'UPSTREAM_UNAVAILABLE',
    ],
    ['what is no JSON', ['data: {"choices"\n\n'], 'UPSTREAM_INVALID'],
    ['an end without one', [chunk({ content: 'a' })], 'UPSTREAM_TRUNCATED'],
  ])('%s is an error', (_name, pieces, code) => {
    expect(() => eventsOf(chatStreamToMessages(), pieces)).toThrow(expect.objectContaining({ code }))
  })

  test('hands out what came before an error in the same chunk', () => {
    const translator = chatStreamToMessages()
    expect(() => translator.push(Buffer.from(chunk({ content: 'a' }) + data({ error: 'x' })))).toThrow()
    expect(Buffer.from(translator.take()).toString()).toContain('"text":"a"')
    expect(translator.take()).toHaveLength(0)
  })

  test('ends by a finish reason where there is no [DONE], and hears nothing after it', () => {
    const pieces = [chunk({ content: 'a' }), chunk({}, { finish_reason: 'stop' })]
    const events = eventsOf(chatStreamToMessages(), pieces)
    expect(events.at(-1)).toEqual({ type: 'message_stop' })
    expect(eventsOf(chatStreamToMessages(), [...pieces, done, chunk({ content: 'late' })])).toEqual(events)
  })
})

describe('a chat stream as responses', () => {
  test('closes each part before the next and tells the whole at the end', () => {
    const pieces = [chunk({ content: 'a' }), chunk({ refusal: 'no' }), ...ending('content_filter')]
    const events = eventsOf(chatStreamToResponses({ tools: [] }, options), pieces)
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.content_part.added',
      'response.refusal.delta',
      'response.refusal.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.incomplete',
    ])
    expect(events[8]).toMatchObject({ content_index: 1, output_index: 0, item_id: 'msg_c1_0', delta: 'no' })
    expect(events.at(-1)).toMatchObject({
      response: {
        id: 'resp_c1',
        created_at: 1_690_000_000,
        status: 'incomplete',
        incomplete_details: { reason: 'content_filter' },
        output: [{ content: [{ text: 'a' }, { refusal: 'no' }] }],
        usage: { input_tokens: 20 },
      },
    })
  })

  test('an answer whose time is unknown has the time given', () => {
    const [first] = eventsOf(chatStreamToResponses({}, options), [done])
    expect(first).toMatchObject({
      response: { created_at: 5, store: false, tools: [], tool_choice: 'auto', parallel_tool_calls: true, metadata: {} },
    })
  })
})

describe('a messages stream as chat', () => {
  const make = (): StreamTranslator => messagesStreamToChat({ ...options, includeUsage: false })
  const begin = data({ type: 'message_start', message: { id: 'm1', model: 'claude' } })
  const end = (stop_reason: string, more: Json = {}): string =>
    data({ type: 'message_delta', delta: { stop_reason, ...more } }) + data({ type: 'message_stop' })

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
  ])('tells %s as %s', (stop_reason, finish_reason) => {
    const events = eventsOf(make(), [begin, end(stop_reason, { stop_sequence: 'E' })])
    expect(events.at(-2)).toMatchObject({ choices: [{ delta: {}, finish_reason, stop_reason: 'E' }] })
    expect(events.at(-1)).toEqual({ done: true })
  })

  test('a tool without arguments has an object without members, and sealed thinking is handed on', () => {
    const pieces = [
      begin,
      data({ type: 'content_block_start', index: 0, content_block: { type: 'redacted_thinking', data: 'x' } }),
      data({ type: 'content_block_stop', index: 0 }),
      data({ type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'a', name: 'f', input: {} } }),
      data({ type: 'content_block_stop', index: 1 }),
      end('tool_use'),
    ]
    const deltas = eventsOf(make(), pieces).map(({ choices }) => (choices as [{ delta: unknown }] | undefined)?.[0].delta)
    expect(deltas).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { thinking_blocks: [{ type: 'redacted_thinking', data: 'x' }] },
      { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{}' } }] },
      {},
      undefined,
    ])
  })

  test.each([
    [
      'with its end',
      '',
      [data({ type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'sig' } })],
    ],
    ['with its beginning', 'sig', []],
  ])('thinking is signed where its signature comes %s', (_name, signature, more) => {
    const thought = { type: 'thinking_delta', thinking: 'hm' }
    const events = eventsOf(make(), [
      begin,
      data({ type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature } }),
      data({ type: 'content_block_delta', index: 0, delta: thought }),
      ...more,
      data({ type: 'content_block_stop', index: 0 }),
      end('end_turn'),
    ])
    expect(events[1]).toMatchObject({ choices: [{ delta: { reasoning_content: 'hm' } }] })
    expect(events[2]).toMatchObject({
      choices: [{ delta: { thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 'sig' }] } }],
    })
  })

  test.each<[string, string[], string]>([
    ['an error', [begin, data({ type: 'error', error: { type: 'overloaded_error', message: 'x' } })], 'UPSTREAM_UNAVAILABLE'],
    ['a rate limit', [data({ type: 'error', error: { type: 'rate_limit_error', message: 'x' } })], 'RATE_LIMITED'],
    [
      'a block of a server’s tool',
      [begin, data({ type: 'content_block_start', content_block: { type: 'server_tool_use' } })],
      'UPSTREAM_INVALID',
    ],
    ['a delta without a block', [begin, data({ type: 'content_block_delta', index: 3, delta: {} })], 'UPSTREAM_INVALID'],
    ['an end without one', [begin, data({ type: 'message_delta', delta: { stop_reason: 'end_turn' } })], 'UPSTREAM_TRUNCATED'],
  ])('%s is an error', (_name, pieces, code) => {
    expect(() => eventsOf(make(), pieces)).toThrow(expect.objectContaining({ code }))
  })
})

test('usage becomes totals by the rule of the target', () => {
  const usage = { prompt_tokens: 10, completion_tokens: 6, prompt_tokens_details: { cached_tokens: 4 } }
  const outside = { input_tokens: 10, cache_read_input_tokens: 4 }
  const pieces = [chunk({ content: 'a' }), data({ id: 'c1', choices: [], usage }), done]
  expect(eventsOf(chatStreamToMessages(), pieces).at(-2)).toMatchObject({ usage: { ...outside, input_tokens: 6 } })
  expect(eventsOf(chatStreamToMessages('anthropic'), pieces).at(-2)).toMatchObject({ usage: outside })
  const reply = { id: 'c1', choices: [{ message: { content: 'a' } }], usage }
  expect(chatReplyToMessages(reply, 'anthropic')).toMatchObject({ usage: outside })
  expect(chatReplyToResponses(reply, {}, { ...options, usage: 'anthropic' })).toMatchObject({ usage: { input_tokens: 14 } })
})

describe('whole replies', () => {
  const reply = (message: Json, finish_reason = 'stop'): Json => ({
    id: 'c1',
    model: 'm',
    choices: [{ message, finish_reason }],
  })
  const called = (args: string): Json => ({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: args } }] })

  test.each<[string, Json, string]>([
    ['no choices', { id: 'x' }, 'UPSTREAM_INVALID'],
    ['no message', { choices: [{}] }, 'UPSTREAM_INVALID'],
    ['an error', { error: { type: 'rate_limit_error', message: 'x' } }, 'RATE_LIMITED'],
    ['a call that names no function', reply({ tool_calls: [{ id: 'a' }] }), 'UPSTREAM_INVALID'],
  ])('%s is an error in both dialects', (_name, given, code) => {
    expect(() => chatReplyToMessages(given)).toThrow(expect.objectContaining({ code }))
    expect(() => chatReplyToResponses(given, {}, options)).toThrow(expect.objectContaining({ code }))
  })

  test('arguments that are no object are an error, unless the limit cut them off', () => {
    expect(() => chatReplyToMessages(reply(called('{"x":')))).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
    expect(() => chatReplyToMessages(reply(called('[1]')))).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
    expect(chatReplyToMessages(reply(called('{"x":'), 'length'))).toMatchObject({
      stop_reason: 'max_tokens',
      content: [{ type: 'tool_use', input: {} }],
    })
  })

  test('a refusal, the older name of reasoning and a reply without usage', () => {
    expect(chatReplyToMessages(reply({ content: null, refusal: 'no', reasoning: 'hm' }))).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'hm' },
        { type: 'text', text: 'no' },
      ],
      stop_reason: 'refusal',
      usage: { input_tokens: 0, output_tokens: 0 },
    })
    expect(chatReplyToResponses(reply({ refusal: 'no' }), {}, options)).toMatchObject({
      output: [{ content: [{ type: 'refusal', refusal: 'no' }] }],
      usage: null,
    })
  })

  test.each<[string, Json, string]>([
    ['no content', { id: 'x' }, 'UPSTREAM_INVALID'],
    ['a block that is none', { content: ['x'] }, 'UPSTREAM_INVALID'],
    ['a block of a server’s tool', { content: [{ type: 'server_tool_use' }] }, 'UPSTREAM_INVALID'],
    ['an error', { type: 'error', error: { type: 'api_error', message: 'x' } }, 'UPSTREAM_UNAVAILABLE'],
  ])('%s of messages is an error', (_name, given, code) => {
    expect(() => messagesReplyToChat(given, options)).toThrow(expect.objectContaining({ code }))
  })

  test('the whole and the stream of one answer say the same', () => {
    const events = eventsOf(chatStreamToResponses({}, options), fullStream)
    expect(events.at(-1)?.response).toEqual(chatReplyToResponses(fullReply, {}, options))
  })
})
