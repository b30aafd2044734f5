import type { Call, ModelEndpoint, ModelProvider, ModelReply, ModelRequest } from '@switchyard/contract'
import {
  BIG_INTEGER,
  type FakeUpstream,
  type StartedPlugin,
  startFakeUpstream,
  startPlugin,
  systemClock,
} from '@switchyard/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type OpenAiInput, openai } from '../src/index.ts'

let upstream: FakeUpstream
const open: StartedPlugin[] = []
beforeAll(async () => {
  upstream = await startFakeUpstream()
})
afterEach(async () => {
  upstream.clear()
  for (const plugin of open.splice(0)) await plugin.close()
})
afterAll(() => upstream.close())

async function start(options: OpenAiInput = {}): Promise<StartedPlugin> {
  const usual = { provider: 'acme', baseUrl: upstream.url, apiKey: 'canary-of-no-form-1', egress: { allow: ['127.0.0.0/8'] } }
  const plugin = await startPlugin(openai({ ...usual, ...options }), { clock: systemClock() })
  open.push(plugin)
  return plugin
}
async function serving(options: OpenAiInput = {}): Promise<ModelProvider> {
  return (await start(options)).ports.model as ModelProvider
}
function ask(endpoint: ModelEndpoint, fields: Record<string, unknown>, more: Partial<ModelRequest> = {}): ModelRequest {
  const body: Record<string, unknown> = { model: 'acme/m', ...fields }
  return { endpoint, model: 'acme/m', body, raw: Buffer.from(JSON.stringify(body)), stream: body.stream === true, ...more }
}
async function text(reply: ModelReply): Promise<string> {
  if (reply.body instanceof Uint8Array) return Buffer.from(reply.body).toString()
  let all = ''
  for await (const chunk of reply.body) all += Buffer.from(chunk).toString()
  return all
}
const messages = [{ role: 'user', content: 'Hi' }]
const chatOnly = { endpoints: ['chat/completions'] } as const
const anthropic = { dialect: 'anthropic' } as const

describe('what cannot be carried to the upstream is UNSUPPORTED by name, and nothing is sent', () => {
  test.each<[string, OpenAiInput, ModelRequest, string]>([
    ['a message', chatOnly, ask('messages', { messages, max_tokens: 5, top_k: 3 }), 'top_k'],
    ['a response', chatOnly, ask('responses', { input: 'Hi', previous_response_id: 'r' }), 'previous_response_id'],
    ['a chat', anthropic, ask('chat/completions', { messages, seed: 3 }), 'seed'],
    ['a response, over two translations', anthropic, ask('responses', { input: 'Hi', store: true }), 'store'],
  ])('%s', async (_, options, request, param) => {
    for (const stream of [false, true]) {
      const asked = { ...request, stream, body: { ...request.body, ...(stream && { stream }) } }
      await expect((await serving(options)).invoke(asked, {})).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        details: { param },
      })
    }
    expect(upstream.requests).toHaveLength(0)
  })

  test.each<[OpenAiInput, ModelRequest]>([
    [{}, ask('rerank', { query: 'x', documents: [] })],
    [chatOnly, ask('embeddings', { input: 'x' })],
    [chatOnly, ask('completions', { prompt: 'x' })],
    [anthropic, ask('moderations', { input: 'x' })],
    [{ endpoints: ['embeddings'] }, ask('messages', { messages, max_tokens: 5 })],
    [{}, ask('embeddings', { input: 'x', stream: true })],
    [{}, ask('moderations', { input: 'x', stream: true })],
  ])('%j', async (options, request) => {
    await expect((await serving(options)).invoke(request, {})).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    expect(upstream.requests).toHaveLength(0)
  })

  test('a form whose bytes are gone, and one that cannot be read in one way only', async () => {
    const provider = await serving()
    const headers = { 'content-type': 'multipart/form-data; boundary=x' }
    const { raw: _, ...changed } = ask('audio/transcriptions', { file: 'x' }, { headers })
    await expect(provider.invoke(changed, {})).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    const twice = ask('audio/transcriptions', {}, { headers, raw: Buffer.from('--x\r\n\r\n--x--') })
    await expect(provider.invoke(twice, {})).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    expect(upstream.requests).toHaveLength(0)
  })
})

describe('a translated stream', () => {
  test.each<[OpenAiInput, ModelRequest]>([
    [chatOnly, ask('messages', { messages, max_tokens: 5, stream: true })],
    [chatOnly, ask('responses', { input: 'Hi', stream: true })],
    [anthropic, ask('chat/completions', { messages, stream: true })],
    [anthropic, ask('responses', { input: 'Hi', stream: true })],
  ])('over %j that is cut, reset or failed tells so: never its terminator', async (options, request) => {
    const provider = await serving(options)
    for (const [fault, code, outcome] of [
      ['end:mid', 'UPSTREAM_TRUNCATED', 'truncated'],
      ['reset:mid', 'UPSTREAM_TRUNCATED', 'truncated'],
      ['error:mid', 'UPSTREAM_UNAVAILABLE', 'error'],
      ['no-done', 'UPSTREAM_TRUNCATED', 'truncated'],
    ] as const) {
      upstream.script(fault)
      const reply = await provider.invoke(request, {})
      let seen = ''
      const read = async (): Promise<void> => {
        for await (const chunk of reply.body as AsyncIterable<Uint8Array>) seen += Buffer.from(chunk).toString()
      }
      await expect(read()).rejects.toMatchObject({ code })
      expect(seen).toContain('Grüße')
      expect(seen).not.toMatch(/\[DONE\]|message_stop|response\.completed/)
      expect(await reply.ended).toMatchObject({ outcome, error: { code } })
    }
  })

  test('that is left closes the upstream', async () => {
    const provider = await serving(chatOnly)
    upstream.script('endless:5')
    const reply = await provider.invoke(ask('messages', { messages, max_tokens: 5, stream: true }), {})
    for await (const _ of reply.body as AsyncIterable<Uint8Array>) break
    expect((await upstream.whenClosed(0)).closedBeforeEnd).toBe(true)
    expect((await reply.ended).outcome).toBe('aborted')
  })
})

describe("Anthropic's API", () => {
  test('is asked with its own headers, for its own models', async () => {
    const provider = await serving({ ...anthropic, provider: undefined, headers: { 'x-team': 'blue' } })
    expect(provider.capabilities.models).toEqual(['anthropic/*'])
    expect(provider.capabilities.endpoints).toEqual(['messages', 'chat/completions', 'responses'])
    const request = { ...ask('messages', { messages, max_tokens: 5, big: '@' }), model: 'anthropic/claude-x' }
    const raw = Buffer.from(JSON.stringify({ ...request.body, model: 'anthropic/claude-x' }).replace('"@"', BIG_INTEGER))
    const headers = { authorization: 'Bearer client', 'x-api-key': 'client', 'anthropic-beta': 'b-1', 'anthropic-version': '1' }
    const reply = await provider.invoke({ ...request, raw, headers }, {})
    expect(await text(reply)).toContain(BIG_INTEGER)
    expect(await reply.ended).toMatchObject({ finishReason: 'end_turn', usage: { inputTokens: 7, cacheReadTokens: 3 } })
    const [seen] = upstream.requests
    expect(seen?.rawBody.toString()).toBe(raw.toString().replace('anthropic/claude-x', 'claude-x'))
    expect(seen?.headers).toMatchObject({
      'x-api-key': 'canary-of-no-form-1',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'b-1',
      'x-team': 'blue',
    })
    expect(seen?.headers).not.toHaveProperty('authorization')
  })

  test('lists its models, which is also its probe', async () => {
    const provider = await serving(anthropic)
    expect((await provider.models()).map(({ id }) => id)).toContain('acme/gpt-fake')
    await provider.probe({})
    expect(upstream.requests.map(({ path }) => path)).toEqual(['/v1/models?limit=1000', '/v1/models?limit=1000'])
  })

  test('tells its errors, without the key', async () => {
    const provider = await serving(anthropic)
    for (const [fault, code] of [
      ['status:529', 'UPSTREAM_UNAVAILABLE'],
      ['status:429,retry-after:2', 'RATE_LIMITED'],
      ['status:401,body:echo', 'UPSTREAM_REJECTED'],
      ['html', 'UPSTREAM_INVALID'],
      ['error:first', 'UPSTREAM_UNAVAILABLE'],
    ] as const) {
      for (const endpoint of ['messages', 'chat/completions', 'responses'] as const) {
        upstream.script(fault)
        const body = endpoint === 'responses' ? { input: 'Hi' } : { messages, max_tokens: 5 }
        const error = await provider.invoke(ask(endpoint, body), {}).catch((thrown: Error) => thrown)
        expect(error).toMatchObject({ code })
        expect(`${(error as Error).message} ${JSON.stringify(error)}`).not.toContain('canary')
      }
    }
  })

  test('gets an output limit from the options where a client sets none', async () => {
    const provider = await serving({ ...anthropic, maxTokens: 99 })
    await provider.invoke(ask('chat/completions', { messages }), {})
    await provider.invoke(ask('chat/completions', { messages, max_tokens: 7 }), {})
    expect(upstream.requests.map(({ body }) => (body as { max_tokens: number }).max_tokens)).toEqual([99, 7])
  })
})

describe('what is sent', () => {
  test.each<[ModelEndpoint, Record<string, unknown>]>([
    ['completions', { prompt: 'x' }],
    ['responses', { input: 'x' }],
    ['moderations', { input: 'x' }],
    ['images/generations', { prompt: 'x' }],
    ['audio/speech', { input: 'x', voice: 'v' }],
  ])('%s goes byte for byte but for the model, and comes back so', async (endpoint, fields) => {
    const provider = await serving()
    const request = ask(endpoint, { ...fields, x_unknown: { big: '@' } })
    const raw = Buffer.from(
      ` ${Buffer.from(request.raw as Uint8Array)
        .toString()
        .replace('"@"', BIG_INTEGER)}\n`,
    )
    const reply = await provider.invoke({ ...request, raw }, {})
    expect(upstream.requests[0]?.path).toBe(`/v1/${endpoint}`)
    expect(upstream.requests[0]?.rawBody.toString()).toBe(raw.toString().replace('acme/m', 'm'))
    expect(upstream.requests[0]?.headers.authorization).toBe('Bearer canary-of-no-form-1')
    if (endpoint !== 'audio/speech') expect(await text(reply)).toContain(BIG_INTEGER)
  })

  test('a form goes with its boundary, its file whole and its model by the upstream’s name', async () => {
    const form = new FormData()
    form.append('file', new Blob([Buffer.from([0, 255, 13, 10])]), 'a.wav')
    form.append('model', 'acme/m')
    const written = new Response(form)
    const headers = { 'content-type': written.headers.get('content-type') as string, authorization: 'Bearer client' }
    const raw = await written.bytes()
    const provider = await serving({ modelNames: { 'acme/m': 'whisper-1' } })
    const reply = await provider.invoke(ask('audio/transcriptions', {}, { raw, headers }), {})
    expect(JSON.parse(await text(reply)).text).toContain('Depot')
    expect(upstream.requests[0]?.body).toEqual({ model: 'whisper-1', file: { name: 'a.wav', size: 4 } })
    expect(upstream.requests[0]?.headers.authorization).toBe('Bearer canary-of-no-form-1')
  })

  test('client headers go on only where the operator says so, and never in place of the provider’s own', async () => {
    const provider = await serving({ forwardHeaders: ['X-Tenant', 'authorization', 'content-type'] })
    const headers = { 'x-tenant': 'blue', authorization: 'Bearer client', 'content-type': 'text/evil', cookie: 'a=b' }
    await provider.invoke(ask('chat/completions', { messages }, { headers }), {})
    await provider.invoke(ask('chat/completions', { messages }), {})
    const [seen] = upstream.requests
    expect(seen?.headers).toMatchObject({
      'x-tenant': 'blue',
      authorization: 'Bearer canary-of-no-form-1',
      'content-type': 'application/json',
    })
    expect(seen?.headers).not.toHaveProperty('cookie')
  })

  test('a translation names the output limit as the host does, and asks for no usage where it must not', async () => {
    const provider = await serving({ ...chatOnly, maxTokensField: 'max_tokens', includeUsage: false })
    const reply = await provider.invoke(ask('messages', { messages, max_tokens: 5, stream: true }), {})
    expect(await text(reply)).toContain('message_stop')
    expect(upstream.requests[0]?.body).toEqual({ model: 'm', max_tokens: 5, messages, stream: true })
    expect((await reply.ended).usageSource).toBe('estimated')
  })

  test('a response goes by chat rather than by messages where the upstream speaks both', async () => {
    const provider = await serving({ endpoints: ['messages', 'chat/completions'] })
    await provider.invoke(ask('responses', { input: 'Hi' }), {})
    await provider.invoke(ask('messages', { messages, max_tokens: 5 }), {})
    expect(upstream.requests.map(({ path }) => path)).toEqual(['/v1/chat/completions', '/v1/messages'])
  })

  test.each([
    [{ messages, max_tokens: 5, metadata: { user_id: 'u' } }, undefined],
    [
      {
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }] }],
        max_tokens: 5,
      },
      {
        leftOut: ['messages[0].content[0].cache_control'],
      },
    ],
  ])('the trace tells a translation, and the hints that it left out', async (fields, because) => {
    const plugin = await start(chatOnly)
    const decisions: unknown[] = []
    const trace = { decide: (...decision: unknown[]) => decisions.push(decision) }
    const serve = plugin.serves['model.invoke'] as (call: Call<'model.invoke'>) => Promise<ModelReply>
    await serve({ request: ask('messages', fields), trace } as unknown as Call<'model.invoke'>)
    await serve({ request: ask('chat/completions', { messages }), trace } as unknown as Call<'model.invoke'>)
    expect(decisions).toEqual([['provider-openai', 'translated messages to chat/completions', because]])
  })
})
