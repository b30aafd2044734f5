import { MODEL_ENDPOINTS, type ModelEndpoint } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModelInput } from '../../src/model/options.ts'
import { bypassOf, callOf, planned, plannerWith } from './support/calls.ts'

type Draft = Record<string, unknown>

const of = plannerWith()
const user = (content: unknown): Draft => ({ role: 'user', content })
const part = (...parts: unknown[]): Draft => ({ messages: [user(parts)] })
const chat = (more: Draft = {}): Draft => ({ messages: [user('hi')], ...more })
const said = { type: 'text', text: 'hi' }
const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }
const tool = { type: 'function', function: { name: 'f' } }
const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }

function reason(endpoint: ModelEndpoint, body: Draft, options?: ModelInput): string | undefined {
  return bypassOf(options === undefined ? of : plannerWith(options), callOf({ request: { endpoint, body } }))
}

describe('looked up', () => {
  test.each<[ModelEndpoint, Draft]>([
    ['chat/completions', chat()],
    [
      'chat/completions',
      chat({ n: 1, temperature: 0, tools: [], stop: null, store: false, background: false, modalities: ['text'] }),
    ],
    ['chat/completions', chat({ n: null, temperature: null, tools: null, web_search_options: null })],
    ['chat/completions', part(said, said)],
    [
      'chat/completions',
      {
        messages: [
          { role: 'system', content: [said] },
          user('a'),
          { role: 'assistant', content: 'b', tool_calls: [] },
          user('c'),
        ],
      },
    ],
    ['chat/completions', chat({ temperature: 0.7, seed: 3 })],
    ['completions', { prompt: 'once' }],
    ['completions', { prompt: [1, 2, 3] }],
    [
      'messages',
      {
        max_tokens: 1,
        system: [said],
        messages: [user('hi'), { role: 'assistant', content: [{ type: 'thinking', thinking: 'x' }, said] }, user([said])],
      },
    ],
    ['responses', { input: 'hi', store: false }],
    ['responses', { input: [user([{ type: 'input_text', text: 'hi' }])], store: false, instructions: 'x' }],
    [
      'responses',
      {
        input: [
          { type: 'message', role: 'user', content: 'hi' },
          { type: 'reasoning', id: 'r', encrypted_content: 'x' },
        ],
        store: false,
      },
    ],
    ['embeddings', { input: 'hi' }],
    ['embeddings', { input: ['a', 'b'], n: 5 }],
    ['embeddings', { input: [[1, 2], [3]] }],
    ['rerank', { query: 'a', documents: ['b'] }],
  ])('%s %j', (endpoint, body) => expect(reason(endpoint, body)).toBeUndefined())
})

describe('left alone, and why', () => {
  test.each<[string, ModelEndpoint, Draft]>([
    ['many-answers', 'chat/completions', chat({ n: 2 })],
    ['many-answers', 'chat/completions', chat({ n: '1' })],
    ['many-answers', 'completions', { prompt: ['a', 'b'] }],
    ['many-answers', 'completions', { prompt: [[1], [2]] }],
    ['tools', 'chat/completions', chat({ tools: [tool] })],
    ['tools', 'chat/completions', chat({ functions: [{ name: 'f' }] })],
    ['tools', 'chat/completions', chat({ tools: [{ type: 'web_search' }] })],
    ['tools', 'chat/completions', chat({ tools: 'x' })],
    ['tools', 'chat/completions', { messages: [user('a'), { role: 'assistant', content: null, tool_calls: [call] }] }],
    ['tools', 'chat/completions', { messages: [user('a'), { role: 'assistant', function_call: { name: 'f' } }] }],
    ['tools', 'chat/completions', { messages: [user('a'), { role: 'tool', tool_call_id: 'c', content: 'x' }] }],
    ['tools', 'chat/completions', { messages: [{ role: 'function', content: 'x' }] }],
    ['tools', 'messages', { messages: [user([{ type: 'tool_result', tool_use_id: 't', content: 'x' }])] }],
    ['tools', 'messages', { messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 't' }] }] }],
    ['tools', 'responses', { input: [{ type: 'function_call_output', call_id: 'c', output: 'x' }], store: false }],
    ['content', 'chat/completions', part(said, picture)],
    ['content', 'chat/completions', part({ type: 'input_audio', input_audio: {} })],
    ['content', 'chat/completions', part({ type: 'file', file: { file_id: 'x' } })],
    ['content', 'chat/completions', chat({ modalities: ['text', 'audio'] })],
    ['content', 'chat/completions', chat({ audio: { voice: 'x' } })],
    ['content', 'chat/completions', { messages: [user('a'), { role: 'assistant', content: 'b', audio: { id: 'x' } }] }],
    ['content', 'messages', { messages: [user([{ type: 'document', source: {} }])] }],
    ['content', 'messages', { messages: [user('hi')], system: 5 }],
    ['content', 'responses', { input: [user([{ type: 'input_file', file_id: 'x' }])], store: false }],
    ['content', 'responses', { input: [user([{ type: 'input_image', file_id: 'x' }])], store: false }],
    ['content', 'embeddings', { input: [{ image: 'x' }] }],
    ['content', 'embeddings', {}],
    ['operation', 'embeddings', { input: 'hi', stream: true }],
    ['sampling', 'chat/completions', chat({ temperature: 0.7 })],
    ['sampling', 'chat/completions', chat({ temperature: 1 })],
    ['sampling', 'chat/completions', chat({ temperature: '0' })],
    ['sampling', 'messages', { messages: [user('hi')], temperature: 1 }],
    ['server-state', 'chat/completions', chat({ store: true })],
    ['server-state', 'chat/completions', chat({ web_search_options: { search_context_size: 'low' } })],
    ['server-state', 'chat/completions', chat({ plugins: [{ id: 'web' }] })],
    ['server-state', 'chat/completions', chat({ data_sources: [{}] })],
    ['server-state', 'messages', { messages: [user('hi')], mcp_servers: [{}] }],
    ['server-state', 'messages', { messages: [user('hi')], container: 'c' }],
    [
      'server-state',
      'messages',
      { messages: [{ role: 'assistant', content: [{ type: 'server_tool_use', id: 's' }] }, user('x')] },
    ],
    ['server-state', 'responses', { input: 'hi' }],
    ['server-state', 'responses', { input: 'hi', store: true }],
    ['server-state', 'responses', { input: 'hi', store: null }],
    ['server-state', 'responses', { input: 'hi', store: false, previous_response_id: 'r' }],
    ['server-state', 'responses', { input: 'hi', store: false, conversation: { id: 'c' } }],
    ['server-state', 'responses', { input: 'hi', store: false, background: true }],
    ['server-state', 'responses', { prompt: { id: 'p' }, store: false }],
    ['server-state', 'responses', { input: [{ type: 'item_reference', id: 'i' }], store: false }],
    ['server-state', 'responses', { input: [{ type: 'reasoning', id: 'r' }], store: false }],
    ['operation', 'images/generations', { prompt: 'a cat' }],
    ['operation', 'audio/speech', { input: 'hi' }],
    ['operation', 'audio/transcriptions', { file: 'x' }],
    ['operation', 'moderations', { input: 'hi' }],
  ])('%s: %s %j', (why, endpoint, body) => expect(reason(endpoint, body)).toBe(why))

  test.each<[string, ModelEndpoint, unknown]>(
    ['chat/completions', 'messages'].flatMap((endpoint) =>
      [
        undefined,
        null,
        'x',
        5,
        {},
        [],
        [null],
        [5],
        ['x'],
        [[]],
        [{}],
        [user(undefined)],
        [user(5)],
        [user({})],
        [user([null])],
        [user([5])],
        [user([{}])],
        [user([{ type: 5 }])],
        [user([{ type: 'toString' }])],
      ].map((messages): [string, ModelEndpoint, unknown] => ['content', endpoint as ModelEndpoint, messages]),
    ),
  )('%s: %s whose messages are %j', (why, endpoint, messages) => expect(reason(endpoint, { messages })).toBe(why))

  test('a text of parts that holds none is no text', () => {
    expect(planned(of, callOf({ request: { body: part({ type: 'text' }) } })).likeness).toBeUndefined()
  })

  test('larger bodies than are worth a key', () => {
    const small = plannerWith({ maxBodyBytes: 100 })
    const body = chat({ x: 'x'.repeat(200) })
    expect(bypassOf(small, callOf({ request: { body } }))).toBe('too-large')
    expect(bypassOf(small, callOf({ request: { body, raw: Buffer.from(JSON.stringify(body)) } }))).toBe('too-large')
    expect(bypassOf(small, callOf({ request: { body: chat() } }))).toBeUndefined()
  })

  test('calls that Switchyard makes itself', () => {
    for (const purpose of ['cascade', 'shadow', 'judge', 'embedding', 'probe'])
      expect(bypassOf(of, callOf({ attributes: { purpose } }))).toBe('own-call')
  })

  test('whatever a body holds, there is a key or a reason', () => {
    const shapes = fc.record(
      {
        messages: fc.oneof(
          fc.anything(),
          fc.array(
            fc.oneof(
              fc.anything(),
              fc.record(
                {
                  role: fc.oneof(fc.constant('user'), fc.anything()),
                  content: fc.oneof(
                    fc.anything(),
                    fc.array(fc.record({ type: fc.oneof(fc.constant('text'), fc.anything()), text: fc.anything() })),
                  ),
                },
                { requiredKeys: [] },
              ),
            ),
          ),
        ),
        input: fc.anything(),
        prompt: fc.anything(),
        tools: fc.anything(),
        system: fc.anything(),
        n: fc.anything(),
        temperature: fc.anything(),
        stream_options: fc.anything(),
        metadata: fc.anything(),
        store: fc.constantFrom(false, undefined, 5),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.constantFrom(...MODEL_ENDPOINTS), shapes, fc.boolean(), (endpoint, body, stream) => {
        const plan = of.plan(callOf({ request: { endpoint, body: body as Draft, stream } }))
        expect('key' in plan || 'bypass' in plan).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('what a route may open', () => {
  test('tools, by equal requests only, and never those that the provider runs', () => {
    const open = plannerWith({ tools: true })
    const plan = planned(open, callOf({ request: { body: chat({ tools: [tool] }) } }))
    expect(plan.likeness).toBeUndefined()
    expect(planned(open, callOf({ request: { body: chat() } })).likeness).toBeDefined()
    expect(
      planned(open, callOf({ request: { body: { messages: [user('a'), { role: 'tool', content: 'x' }, user('b')] } } }))
        .likeness,
    ).toBeUndefined()
    expect(reason('chat/completions', chat({ tools: [{ type: 'web_search_preview' }] }), { tools: true })).toBe('server-state')
    expect(
      reason('messages', { messages: [user('hi')], tools: [{ name: 'f', input_schema: {} }] }, { tools: true }),
    ).toBeUndefined()
    expect(
      reason('messages', { messages: [user('hi')], tools: [{ type: 'web_search_20250305', name: 'w' }] }, { tools: true }),
    ).toBe('server-state')
  })

  test('images that are in the request, never those behind a URL', () => {
    const open = { images: true }
    expect(reason('chat/completions', part(said, picture), open)).toBeUndefined()
    expect(reason('chat/completions', part(said, { type: 'image_url', image_url: { url: 'https://a/b.png' } }), open)).toBe(
      'content',
    )
    expect(
      reason('messages', { messages: [user([{ type: 'image', source: { type: 'base64', data: 'AA' } }])] }, open),
    ).toBeUndefined()
    expect(reason('messages', { messages: [user([{ type: 'image', source: { type: 'url', url: 'https://a' } }])] }, open)).toBe(
      'content',
    )
    expect(
      reason(
        'responses',
        { input: [user([{ type: 'input_image', image_url: 'data:image/png;base64,AA' }])], store: false },
        open,
      ),
    ).toBeUndefined()
    expect(planned(plannerWith(open), callOf({ request: { body: part(said, picture) } })).likeness).toBeUndefined()
  })

  test.each<[ModelInput['sampling'], (string | undefined)[]]>([
    ['zero', [undefined, 'sampling', 'sampling', undefined]],
    ['zero-or-unset', [undefined, undefined, 'sampling', undefined]],
    ['any', [undefined, undefined, undefined, undefined]],
  ])('sampling %s', (sampling, expected) => {
    const asked = [{ temperature: 0 }, {}, { temperature: 0.5 }, { temperature: 0.5, seed: 1 }]
    expect(asked.map((more) => reason('chat/completions', chat(more), { sampling }))).toEqual(expected)
  })

  test('responses that the provider stores', () => {
    expect(reason('responses', { input: 'hi' }, { serverState: true })).toBeUndefined()
    expect(reason('responses', { input: 'hi', previous_response_id: 'r' }, { serverState: true })).toBe('server-state')
  })

  test('the first route that matches counts, and what it leaves out is as beside', () => {
    const routes: ModelInput = {
      ttlMs: 5_000,
      routes: [
        { name: 'off', match: { models: ['secret-*'] }, off: true },
        {
          name: 'faq',
          match: { models: ['support-*', '*-faq'], endpoints: ['chat/completions'] },
          ttlMs: 1_000,
          epsilon: 0.03,
          maxTurns: 1,
        },
        { name: 'vectors', match: { endpoints: ['embeddings'] }, ttlMs: 9_000 },
      ],
    }
    const planner = plannerWith(routes)
    const plan = (model: string, endpoint: ModelEndpoint = 'chat/completions', body: Draft = chat()) =>
      planner.plan(callOf({ request: { model, endpoint, body } }))
    expect(plan('secret-1')).toEqual({ bypass: 'off' })
    expect(plan('support-de')).toMatchObject({ ttlMs: 1_000, likeness: { epsilon: 0.03, population: 'acme/route:faq' } })
    expect(plan('a-faq')).toMatchObject({ ttlMs: 1_000 })
    expect(plan('faq')).toMatchObject({ ttlMs: 5_000, likeness: { epsilon: undefined, population: 'acme/model:faq' } })
    expect(plan('support-de', 'messages')).toMatchObject({ ttlMs: 5_000 })
    expect(plan('e', 'embeddings', { input: 'x' })).toMatchObject({ ttlMs: 9_000, likeness: undefined })
    const two = { messages: [user('a'), { role: 'assistant', content: 'b' }, user('c')] }
    expect(plan('support-de', 'chat/completions', two)).toMatchObject({ likeness: undefined })
  })
})

describe('likeness', () => {
  const likeness = (body: Draft, options: ModelInput = {}, endpoint: ModelEndpoint = 'chat/completions') =>
    planned(plannerWith(options), callOf({ request: { endpoint, body } })).likeness

  test('looks at the text that the user said last', () => {
    expect(likeness(chat())).toEqual({
      text: 'hi',
      population: 'acme/model:m',
      earlierTurns: false,
      shared: false,
      epsilon: undefined,
    })
    expect(likeness(part(said, { type: 'text', text: 'ho' }))?.text).toBe('hi\nho')
    expect(likeness({ input: ' hi ', store: false }, {}, 'responses')?.text).toBe('hi')
    expect(likeness({ prompt: 'once ' }, {}, 'completions')?.text).toBe('once '.trim())
    expect(likeness({ messages: [user([said])] }, {}, 'messages')?.text).toBe('hi')
  })

  test('tells of earlier turns, of which the system’s are none', () => {
    expect(likeness({ messages: [{ role: 'system', content: 'x' }, user('a')] })?.earlierTurns).toBe(false)
    expect(likeness({ messages: [user('a'), { role: 'assistant', content: 'x' }, user('b')] })?.earlierTurns).toBe(true)
  })

  test.each<[string, Draft, ModelInput]>([
    ['nothing was said', { messages: [user('  ')] }, {}],
    ['the last turn is the assistant’s', { messages: [user('a'), { role: 'assistant', content: 'b' }] }, {}],
    ['there are too many turns', { messages: [user('a'), user('b'), user('c'), user('d')] }, {}],
    ['no error is allowed', chat(), { epsilon: 0 }],
  ])('is not asked where %s', (_, body, options) => expect(likeness(body, options)).toBeUndefined())

  test('says with whom answers are shared', () => {
    expect(likeness(chat(), { scope: 'tenant' })?.shared).toBe(true)
    expect(likeness(chat(), { scope: 'public' })).toMatchObject({ shared: true, population: '*/model:m' })
  })
})
