import { openai } from '@switchyard/provider-openai'
import { resilience } from '@switchyard/resilience'
import { type FakeUpstream, recordingLogger, startFakeUpstream } from '@switchyard/testkit'
import OpenAI from 'openai'
import { Portkey } from 'portkey-ai'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { planEmbedded, startEmbedded } from '../src/config/embedded.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'

const KEY = 'sk-switchyard-canary'
const messages = [{ role: 'user' as const, content: 'Hello' }]

/** The unmodified clients over the full embedded path: client, Switchyard, the real Portkey, the simulated upstream. */
describe('through Portkey to the demo', () => {
  let folder: TemporaryFolder
  let embedded: Awaited<ReturnType<typeof startEmbedded>>
  let gateway: TestGateway
  beforeAll(async () => {
    folder = await temporaryFolder()
    embedded = await startEmbedded({ portkey: true, demo: true, dataDir: folder.path, env: {} }, recordingLogger())
    gateway = await testGateway(embedded.plan.plugins)
  })
  afterAll(async () => {
    await gateway?.close()
    await embedded?.close()
    await folder?.remove()
  })
  // Each is to go the whole way.
  const fresh = { 'cache-control': 'no-store' }
  const client = (defaultHeaders: Record<string, string> = fresh): OpenAI =>
    new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none-needed', maxRetries: 0, defaultHeaders })

  test('chat', async () => {
    const reply = await client().chat.completions.create({ model: 'demo/chat', messages })
    expect(reply.choices[0]?.message.content).toMatch(/^\[simulated\].*Hello$/)
    expect(reply.usage?.total_tokens).toBeGreaterThan(0)
  })

  test('stream, with usage when asked', async () => {
    const stream = await client().chat.completions.create({
      model: 'demo/chat',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let usage = 0
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage?.total_tokens ?? usage
    }
    expect(text).toMatch(/^\[simulated\].*Hello$/)
    expect(usage).toBeGreaterThan(0)
  })

  test('a question that was asked before, whole and streamed, needs no upstream', async () => {
    const { completions } = client({}).chat
    const asked = { model: 'demo/chat', messages: [{ role: 'user' as const, content: 'Hello again' }] }
    const first = await completions.create(asked)
    const { data, response } = await completions.create(asked).withResponse()
    expect(data.choices).toEqual(first.choices)
    expect(response.headers.get('x-switchyard-cache')).toBe('hit')
    expect(response.headers.get('x-switchyard-attempts')).toBe('0')
    let text = ''
    for await (const chunk of await completions.create({ ...asked, stream: true }))
      text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toBe(first.choices[0]?.message.content)
  })

  test('embeddings', async () => {
    const { data } = await client().embeddings.create({ model: 'demo/embed', input: ['one', 'two'] })
    expect(data).toHaveLength(2)
    expect(Math.hypot(...(data[0]?.embedding ?? []))).toBeCloseTo(1)
  })

  test('models', async () => {
    const { data } = await client().models.list()
    expect(data.map(({ id }) => id)).toEqual(['demo/chat', 'demo/embed'])
  })

  test('abort mid-stream ends the request', async () => {
    const stream = await client().chat.completions.create({ model: 'demo/chat', messages, stream: true })
    for await (const _ of stream) {
      stream.controller.abort()
      break
    }
    await expect
      .poll(() => gateway.logged().some(({ status, stream: streamed }) => status === 499 && streamed === true))
      .toBe(true)
  })

  test('an unknown model is 404 with its code', async () => {
    const failure = (await client()
      .chat.completions.create({ model: 'gpt-nope', messages })
      .catch((error) => error)) as InstanceType<typeof OpenAI.APIError>
    expect(failure).toBeInstanceOf(OpenAI.NotFoundError)
    expect(failure).toMatchObject({ code: 'model_not_found', param: 'model' })
    expect(failure.message).toContain('demo/*')
  })

  test('the Portkey client works with a base URL alone', async () => {
    const portkey = new Portkey({ baseURL: `${gateway.url}/v1`, apiKey: 'any' })
    const reply = await portkey.chat.completions.create({ model: 'demo/chat', messages })
    expect(reply.choices?.[0]?.message?.content).toMatch(/^\[simulated\]/)
    const picked = new Portkey({ baseURL: `${gateway.url}/v1`, apiKey: 'any', provider: 'demo', traceID: 'trace-1' })
    const stream = await picked.chat.completions.create({ model: 'chat', messages, stream: true })
    let text = ''
    for await (const chunk of stream) text += chunk.choices?.[0]?.delta?.content ?? ''
    expect(text).toMatch(/^\[simulated\]/)
  })

  test('explain tells the target and calls nothing', async () => {
    const reply = await fetch(`${gateway.url}/v1/explain`, {
      method: 'POST',
      body: JSON.stringify({ model: 'demo/chat', messages }),
    })
    expect(await reply.json()).toMatchObject({ target: 'provider-portkey', served: true, model: 'demo/chat' })
  })

  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${gateway.url}/v1/${path}`, {
      method: 'POST',
      headers: fresh,
      body: JSON.stringify({ model: 'demo/chat', ...body }),
    })

  test("Anthropic's dialect is translated, whole and streamed", async () => {
    const whole = await post('messages', { max_tokens: 100, messages })
    expect(await whole.json()).toMatchObject({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: expect.stringMatching(/^\[simulated\].*Hello$/) }],
      stop_reason: 'end_turn',
    })
    const streamed = await (await post('messages', { max_tokens: 100, messages, stream: true })).text()
    expect(streamed).toMatch(/^event: message_start\n/)
    expect(streamed).toMatch(/event: message_stop\ndata: .*\n\n$/)
  })

  test('responses are translated, and what cannot be carried is an error in words', async () => {
    const reply = await client().responses.create({ model: 'demo/chat', input: 'Hello', store: false })
    expect(reply.output_text).toMatch(/^\[simulated\].*Hello$/)
    const refused = await post('responses', { input: 'Hello', previous_response_id: 'resp_1' })
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { param: 'previous_response_id' } }])
    const other = await post('chat/completions', { model: 'demo/nope', messages })
    expect([other.status, await other.json()]).toMatchObject([
      404,
      { error: { message: expect.stringContaining('[simulated]') } },
    ])
  })

  test('every reply tells who served it', async () => {
    const { headers } = await post('chat/completions', { messages })
    expect(headers.get('x-switchyard-target')).toBe('provider-portkey/demo/chat')
    expect(headers.get('x-switchyard-attempts')).toBe('1')
    const health = await (await fetch(`${gateway.url}/admin/health`)).json()
    expect(health).toMatchObject({
      data: expect.arrayContaining([expect.objectContaining({ deployment: 'provider-portkey/demo/chat' })]),
    })
  })

  test('ready says which plugins are well', async () => {
    expect(await (await fetch(`${gateway.url}/readyz`)).json()).toMatchObject({
      status: 'ready',
      plugins: { 'provider-portkey': 'ok', 'connector-sqlite': 'ok' },
    })
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
  })
})

/** Failures as the official client sees them, over a misbehaving upstream. */
describe('over an upstream that misbehaves', () => {
  let upstream: FakeUpstream
  let gateway: TestGateway
  beforeAll(async () => {
    upstream = await startFakeUpstream()
    const provider = openai({
      provider: 'fake',
      baseUrl: upstream.url,
      apiKey: 'sk-upstream-canary',
      headersTimeoutMs: 1_000,
      streamIdleTimeoutMs: 500,
      egress: { allow: ['127.0.0.0/8'] },
    })
    // One fault is not to be answered for the last one.
    const guards = resilience({ retry: { maxAttempts: 1 }, breaker: { enabled: false }, quarantine: { enabled: false } })
    gateway = await testGateway([guards, provider], {
      auth: { keys: [{ key: KEY, tenant: 'acme' }] },
      server: { maxBodyBytes: 100_000 },
    })
  })
  afterEach(() => upstream.clear())
  afterAll(async () => {
    await gateway?.close()
    await upstream?.close()
  })
  const client = (apiKey = KEY): OpenAI => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 })
  const chat = (model: string): Promise<unknown> => client().chat.completions.create({ model, messages })

  test('a wrong key is an AuthenticationError, and no request goes up', async () => {
    await expect(client('wrong').chat.completions.create({ model: 'fake/gpt-fake', messages })).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    )
    await expect(client('wrong').models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
    expect(upstream.requests).toHaveLength(0)
  })

  test('a rate limit is a RateLimitError with its wait', async () => {
    const failure = (await chat('fake/gpt-fake!status:429,retry-after:2').catch((error) => error)) as InstanceType<
      typeof OpenAI.APIError
    >
    expect(failure).toBeInstanceOf(OpenAI.RateLimitError)
    expect(failure.headers?.get('retry-after')).toBe('2')
  })

  test.each([
    ['status:400', 400],
    ['status:401', 502],
    ['status:404', 404],
    ['status:500', 502],
    ['html', 502],
    ['reset:headers', 502],
    ['stall:headers', 504],
  ])('%s is %i', async (fault, status) => {
    await expect(chat(`fake/gpt-fake!${fault}`)).rejects.toMatchObject({ status, requestID: expect.any(String) })
  })

  test.each(['end:mid', 'reset:mid', 'stall:mid', 'error:mid', 'malformed:mid'])(
    '%s after content is an error to the client, never a quiet end',
    async (fault) => {
      const stream = await client().chat.completions.create({ model: `fake/gpt-fake!${fault}`, messages, stream: true })
      let text = ''
      const read = async (): Promise<void> => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
      }
      await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError)
      expect(text).not.toBe('')
    },
  )

  test('a client that leaves closes the upstream', async () => {
    const stream = await client().chat.completions.create({ model: 'fake/gpt-fake!endless:5', messages, stream: true })
    for await (const _ of stream) break
    expect((await upstream.whenClosed(0)).closedBeforeEnd).toBe(true)
  })

  test.each<[string, RequestInit, number]>([
    ['no JSON', { body: 'x' }, 400],
    ['an array', { body: '[]' }, 400],
    ['no model', { body: '{}' }, 400],
    ['stream as text', { body: '{"model":"fake/x","stream":"yes"}' }, 400],
    ['a body above the limit', { body: JSON.stringify({ model: 'fake/x', pad: 'x'.repeat(200_000) }) }, 413],
    ['a wrong method', { method: 'GET' }, 404],
  ])('%s is refused in the dialect', async (_, init, status) => {
    const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
      ...init,
    })
    expect(reply.status).toBe(status)
    expect(reply.headers.get('x-request-id')).toMatch(/^req_/)
    expect(await reply.json()).toMatchObject({ error: { message: expect.any(String), type: 'invalid_request_error' } })
  })

  test('too large headers are 431 in the dialect; a given request id is kept', async () => {
    const large = await fetch(`${gateway.url}/healthz`, { headers: { 'x-pad': 'x'.repeat(20_000) } })
    expect(large.status).toBe(431)
    const kept = await fetch(`${gateway.url}/healthz`, { headers: { 'x-request-id': 'my-id' } })
    expect(kept.headers.get('x-request-id')).toBe('my-id')
  })

  test('logs hold one line a request, and no secret', async () => {
    await chat('fake/gpt-fake!status:401,body:echo').catch(() => {})
    const lines = gateway.logged()
    expect(lines.filter(({ msg }) => msg === 'request').length).toBeGreaterThan(0)
    expect(JSON.stringify(lines)).not.toMatch(/canary/)
  })

  test('a reload serves new plugins; one that fails changes nothing', async () => {
    const { settings } = gateway.gateway.live()
    const again = (name: string) => openai({ provider: name, baseUrl: upstream.url, egress: { allow: ['127.0.0.0/8'] } })
    await expect(gateway.gateway.reload({ settings, assembly: { plugins: [again('a'), again('b')] } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
    await expect(chat('fake/gpt-fake')).resolves.toBeDefined()
    await gateway.gateway.reload({ settings, assembly: { plugins: [again('fresh')] } })
    await expect(chat('fresh/gpt-fake')).resolves.toBeDefined()
    await expect(chat('fake/gpt-fake')).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  })
})

test('the plan without processes lists the plugins', () => {
  const { plugins, providers } = planEmbedded({
    portkey: true,
    demo: true,
    dataDir: 'x',
    env: { OPENAI_API_KEY: 'k', PORTKEY_API_KEY: 'p' },
  })
  expect(plugins.map(({ definition, placement }) => placement.as ?? definition.name)).toEqual([
    '@switchyard/access',
    '@switchyard/routing',
    '@switchyard/resilience',
    '@switchyard/rate-limit',
    '@switchyard/health',
    '@switchyard/budget',
    '@switchyard/catalog',
    '@switchyard/cache',
    '@switchyard/cache-semantic',
    '@switchyard/cache-memory',
    '@switchyard/connector-sqlite',
    '@switchyard/provider-portkey',
    'portkey-hosted',
  ])
  expect(providers.join()).toMatch(/demo.*OPENAI_API_KEY.*PORTKEY_API_KEY/)
})
