import { createServer, type Server } from 'node:http'
import type { ModelProvider, ModelReply, ModelRequest } from '@switchyard/contract'
import { type FakeUpstream, type StartedPlugin, startFakeUpstream, startPlugin, systemClock } from '@switchyard/testkit'
import { createHeaders } from 'portkey-ai'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { encodeConfig, type PortkeyInput, portkey, portkeyConfig } from '../src/index.ts'
import { realPortkey } from './support/portkey.ts'

let gateway: Awaited<ReturnType<typeof realPortkey>>
let upstream: FakeUpstream
let started: StartedPlugin
let provider: ModelProvider

async function start(input: PortkeyInput): Promise<StartedPlugin> {
  return startPlugin(portkey({ egress: { allow: ['127.0.0.0/8'] }, ...input }), { clock: systemClock() })
}
function chat(fields: Record<string, unknown> = {}, headers?: Record<string, string>): ModelRequest {
  const body = { model: 'fake/gpt-fake', messages: [{ role: 'user', content: 'Hi' }], ...fields }
  return {
    endpoint: 'chat/completions',
    model: body.model,
    body,
    raw: Buffer.from(JSON.stringify(body)),
    stream: fields.stream === true,
    ...(headers && { headers }),
  }
}
async function text(reply: ModelReply): Promise<string> {
  if (reply.body instanceof Uint8Array) return Buffer.from(reply.body).toString()
  let all = ''
  for await (const chunk of reply.body) all += Buffer.from(chunk).toString()
  return all
}

beforeAll(async () => {
  ;[gateway, upstream] = await Promise.all([realPortkey(), startFakeUpstream()])
  started = await start({
    baseUrl: `${gateway.origin}/v1`,
    headersTimeoutMs: 1_500,
    streamIdleTimeoutMs: 500,
    providers: {
      fake: { slug: 'openai', apiKey: 'sk-canary-1234567', customHost: upstream.url },
      claude: { slug: 'anthropic', apiKey: 'sk-canary-1234567' },
      search: { slug: 'jina', apiKey: 'x' },
      moon: { slug: 'moonshot', apiKey: 'x' },
    },
  })
  provider = started.ports.model as ModelProvider
})
afterEach(() => upstream.clear())
afterAll(async () => {
  await started?.close()
  await upstream?.close()
  gateway?.stop()
})

describe("Portkey's defects, through the real gateway", () => {
  test.each([
    ['end:mid', 'UPSTREAM_TRUNCATED', 'a cut stream, which Portkey ends cleanly'],
    ['reset:mid', 'UPSTREAM_TRUNCATED', 'a reset stream, which Portkey ends cleanly'],
    ['stall:mid', 'TIMEOUT', 'a stall, which Portkey never ends'],
    ['error:mid', 'UPSTREAM_UNAVAILABLE', 'an error event, which Portkey hands on as data'],
  ])('%s is %s: %s', async (fault, code) => {
    // A reset may reach Portkey before it handed the first content on: then the call itself is refused.
    let reply: ModelReply | undefined
    const read = async (): Promise<void> => {
      reply = await provider.invoke(chat({ model: `fake/gpt-fake!${fault}`, stream: true }), {})
      await text(reply)
    }
    await expect(read()).rejects.toMatchObject({ code })
    if (reply !== undefined) expect((await reply.ended).outcome).not.toBe('complete')
  })

  test.each([
    ['html', false],
    ['html', true],
    ['error:first', false],
    ['error:first', true],
    ['empty', false],
    ['malformed:first', false],
  ])('%s with status 200 is no success (stream: %s)', async (fault, stream) => {
    await expect(provider.invoke(chat({ model: `fake/gpt-fake!${fault}`, stream }), {})).rejects.toMatchObject({
      code: expect.stringMatching(/^UPSTREAM_/),
    })
  })

  test('our leaving does not stop the upstream, and the capability says so', async () => {
    expect(provider.capabilities.cancels).toBe(false)
    const reply = await provider.invoke(chat({ model: 'fake/gpt-fake!endless:5', stream: true }), {})
    for await (const _ of reply.body as AsyncIterable<Uint8Array>) break
    expect(await reply.ended).toMatchObject({ outcome: 'aborted', usageSource: 'estimated' })
  })

  test('health fails when Portkey shows its log to everyone', async () => {
    const open: Server = createServer((_, response) => response.writeHead(200).end('x'))
    await new Promise<void>((resolve) => open.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(open.address() as { port: number }).port}`
    const exposed = await start({ baseUrl: `${origin}/v1` })
    await expect((exposed.ports.model as ModelProvider).probe({})).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('--headless'),
    })
    await exposed.close()
    open.close()
    await expect(provider.probe({})).resolves.toBeUndefined()
  })
})

describe("Portkey's error replies", () => {
  test.each<[string, number, Record<string, string>, string, boolean, string]>([
    ['a refusal of the configuration', 400, {}, '{"status":"failure","message":"bad provider"}', false, 'CONFIG_INVALID'],
    [
      'a provider’s refusal',
      400,
      { 'x-portkey-provider': 'openai' },
      '{"error":{"message":"openai error: no"}}',
      false,
      'UPSTREAM_REJECTED',
    ],
    [
      'a provider’s 401',
      401,
      { 'x-portkey-provider': 'openai' },
      '{"error":{"message":"bad key"}}',
      false,
      'UPSTREAM_REJECTED',
    ],
    ['a rate limit', 429, {}, '{"error":{"message":"slow"}}', false, 'RATE_LIMITED'],
    ['a timeout', 408, {}, '{"error":{"type":"timeout_error"}}', false, 'TIMEOUT'],
    ['a used-up budget', 412, {}, '{}', false, 'BUDGET_EXCEEDED'],
    ['large headers', 431, {}, '', false, 'INTERNAL'],
    ['a guardrail', 446, {}, '{"hook_results":{}}', false, 'POLICY_REFUSED'],
    [
      'no adapter',
      500,
      { 'x-portkey-gateway-exception': 'true' },
      '{"message":"embed is not supported by x"}',
      false,
      'UNSUPPORTED',
    ],
    [
      'its own failure',
      500,
      { 'x-portkey-gateway-exception': 'true' },
      '{"message":"Something went wrong"}',
      false,
      'UPSTREAM_INVALID',
    ],
    [
      'its failure on a stream',
      500,
      { 'x-portkey-gateway-exception': 'true' },
      '{"message":"Something went wrong"}',
      true,
      'UPSTREAM_INVALID',
    ],
    ['an unreachable upstream', 500, {}, '{"html-message":"fetch failed"}', false, 'UPSTREAM_UNAVAILABLE'],
    ['a provider’s 503', 503, {}, '<html>', false, 'UPSTREAM_UNAVAILABLE'],
  ])('%s', async (_, status, headers, body, stream, code) => {
    const server = createServer((_request, response) => response.writeHead(status, headers).end(body))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const plugin = await start({
      baseUrl: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1`,
      providers: { fake: { slug: 'openai' } },
    })
    const error = await (plugin.ports.model as ModelProvider).invoke(chat({ stream }), {}).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code })
    if (stream) expect((error as Error).message).toContain('1.13.8')
    await plugin.close()
    server.close()
  })
})

describe('what Portkey would drop or refuse goes nowhere', () => {
  test.each([
    ['an endpoint without adapter', chat({ model: 'search/m' }), 'UNSUPPORTED'],
    ['embeddings without adapter', { ...chat({ model: 'claude/m' }), endpoint: 'embeddings' as const }, 'UNSUPPORTED'],
    ['another endpoint', { ...chat({ model: 'claude/m' }), endpoint: 'rerank' as const }, 'UNSUPPORTED'],
    ['tools that are dropped', chat({ model: 'moon/m', tools: [{}] }), 'UNSUPPORTED'],
    ['tools in no list', chat({ model: 'moon/m', tools: {} }), 'UNSUPPORTED'],
    ['a schema that is dropped', chat({ model: 'claude/m', response_format: {} }), 'UNSUPPORTED'],
    ['a provider that is not on', chat({ model: 'nope/m' }), 'NOT_FOUND'],
  ])('%s', async (_, request, code) => {
    await expect(provider.invoke(request, {})).rejects.toMatchObject({ code })
    expect(upstream.requests).toHaveLength(0)
  })
})

describe("a client's own Portkey headers", () => {
  test('correlation goes on; a harmless config is honoured', async () => {
    const config = JSON.stringify({ retry: { attempts: 1 } })
    const reply = await provider.invoke(
      chat({}, { 'x-portkey-trace-id': 't-1', 'x-portkey-config': config, authorization: 'Bearer client-key' }),
      {},
    )
    expect(await text(reply)).toContain('choices')
    expect(reply.headers['x-portkey-trace-id']).toBe('t-1')
    expect(upstream.requests[0]?.headers.authorization).toBe('Bearer sk-canary-1234567')
  })
})

describe('configs', () => {
  test('are written in snake case, in ASCII, parameters untouched', () => {
    const config = portkeyConfig.parse({
      strategy: { mode: 'fallback', onStatusCodes: [429] },
      targets: [
        { provider: 'openai', apiKey: 'k', overrideParams: { topP: 1, note: 'é' } },
        { virtualKey: 'v', requestTimeout: 5 },
      ],
    })
    expect(encodeConfig(config)).toBe(
      '{"strategy":{"mode":"fallback","on_status_codes":[429]},"targets":[{"provider":"openai","api_key":"k","override_params":{"topP":1,"note":"\\u00e9"}},{"virtual_key":"v","request_timeout":5}]}',
    )
  })

  test.each([
    [{ strategy: { mode: 'fallback' } }],
    [{ targets: [{}] }],
    [{ strategy: { mode: 'conditional' }, targets: [{}] }],
    // biome-ignore lint/suspicious/noThenProperty: Portkey's own name
    [{ strategy: { mode: 'conditional', conditions: [{ query: {}, then: 'gone' }] }, targets: [{ name: 'here' }] }],
    [{ strategy: { mode: 'loadbalance', onStatusCodes: [500] }, targets: [{}] }],
    [{ retry: { attempts: 9 } }],
    [{ on_status_codes: [] }],
  ])('%j is refused', (config) => {
    expect(portkeyConfig.safeParse(config).success).toBe(false)
  })
})

test('what is sent are the headers that the SDK would send', async () => {
  let seen: Record<string, unknown> = {}
  const server = createServer((request, response) => {
    seen = request.headers
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const plugin = await start({
    baseUrl: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1`,
    apiKey: 'pk-hosted',
    metadata: { team: 'a' },
    config: 'pc-123',
    requestTimeoutMs: 5_000,
    strictOpenAiCompliance: false,
    providers: { fake: { virtualKey: 'vk-1', credentials: { awsRegion: 'eu-1' } } },
  })
  await (plugin.ports.model as ModelProvider).invoke(chat(), {})
  const sdk = createHeaders({
    apiKey: 'pk-hosted',
    config: 'pc-123',
    metadata: JSON.stringify({ team: 'a' }),
    requestTimeout: 5_000,
    strictOpenAiCompliance: false,
    provider: 'fake',
    virtualKey: 'vk-1',
    awsRegion: 'eu-1',
  }) as Record<string, unknown>
  for (const [name, value] of Object.entries(sdk)) expect(seen[name.toLowerCase()]).toBe(String(value))
  await plugin.close()
  server.close()
})
