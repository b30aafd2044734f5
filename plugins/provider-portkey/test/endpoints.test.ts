import type { Call, ModelEndpoint, ModelProvider, ModelReply, ModelRequest } from '@switchyard/contract'
import { type StartedPlugin, startPlugin, systemClock } from '@switchyard/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type PortkeyInput, portkey } from '../src/index.ts'
import { type Stub, startStub } from './support/stub.ts'

let stub: Stub
let started: StartedPlugin | undefined
beforeEach(async () => {
  stub = await startStub({ body: '{"choices":[{"message":{"content":"x"}}],"data":[],"output":[],"results":[],"content":[]}' })
})
afterEach(async () => {
  await started?.close()
  started = undefined
  await stub.close()
})

async function start(input: PortkeyInput): Promise<ModelProvider> {
  await started?.close()
  const plugin = portkey({ baseUrl: `${stub.origin}/v1`, egress: { allow: ['127.0.0.0/8'] }, ...input })
  started = await startPlugin(plugin, { clock: systemClock() })
  return started.ports.model as ModelProvider
}

const messages = [{ role: 'user', content: 'Hi' }]
const BODIES: Readonly<Record<ModelEndpoint, Record<string, unknown>>> = {
  'chat/completions': { messages },
  completions: { prompt: 'x' },
  responses: { input: 'Hi' },
  messages: { messages, max_tokens: 5 },
  embeddings: { input: 'x' },
  rerank: { query: 'x', documents: ['y'] },
  moderations: { input: 'x' },
  'images/generations': { prompt: 'x' },
  'audio/speech': { input: 'x', voice: 'v' },
  'audio/transcriptions': { file: 'x' },
}

function ask(endpoint: ModelEndpoint, model: string, fields: Record<string, unknown> = {}, headers = {}): ModelRequest {
  const body: Record<string, unknown> = { model, ...BODIES[endpoint], ...fields }
  return { endpoint, model, body, stream: body.stream === true, headers }
}

const on: PortkeyInput = {
  providers: {
    openai: {},
    claude: { slug: 'anthropic' },
    gem: { slug: 'google' },
    vertex: { slug: 'vertex-ai' },
    groq: {},
    cohere: {},
    jina: {},
    together: { slug: 'together-ai' },
    moon: { slug: 'moonshot' },
    ai21: {},
    io: { slug: 'iointelligence' },
    lemon: { slug: 'lemonfox-ai' },
    mine: { slug: 'openai', customHost: 'http://vllm.example/v1' },
    own: { slug: 'openai', endpoints: ['chat/completions', 'messages'] },
    stored: { virtualKey: 'vk-of-the-operator' },
  },
}

describe('what Portkey does not adapt for a provider, and what it would drop, goes nowhere', () => {
  test.each<[ModelEndpoint, string]>([
    ['completions', 'gem/m'],
    ['embeddings', 'claude/m'],
    ['messages', 'jina/m'],
    ['responses', 'jina/m'],
    ['images/generations', 'claude/m'],
    ['audio/speech', 'gem/m'],
    ['audio/transcriptions', 'gem/m'],
    ['audio/transcriptions', 'lemon/m'],
    ['moderations', 'claude/m'],
    ['rerank', 'openai/m'],
    ['embeddings', 'own/m'],
    ['rerank', 'own/m'],
  ])('%s of %s', async (endpoint, model) => {
    const provider = await start(on)
    await expect(provider.invoke(ask(endpoint, model), {})).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    expect(stub.seen).toEqual([])
  })

  test.each<[ModelEndpoint, string, Record<string, unknown>, string | undefined]>([
    ['messages', 'claude/m', { output_config: { effort: 'low' } }, 'output_config'],
    ['messages', 'claude/m', { x_unknown: true }, 'x_unknown'],
    ['responses', 'openai/m', { context_management: [{ type: 'compaction' }] }, 'context_management'],
    ['images/generations', 'openai/m', { stream: true }, 'stream'],
    ['images/generations', 'openai/m', { output_format: 'png' }, 'output_format'],
    ['audio/speech', 'groq/m', { instructions: 'softly' }, 'instructions'],
    ['audio/speech', 'openai/m', { stream_format: 'sse' }, 'stream_format'],
    ['completions', 'together/m', { suffix: 's' }, 'suffix'],
    ['completions', 'together/m', { n: 2 }, 'n'],
    ['completions', 'ai21/m', { stream: true }, 'stream'],
    ['chat/completions', 'ai21/m', { stream: true }, 'stream'],
    ['chat/completions', 'moon/m', { stop: ['x'] }, 'stop'],
    ['messages', 'moon/m', { stop_sequences: ['x'] }, 'stop'],
    ['messages', 'moon/m', { tools: [{ name: 't', input_schema: { type: 'object' } }] }, 'tools'],
    ['responses', 'claude/m', { text: { format: { type: 'json_schema', name: 'x', schema: {} } } }, 'output_config'],
    ['messages', 'gem/m', { top_k: 3 }, 'top_k'],
    ['responses', 'gem/m', { previous_response_id: 'r' }, 'previous_response_id'],
    ['embeddings', 'openai/m', { stream: true }, undefined],
    ['rerank', 'cohere/m', { stream: true }, undefined],
  ])('%s of %s with %j', async (endpoint, model, fields, param) => {
    const provider = await start(on)
    const details = param === undefined ? {} : { details: { param } }
    await expect(provider.invoke(ask(endpoint, model, fields), {})).rejects.toMatchObject({ code: 'UNSUPPORTED', ...details })
    expect(stub.seen).toEqual([])
  })

  test.each<[ModelEndpoint, string, Record<string, unknown>]>([
    ['messages', 'claude/m', { output_config: {}, context_management: null, cache_control: { type: 'ephemeral' } }],
    ['completions', 'together/m', { n: 1, best_of: 1, echo: false, user: 'u', seed: null }],
    ['images/generations', 'openai/m', { stream: false }],
    ['chat/completions', 'moon/m', { stop: null }],
  ])('%s of %s loses nothing of %j', async (endpoint, model, fields) => {
    await (await start(on)).invoke(ask(endpoint, model, fields), {})
    expect(stub.seen).toHaveLength(1)
  })

  test('is sent all the same where the operator allows it', async () => {
    const provider = await start({ ...on, allowDroppedParameters: true })
    await provider.invoke(ask('messages', 'claude/m', { output_config: { effort: 'low' } }), {})
    expect(stub.seen).toHaveLength(1)
    await expect(provider.invoke(ask('embeddings', 'openai/m', { stream: true }), {})).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    })
  })

  test('a client cannot name the provider whose adapter ends Portkey', async () => {
    const config = { 'x-portkey-config': '{"provider":"oracle"}' }
    const provider = await start(on)
    await expect(provider.invoke(ask('chat/completions', 'm', {}, config), {})).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    for (const input of [{ providers: { oracle: {} } }, { apiKey: 'pk' }])
      await (await start(input)).invoke(ask('chat/completions', 'oracle/m'), {})
    expect(stub.seen).toHaveLength(2)
  })
})

describe('where a request goes', () => {
  test.each<[ModelEndpoint, string, string]>([
    ['messages', 'claude/m', '/v1/messages'],
    ['messages', 'vertex/claude-x', '/v1/messages'],
    ['messages', 'vertex/gemini-x', '/v1/chat/completions'],
    ['messages', 'openai/m', '/v1/chat/completions'],
    ['messages', 'own/m', '/v1/messages'],
    ['messages', 'stored/m', '/v1/chat/completions'],
    ['responses', 'openai/m', '/v1/responses'],
    ['responses', 'claude/m', '/v1/messages'],
    ['responses', 'vertex/gemini-x', '/v1/chat/completions'],
    ['responses', 'io/m', '/v1/chat/completions'],
    ['responses', 'gem/m', '/v1/chat/completions'],
    ['chat/completions', 'claude/m', '/v1/chat/completions'],
    ['completions', 'together/m', '/v1/completions'],
    ['images/generations', 'openai/m', '/v1/images/generations'],
    ['audio/speech', 'groq/m', '/v1/audio/speech'],
    ['audio/transcriptions', 'groq/m', '/v1/audio/transcriptions'],
    ['moderations', 'openai/m', '/v1/moderations'],
    ['rerank', 'jina/m', '/v1/rerank'],
    ['rerank', 'cohere/m', '/v1/v2/rerank'],
    ['rerank', 'together/m', '/v1/v1/rerank'],
    ['rerank', 'mine/m', '/v1/rerank'],
    ['moderations', 'stored/m', '/v1/moderations'],
  ])('%s of %s: %s', async (endpoint, model, path) => {
    await (await start(on)).invoke(ask(endpoint, model), {})
    expect(stub.seen.map((seen) => [seen.path, seen.body?.model])).toEqual([[path, model.replace(/^\w+\//, '')]])
  })

  test.each<[PortkeyInput, Record<string, string>, ModelEndpoint, string]>([
    [{ apiKey: 'pk' }, {}, 'messages', '/v1/chat/completions'],
    [{ config: 'pc-1' }, {}, 'responses', '/v1/chat/completions'],
    [{ config: { provider: 'anthropic' } }, {}, 'responses', '/v1/messages'],
    [on, { 'x-portkey-config': '{"provider":"anthropic"}' }, 'messages', '/v1/messages'],
    [
      on,
      { 'x-portkey-config': '{"strategy":{"mode":"fallback"},"targets":[{"provider":"anthropic"},{"provider":"openai"}]}' },
      'messages',
      '/v1/chat/completions',
    ],
  ])('with %j and %j, %s goes to %s', async (input, headers, endpoint, path) => {
    await (await start(input)).invoke(ask(endpoint, '@team/m', {}, headers), {})
    expect(stub.seen.map((seen) => seen.path)).toEqual([path])
  })

  test('by no way where a config’s providers have none in common', async () => {
    const targets = [{ provider: 'cohere' }, { provider: 'jina' }]
    const headers = { 'x-portkey-config': JSON.stringify({ strategy: { mode: 'fallback' }, targets }) }
    await expect((await start(on)).invoke(ask('rerank', 'm', {}, headers), {})).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('cohere, jina'),
    })
    expect(stub.seen).toEqual([])
  })

  test('a form goes with its own content type, its model by the provider’s name', async () => {
    const raw = Buffer.from('--x\r\nContent-Disposition: form-data; name="model"\r\n\r\ngroq/whisper\r\n--x--\r\n')
    const headers = { 'content-type': 'multipart/form-data; boundary=x' }
    await (await start(on)).invoke({ ...ask('audio/transcriptions', 'groq/whisper', {}, headers), raw }, {})
    expect(stub.seen[0]?.headers['content-type']).toBe(headers['content-type'])
    expect(Number(stub.seen[0]?.headers['content-length'])).toBe(raw.length - 'groq/'.length)
  })

  test('a translated chat has its output limit by a name that Portkey hands on', async () => {
    const provider = await start({ providers: { openai: {}, zhipu: {} } })
    for (const model of ['openai/m', 'zhipu/m']) await provider.invoke(ask('messages', model), {})
    const limits = stub.seen.map(({ body }) => [body?.max_completion_tokens, body?.max_tokens])
    expect(limits).toEqual([
      [5, undefined],
      [undefined, 5],
    ])
  })
})

describe('the endpoints that it declares', () => {
  test.each<[string, PortkeyInput, readonly ModelEndpoint[] | number]>([
    [
      'of Claude',
      { providers: { claude: { slug: 'anthropic' } } },
      ['chat/completions', 'completions', 'responses', 'messages'],
    ],
    ['of a reranker', { providers: { jina: {} } }, ['embeddings', 'rerank']],
    ['of both', { providers: { jina: {}, anthropic: {} } }, 6],
    ['of what the operator says', { providers: { x: { slug: 'openai', endpoints: ['embeddings'] } } }, ['embeddings']],
    ['of a config', { config: { provider: 'jina' } }, ['embeddings', 'rerank']],
    ['of a saved config', { config: 'pc-1' }, 10],
    ['of hosted Portkey', { apiKey: 'pk', providers: { jina: {} } }, 10],
    ['of whoever clients bring a key for', { allowClientKeys: true, providers: { jina: {} } }, 10],
    ['of nobody yet', {}, 10],
  ])('%s', async (_, input, endpoints) => {
    const { capabilities } = await start(input)
    expect(typeof endpoints === 'number' ? capabilities.endpoints.length : capabilities.endpoints).toEqual(endpoints)
  })

  test('are all that it serves, though a client’s config names another provider', async () => {
    const provider = await start({ providers: { jina: {} } })
    const headers = { 'x-portkey-config': '{"provider":"openai"}' }
    for (const endpoint of ['chat/completions', 'constructor' as ModelEndpoint]) {
      const request = { ...ask('chat/completions', 'm', {}, headers), endpoint: endpoint as ModelEndpoint }
      await expect(provider.invoke(request, {})).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    }
    expect(stub.seen).toEqual([])
  })
})

describe('a translated reply', () => {
  const events = { 'content-type': 'text/event-stream' }
  const chunk = (fields: object): string =>
    `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta: {}, ...fields }] })}\n\n`

  test('that is cut is truncated, and never looks finished', async () => {
    const provider = await start(on)
    stub.answer = { headers: events, body: chunk({ delta: { role: 'assistant', content: 'Hello' } }) }
    for (const endpoint of ['messages', 'responses'] as const) {
      const reply = await provider.invoke(ask(endpoint, 'gem/m', { stream: true }), {})
      let seen = ''
      const read = async (): Promise<void> => {
        for await (const part of reply.body as AsyncIterable<Uint8Array>) seen += Buffer.from(part).toString()
      }
      await expect(read()).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
      expect(seen).toContain('Hello')
      expect(seen).not.toMatch(/message_stop|response\.completed/)
      expect((await reply.ended).outcome).toBe('truncated')
    }
  })

  test('of a provider that never sends [DONE] is complete at its finish reason', async () => {
    const provider = await start(on)
    const usage = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 }
    const counted = `data: ${JSON.stringify({ choices: [], usage })}\n\n`
    stub.answer = { headers: events, body: chunk({ delta: { content: 'x' } }) + chunk({ finish_reason: 'length' }) + counted }
    const reply = await provider.invoke(ask('messages', 'gem/m', { stream: true }), {})
    let seen = ''
    for await (const part of reply.body as AsyncIterable<Uint8Array>) seen += Buffer.from(part).toString()
    expect(seen).toMatch(/"stop_reason":"max_tokens".*"output_tokens":2[\s\S]*event: message_stop/)
    expect(await reply.ended).toMatchObject({ outcome: 'complete', finishReason: 'max_tokens', usage: { inputTokens: 10 } })
    expect(stub.seen[0]?.body).toMatchObject({ stream_options: { include_usage: true } })
  })

  test('asks for no usage where the operator says so', async () => {
    const provider = await start({ ...on, includeUsage: false })
    stub.answer = { headers: events, body: `${chunk({ delta: { content: 'x' }, finish_reason: 'stop' })}data: [DONE]\n\n` }
    const reply = await provider.invoke(ask('messages', 'openai/m', { stream: true }), {})
    for await (const _ of reply.body as AsyncIterable<Uint8Array>);
    expect(stub.seen[0]?.body).not.toHaveProperty('stream_options')
  })

  test('books the cache of a provider by its rule', async () => {
    const provider = await start(on)
    const usage = { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 2 }
    stub.answer = { body: JSON.stringify({ content: [{ type: 'text', text: 'x' }], stop_reason: 'end_turn', usage }) }
    const reply = await provider.invoke(ask('responses', 'claude/m'), {})
    expect(await reply.ended).toMatchObject({ usage: { inputTokens: 15, cacheReadTokens: 5 }, finishReason: 'completed' })
    expect(JSON.parse(Buffer.from(reply.body as Uint8Array).toString()).usage).toMatchObject({ input_tokens: 15 })
  })

  test('is told in the trace, with the hints that were left out', async () => {
    await start(on)
    const decisions: unknown[] = []
    const trace = { decide: (...decision: unknown[]) => decisions.push(decision) }
    const serve = started?.serves['model.invoke'] as (call: Call<'model.invoke'>) => Promise<ModelReply>
    stub.answer = { body: '{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}' }
    const system = [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }]
    for (const fields of [{}, { system }])
      await serve({ request: ask('messages', 'gem/m', fields), trace } as unknown as Call<'model.invoke'>)
    expect(decisions).toEqual([
      ['provider-portkey', 'translated messages to chat/completions', undefined],
      ['provider-portkey', 'translated messages to chat/completions', { leftOut: ['system[0].cache_control'] }],
    ])
  })
})

test.each(['<html>', '{"html-message":"<html>"}', '{"error":{"message":"no"}}', '{}'])(
  '%s in a 200 is no success of any endpoint',
  async (body) => {
    const provider = await start(on)
    stub.answer = { body }
    for (const [endpoint, model] of [
      ['messages', 'claude/m'],
      ['messages', 'openai/m'],
      ['responses', 'openai/m'],
      ['moderations', 'openai/m'],
      ['rerank', 'cohere/m'],
      ['images/generations', 'openai/m'],
    ] as const) {
      await expect(provider.invoke(ask(endpoint, model), {})).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
    }
  },
)
