import type { Call, ModelProvider, ModelReply, ModelRequest } from '@switchyard/contract'
import { type StartedPlugin, startPlugin, systemClock } from '@switchyard/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type PortkeyInput, portkey } from '../src/index.ts'
import { type Stub, startStub } from './support/stub.ts'

let stub: Stub
let started: StartedPlugin | undefined
beforeEach(async () => {
  stub = await startStub()
})
afterEach(async () => {
  await started?.close()
  started = undefined
  await stub.close()
})

async function start(input: PortkeyInput): Promise<ModelProvider> {
  const plugin = portkey({ baseUrl: `${stub.origin}/v1`, egress: { allow: ['127.0.0.0/8'] }, ...input })
  started = await startPlugin(plugin, { clock: systemClock() })
  return started.ports.model as ModelProvider
}

function chat(model: string, fields: Record<string, unknown> = {}, headers: Record<string, string> = {}): ModelRequest {
  const body = { model, messages: [{ role: 'user', content: 'Hi' }], ...fields }
  return { endpoint: 'chat/completions', model, body, stream: fields.stream === true, headers }
}

async function text(reply: ModelReply): Promise<string> {
  let all = ''
  for await (const chunk of reply.body as AsyncIterable<Uint8Array>) all += Buffer.from(chunk).toString()
  return all
}

const on = {
  providers: { openai: { apiKey: 'operator-key-1' }, moon: { slug: 'moonshot' }, anthropic: {}, gem: { slug: 'google' } },
}
const EVIL = 'http://evil.example'

describe("a client's config", () => {
  test.each<[string, object]>([
    ['a host', { custom_host: EVIL }],
    ['a host, as Portkey also reads it', { retry: { attempts: 1 }, customHost: EVIL }],
    ['a host in a target', { strategy: { mode: 'single' }, targets: [{ provider: 'openai', api_key: 'k', customHost: EVIL }] }],
    ['a host in a list in a list', { targets: [[{ customHost: EVIL }]] }],
    ['a guardrail that posts the request anywhere', { input_guardrails: [{ 'default.webhook': { webhookURL: EVIL } }] }],
    ['a hook', { before_request_hooks: [{ type: 'guardrail' }] }],
    ['headers to forward', { forward_headers: ['authorization'] }],
    ['headers to forward, in camel case', { forwardHeaders: ['authorization'] }],
    ['a cache that knows no tenants', { cache: { mode: 'simple' } }],
    ['a key', { provider: 'openai', api_key: 'k' }],
    ['a stored credential', { virtual_key: 'v' }],
    ['a secret', { targets: [{ aws_secret_access_key: 'x' }] }],
    ['a region', { vertexRegion: 'x.evil/' }],
    ['a resource name', { resource_name: 'x.evil/' }],
    ['a service account', { vertex_service_account_json: {} }],
    ['what nobody knows yet', { tomorrow: 1 }],
    ['a prototype', JSON.parse('{"__proto__":{"custom_host":"x"}}')],
  ])('that names %s is FORBIDDEN, and nothing is sent', async (_, config) => {
    const provider = await start(on)
    const headers = { 'x-portkey-config': JSON.stringify(config) }
    await expect(provider.invoke(chat('openai/m', {}, headers), {})).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(stub.seen).toEqual([])
  })

  test.each<[string, object]>([
    ['retries', { retry: { attempts: 2, on_status_codes: [500], use_retry_after_header: true } }],
    ['a strategy', { strategy: { mode: 'fallback', on_status_codes: [429] }, targets: [{ provider: 'openai', weight: 1 }] }],
    [
      'conditions, and parameters of any name',
      {
        // biome-ignore lint/suspicious/noThenProperty: Portkey's own name
        strategy: { mode: 'conditional', conditions: [{ query: { 'metadata.api_key': 'x' }, then: 'a' }], default: 'a' },
        targets: [{ name: 'a', overrideParams: { custom_host: 'a parameter' } }],
      },
    ],
    ['a timeout', { requestTimeout: 5, strictOpenAiCompliance: false }],
  ])('of %s goes on as it came', async (_, config) => {
    const provider = await start(on)
    const sent = JSON.stringify(config)
    await provider.invoke(chat('openai/m', {}, { 'x-portkey-config': sent }), {})
    expect(stub.seen[0]?.headers['x-portkey-config']).toBe(sent)
  })

  test('may bring a key where clients may', async () => {
    const provider = await start({ ...on, allowClientKeys: true })
    const bring = (config: object): Promise<ModelReply> =>
      provider.invoke(chat('m', {}, { 'x-portkey-config': JSON.stringify(config) }), {})
    await bring({ provider: 'openai', api_key: 'k' })
    await bring({ provider: 'openai', apiKey: 'k' })
    expect(stub.seen).toHaveLength(2)
    await expect(bring({ provider: 'openai', api_key: 'k', custom_host: EVIL })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  test.each(['not json', '{broken', '[]', ''])('%j is INVALID_REQUEST', async (config) => {
    const provider = await start(on)
    await expect(provider.invoke(chat('openai/m', {}, { 'x-portkey-config': config }), {})).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    })
    expect(stub.seen).toEqual([])
  })

  test('is refused as a whole where the operator says so', async () => {
    const provider = await start({ ...on, allowClientConfig: false })
    await expect(provider.invoke(chat('openai/m', {}, { 'x-portkey-config': '{}' }), {})).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
  })

  test("that Portkey refuses is the client's to mend", async () => {
    const provider = await start(on)
    stub.answer = { status: 400, body: '{"status":"failure","message":"Invalid config passed operator-key-1"}' }
    const own = provider.invoke(chat('openai/m', {}, { 'x-portkey-config': '{}' }), {})
    await expect(own).rejects.toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringContaining('[redacted]') })
    await expect(provider.invoke(chat('openai/m'), {})).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('by its id goes to hosted Portkey only', async () => {
    const provider = await start({ ...on, apiKey: 'pk-1' })
    await provider.invoke(chat('openai/m', {}, { 'x-portkey-config': 'pc-1' }), {})
    expect(stub.seen[0]?.headers['x-portkey-config']).toBe('pc-1')
  })
})

describe("a client's other headers", () => {
  test('x-portkey-custom-host is FORBIDDEN', async () => {
    const provider = await start(on)
    await expect(provider.invoke(chat('openai/m', {}, { 'x-portkey-custom-host': EVIL }), {})).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    expect(stub.seen).toEqual([])
  })

  test('stay here, but for correlation and those that the operator forwards, in any case of letters', async () => {
    const provider = await start({ ...on, forwardHeaders: ['X-Tenant-Hint'] })
    const headers = {
      authorization: 'Bearer client',
      cookie: 'a=b',
      'x-portkey-cache-force-refresh': 'true',
      'x-portkey-forward-headers': 'authorization',
      'x-portkey-azure-resource-name': 'evil',
      'x-portkey-aws-region': 'evil',
      'x-portkey-api-key': 'client',
      'x-tenant-hint': 'blue',
      'x-portkey-trace-id': 't-1',
      'x-portkey-span-id': 's-1',
      'x-portkey-metadata': '{}',
    }
    await provider.invoke(chat('openai/m', {}, headers), {})
    const seen = stub.seen[0]?.headers ?? {}
    expect(seen).toMatchObject({
      authorization: 'Bearer operator-key-1',
      'x-tenant-hint': 'blue',
      'x-portkey-forward-headers': 'x-tenant-hint',
      'x-portkey-trace-id': 't-1',
      'x-portkey-span-id': 's-1',
      'x-portkey-metadata': '{}',
    })
    const closed = ['cookie', 'cache-force-refresh', 'azure-resource-name', 'aws-region', 'api-key', 'retry-count', 'cache']
    for (const name of closed) expect(Object.keys(seen)).not.toContain(name.includes('cookie') ? name : `x-portkey-${name}`)
  })

  test('a key goes on only where clients may bring one, and only with a choice of provider', async () => {
    const provider = await start({ allowClientKeys: true })
    const key = { authorization: 'Bearer client' }
    await provider.invoke(chat('groq/m', {}, { ...key, 'x-portkey-provider': 'groq' }), {})
    expect(stub.seen[0]?.headers).toMatchObject({ authorization: 'Bearer client', 'x-portkey-provider': 'groq' })
    await expect(provider.invoke(chat('groq/m', {}, key), {})).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(provider.invoke(chat('groq/m', {}, { 'x-portkey-provider': 'groq' }), {})).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(stub.seen).toHaveLength(1)
  })
})

describe('models', () => {
  test.each<[string, PortkeyInput, string, string, string | undefined]>([
    ['of a provider that is on go by their bare name', on, 'openai/a/b', 'a/b', 'openai'],
    ['of any provider go to hosted Portkey', { apiKey: 'pk' }, 'groq/m', 'm', 'groq'],
    ['of a stored credential keep its name', { apiKey: 'pk' }, '@team-a/m', '@team-a/m', undefined],
    ['of an operator’s config are its own', { config: 'pc-1' }, 'anything', 'anything', undefined],
  ])('%s', async (_, input, model, sent, slug) => {
    await (await start(input)).invoke(chat(model), {})
    expect(stub.seen[0]?.body?.model).toBe(sent)
    expect(stub.seen[0]?.headers['x-portkey-provider']).toBe(slug)
  })

  test.each([
    [{}, ['openai/*', 'moon/*', 'anthropic/*', 'gem/*']],
    [{ apiKey: 'pk' }, 'any'],
    [{ config: 'pc-1' }, 'any'],
  ])('with %j it serves %j', async (more, models) => {
    expect((await start({ ...on, ...more })).capabilities.models).toEqual(models)
  })

  test.each(['nope/m', 'bare', '/m', ''])('%j is served by nobody', async (model) => {
    await expect((await start(on)).invoke(chat(model), {})).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(stub.seen).toEqual([])
  })
})

describe('parameters that Portkey drops', () => {
  test.each<[string, Record<string, unknown>]>([
    ['moon/m', { tools: [] }],
    ['moon/m', { tools: null }],
    ['moon/m', { response_format: null }],
    ['moon/m', { response_format: { type: 'text' } }],
    ['anthropic/m', { tools: [{}] }],
    ['openai/m', { tools: [{}], response_format: { type: 'json_object' } }],
  ])('%s loses nothing of %j', async (model, fields) => {
    await (await start(on)).invoke(chat(model, fields), {})
    expect(stub.seen).toHaveLength(1)
  })

  test.each<[string, Record<string, unknown>]>([
    ['moon/m', { tools: [{}] }],
    ['moon/m', { tools: {} }],
    ['moon/m', { response_format: { type: 'json_object' } }],
    ['anthropic/m', { response_format: { type: 'json_schema' } }],
  ])('%s would lose %j: UNSUPPORTED, unless the operator allows it', async (model, fields) => {
    const provider = await start(on)
    await expect(provider.invoke(chat(model, fields), {})).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    expect(stub.seen).toEqual([])
    await started?.close()
    await (await start({ ...on, allowDroppedParameters: true })).invoke(chat(model, fields), {})
    expect(stub.seen).toHaveLength(1)
  })

  test('for a provider that a config names, too', async () => {
    const config = { strategy: { mode: 'fallback' }, targets: [{ provider: 'openai' }, { provider: 'moonshot' }] } as const
    const asked = chat('openai/m', { tools: [{}] }, { 'x-portkey-config': JSON.stringify(config) })
    await expect((await start(on)).invoke(asked, {})).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await started?.close()
    await expect((await start({ config })).invoke(chat('m', { tools: [{}] }), {})).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    })
    expect(stub.seen).toEqual([])
  })
})

describe('the proof that a stream is whole', () => {
  const chunk = (fields: object): string => `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, ...fields }] })}\n\n`
  const bare = chunk({ delta: { content: 'x' } }) + chunk({ finish_reason: 'stop' })
  const events = { 'content-type': 'text/event-stream' }
  const viaConfig = { 'x-portkey-config': '{"retry":{"attempts":1},"provider":"google"}' }

  test.each<[string, PortkeyInput, string, Record<string, string>]>([
    ['Gemini never sends [DONE]', on, 'gem/m', {}],
    ['nor may whatever is behind a stored credential', { apiKey: 'pk' }, '@team-a/m', {}],
    ['or behind a saved config', { config: 'pc-1' }, 'm', {}],
    ['or behind a virtual key of a name of its own', { providers: { mine: { virtualKey: 'vk-1' } } }, 'mine/m', {}],
    ['or in a config of the client', on, 'openai/m', viaConfig],
  ])('%s', async (_, input, model, headers) => {
    const provider = await start(input)
    stub.answer = { headers: events, body: bare }
    const reply = await provider.invoke(chat(model, { stream: true }, headers), {})
    expect(await text(reply)).toBe(bare)
    expect(await reply.ended).toMatchObject({ outcome: 'complete', finishReason: 'stop' })
    stub.answer = { headers: events, body: chunk({ delta: { content: 'x' } }) }
    const cut = await provider.invoke(chat(model, { stream: true }, headers), {})
    await expect(text(cut)).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
  })

  test('a provider that does send [DONE] is held to it', async () => {
    const provider = await start(on)
    stub.answer = { headers: events, body: bare }
    const reply = await provider.invoke(chat('openai/m', { stream: true }), {})
    await expect(text(reply)).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
  })
})

test.each<[string, PortkeyInput, string, number]>([
  ['anthropic leaves the cache out', on, 'anthropic/m', 15],
  ['openai has it inside', on, 'openai/m', 10],
  ['Claude at Vertex leaves it out', { providers: { 'vertex-ai': {} } }, 'vertex-ai/claude-x', 15],
  ['Gemini at Vertex has it inside', { providers: { 'vertex-ai': {} } }, 'vertex-ai/gemini-x', 10],
])('usage: %s', async (_, input, model, inputTokens) => {
  const usage = { prompt_tokens: 10, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 5 } }
  stub.answer = { body: JSON.stringify({ choices: [], usage }) }
  const reply = await (await start(input)).invoke(chat(model), {})
  expect(await reply.ended).toMatchObject({ usage: { inputTokens, cacheReadTokens: 5 } })
})

test('a redirect is not followed', async () => {
  stub.answer = { status: 307, headers: { location: '/elsewhere' } }
  await expect((await start(on)).invoke(chat('openai/m'), {})).rejects.toMatchObject({ code: 'UPSTREAM_REJECTED' })
  expect(stub.seen).toHaveLength(1)
})

test('closed, it sends nothing more', async () => {
  const provider = await start(on)
  await started?.close()
  await expect(provider.invoke(chat('openai/m'), {})).rejects.toMatchObject({ code: 'CLOSED' })
  expect(stub.seen).toEqual([])
})

describe('the trace', () => {
  const invoke = async (answer: Stub['answer']): Promise<unknown[]> => {
    await start(on)
    stub.answer = answer
    const decisions: unknown[] = []
    const trace = { decide: (...decision: unknown[]) => decisions.push(decision) }
    const serve = started?.serves['model.invoke'] as (call: Call<'model.invoke'>) => Promise<ModelReply>
    const reply = await serve({ request: chat('openai/m'), trace } as unknown as Call<'model.invoke'>)
    expect(reply.status).toBe(200)
    return decisions
  }

  test('says what Portkey did', async () => {
    const headers = { 'x-portkey-provider': 'openai', 'x-portkey-retry-attempt-count': '0', 'x-portkey-trace-id': 't' }
    expect(await invoke({ headers })).toEqual([
      ['provider-portkey', 'went through portkey', { provider: 'openai', 'retry-attempt-count': '0' }],
    ])
  })

  test('says that guardrails failed and the answer passed all the same', async () => {
    expect(await invoke({ status: 246 })).toEqual([['provider-portkey', 'passed with failed guardrails', { status: 246 }]])
  })

  test('has no word where Portkey has none', async () => {
    expect(await invoke({})).toEqual([])
  })
})

describe('a Portkey that is not well', () => {
  test.each([
    [503, 'UPSTREAM_UNAVAILABLE'],
    [200, 'CONFIG_INVALID'],
  ])('answers %i: health is %s', async (status, code) => {
    await start(on)
    stub.answer = { status }
    await expect(started?.health?.()).rejects.toMatchObject({ code })
  })

  test('whose log is closed is well', async () => {
    await start(on)
    stub.answer = { status: 404 }
    await expect(started?.health?.()).resolves.toBeUndefined()
    expect(stub.seen.map(({ path }) => path)).toEqual(['/', '/log/stream'])
  })

  test('hosted has no health of ours', async () => {
    await start({ apiKey: 'pk' })
    expect(started?.health).toBeUndefined()
  })

  test('lists what it can; all failing is a failure', async () => {
    const provider = await start({ providers: { a: {}, b: {} } })
    stub.answer = { body: '{"data":[{"id":"m"}]}' }
    expect((await provider.models()).map(({ id }) => id)).toEqual(['a/m', 'b/m'])
    stub.answer = { status: 401, body: '{"error":{"message":"no"}}' }
    await expect(provider.models()).rejects.toMatchObject({ code: 'UPSTREAM_REJECTED' })
    await expect(provider.probe({ model: 'b/m' })).rejects.toMatchObject({ code: 'UPSTREAM_REJECTED' })
    expect(stub.seen.at(-1)?.headers['x-portkey-provider']).toBe('b')
  })

  test('probes a provider by its own list of models, and nothing by Portkey’s mere answer', async () => {
    const provider = await start({ providers: { a: { apiKey: 'key-a' } } })
    stub.answer = { body: '{"data":[{"id":"m"}]}' }
    stub.seen.length = 0
    await provider.probe({ model: 'a/m' })
    expect(stub.seen.map(({ method, path, headers }) => [method, path, headers.authorization])).toEqual([
      ['GET', '/v1/models', 'Bearer key-a'],
    ])
    await expect(provider.probe({ model: 'elsewhere/m' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('"elsewhere"'),
    })
    expect(stub.seen).toHaveLength(1)
  })

  test.each<[string, PortkeyInput, boolean]>([
    ['self-hosted with providers: they list their models', { providers: { a: {} } }, true],
    ['self-hosted without', {}, false],
    ['hosted: Portkey answers by itself', { providers: { a: {} }, apiKey: 'pk' }, false],
    ['with a config: it decides who is asked', { providers: { a: {} }, config: 'pc-1' }, false],
  ])('a probe is free and says something of the provider: %s', async (_, given, free) => {
    expect((await start(given)).capabilities.freeProbe).toBe(free)
  })
})
