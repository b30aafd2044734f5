import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import type { ModelProvider, ModelReply, ModelRequest } from '@switchyard/contract'
import { type FakeUpstream, type StartedPlugin, startFakeUpstream, startPlugin, systemClock } from '@switchyard/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openai } from '../src/index.ts'

let upstream: FakeUpstream
let started: StartedPlugin
let provider: ModelProvider
beforeAll(async () => {
  upstream = await startFakeUpstream()
  started = await startPlugin(
    openai({
      provider: 'acme',
      baseUrl: upstream.url,
      apiKey: 'sk-canary-123456',
      headersTimeoutMs: 500,
      streamIdleTimeoutMs: 500,
      egress: { allow: ['127.0.0.0/8'] },
    }),
    { clock: systemClock() },
  )
  provider = started.ports.model as ModelProvider
})
afterEach(() => upstream.clear())
afterAll(async () => {
  await started.close()
  await upstream.close()
})

function chat(fields: Record<string, unknown> = {}, stream = false): ModelRequest {
  const body = { model: 'acme/gpt-fake', messages: [{ role: 'user', content: 'Hi' }], ...(stream && { stream }), ...fields }
  return { endpoint: 'chat/completions', model: String(body.model), body, raw: Buffer.from(JSON.stringify(body)), stream }
}
async function text(reply: ModelReply): Promise<string> {
  if (reply.body instanceof Uint8Array) return Buffer.from(reply.body).toString()
  let all = ''
  for await (const chunk of reply.body) all += Buffer.from(chunk).toString()
  return all
}

test('a chat goes out with the key and the bare model, unknown fields untouched, and comes back with its usage', async () => {
  const request = chat({ x_unknown: { deep: true } })
  const reply = await provider.invoke(request, {})
  expect(JSON.parse(await text(reply)).choices).toHaveLength(1)
  expect(await reply.ended).toMatchObject({ outcome: 'complete', usageSource: 'reported', finishReason: 'stop' })
  const [seen] = upstream.requests
  expect(seen?.headers.authorization).toBe('Bearer sk-canary-123456')
  expect(seen?.body).toMatchObject({ model: 'gpt-fake', x_unknown: { deep: true } })
  expect(seen?.body).not.toHaveProperty('stream_options')
})

test('a stream asks for its usage and hides it from a client who did not', async () => {
  const reply = await provider.invoke(chat({}, true), {})
  const seen = await text(reply)
  expect(seen).toMatch(/data: \[DONE\]\n\n$/)
  expect(seen).not.toContain('"usage":{')
  expect((await reply.ended).usageSource).toBe('reported')
  expect(upstream.requests[0]?.body).toMatchObject({ stream_options: { include_usage: true } })
})

test('a client who asked for usage gets it', async () => {
  expect(await text(await provider.invoke(chat({ stream_options: { include_usage: true } }, true), {}))).toContain('"usage":{')
})

test('embeddings and the list of models', async () => {
  const body = { model: 'acme/embedding-fake', input: 'x' }
  const reply = await provider.invoke({ endpoint: 'embeddings', model: body.model, body, stream: false }, {})
  expect(JSON.parse(await text(reply)).data).toHaveLength(1)
  expect((await provider.models()).map(({ id }) => id)).toContain('acme/gpt-fake')
  await expect(provider.probe({})).resolves.toBeUndefined()
})

test('a probe is declared free, and asks for the list of models alone', async () => {
  expect(provider.capabilities.freeProbe).toBe(true)
  const before = upstream.requests.length
  await provider.probe({ model: 'acme/gpt-fake' })
  expect(upstream.requests.slice(before).map(({ method, path }) => [method, path])).toEqual([['GET', '/v1/models']])
})

describe('faults', () => {
  test.each([
    ['status:400', 'UPSTREAM_REJECTED'],
    ['status:401,body:echo', 'UPSTREAM_REJECTED'],
    ['status:429,retry-after:2', 'RATE_LIMITED'],
    ['status:503', 'UPSTREAM_UNAVAILABLE'],
    ['html', 'UPSTREAM_INVALID'],
    ['reset:headers', 'UPSTREAM_UNAVAILABLE'],
    ['stall:headers', 'TIMEOUT'],
  ])('%s is %s, and tells no secret', async (fault, code) => {
    for (const stream of [false, true]) {
      upstream.script(fault)
      const error = await provider.invoke(chat({}, stream), {}).then(
        () => undefined,
        (thrown: Error) => thrown,
      )
      expect(error).toMatchObject({ code })
      expect(`${error?.message} ${error?.stack} ${JSON.stringify(error)}`).not.toContain('sk-canary')
    }
  })

  test('a stated wait is told', async () => {
    upstream.script('status:429,retry-after:2')
    await expect(provider.invoke(chat(), {})).rejects.toMatchObject({ retryAfterMs: 2_000 })
  })

  test.each(['end:mid', 'reset:mid'])('%s breaks the stream and says so', async (fault) => {
    upstream.script(fault)
    const reply = await provider.invoke(chat({}, true), {})
    await expect(text(reply)).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
    expect((await reply.ended).outcome).toBe('truncated')
  })

  test('a stall within a stream ends as a timeout', async () => {
    upstream.script('stall:mid')
    await expect(text(await provider.invoke(chat({}, true), {}))).rejects.toMatchObject({ code: 'TIMEOUT' })
  })
})

test('streams that are read to [DONE] share a connection, though the end of the reply comes later', async () => {
  let connections = 0
  let end = (): void => {}
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    end = () => response.end()
  })
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const plugin = await startPlugin(
    openai({
      provider: 'acme',
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      maxConnections: 1,
      egress: { allow: ['127.0.0.0/8'] },
    }),
    { clock: systemClock() },
  )
  for (let calls = 0; calls < 5; calls++) {
    await text(await (plugin.ports.model as ModelProvider).invoke(chat({}, true), {}))
    end()
  }
  expect(connections).toBe(1)
  await plugin.close()
  server.close()
})

test('leaving closes the upstream', async () => {
  upstream.script('endless:5')
  const controller = new AbortController()
  const reply = await provider.invoke(chat({}, true), { signal: controller.signal })
  controller.abort()
  expect((await reply.ended).outcome).toBe('aborted')
  expect((await upstream.whenClosed(0)).closedBeforeEnd).toBe(true)
})

describe('what is sent, by the options', () => {
  async function other(options: Parameters<typeof openai>[0]): Promise<StartedPlugin> {
    return startPlugin(openai({ baseUrl: `${upstream.url}/`, egress: { allow: ['127.0.0.0/8'] }, ...options }), {
      clock: systemClock(),
    })
  }
  const models = ['acme/fast', 'acme/big', 'bare', 'team/*']
  const modelNames = { 'acme/fast': 'gpt-fake' }

  test.each([
    ['acme/fast', 'gpt-fake'],
    ['acme/big', 'big'],
    ['bare', 'bare'],
    ['team/a/b', 'team/a/b'],
  ])('%s is %s upstream', async (model, sent) => {
    const plugin = await other({ provider: 'acme', models, modelNames })
    const served = plugin.ports.model as ModelProvider
    expect(served.capabilities.models).toEqual(models)
    await served.invoke(chat({ model }), {})
    expect(upstream.requests[0]?.body).toMatchObject({ model: sent })
    await plugin.close()
  })

  test.each(['acme/small', 'team', 'teams/a', 'acme/*', ''])('%j is NOT_FOUND, and nothing is sent', async (model) => {
    const plugin = await other({ provider: 'acme', models, modelNames })
    await expect((plugin.ports.model as ModelProvider).invoke(chat({ model }), {})).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { code: 'model_not_found', param: 'model' },
    })
    expect(upstream.requests).toHaveLength(0)
    await plugin.close()
  })

  test('headers of the operator go along, and none of the client', async () => {
    const plugin = await other({ provider: 'acme', headers: { 'api-key': 'zz9plural4alpha', 'x-team': 'blue' } })
    const served = plugin.ports.model as ModelProvider
    await served.invoke({ ...chat(), headers: { authorization: 'Bearer client', cookie: 'a=b' } }, {})
    const { headers } = upstream.requests[0] as { headers: Record<string, string> }
    expect(headers).toMatchObject({ 'api-key': 'zz9plural4alpha', 'x-team': 'blue', 'content-type': 'application/json' })
    expect(headers).not.toHaveProperty('authorization')
    expect(headers).not.toHaveProperty('cookie')
    await plugin.close()
  })

  test('a key that goes in a header of its own is in no error either', async () => {
    const plugin = await other({ provider: 'acme', headers: { 'api-key': 'zz9plural4alpha' } })
    upstream.always('status:401,body:echo')
    const error = await (plugin.ports.model as ModelProvider).invoke(chat(), {}).catch((thrown: Error) => thrown)
    expect((error as Error).message).toContain('[redacted]')
    expect(`${inspect(error, { depth: 9 })} ${JSON.stringify(error)}`).not.toContain('zz9plural4alpha')
    await plugin.close()
  })

  test('usage is not asked for where the operator says so', async () => {
    const plugin = await other({ provider: 'acme', includeUsage: false })
    await text(await (plugin.ports.model as ModelProvider).invoke(chat({}, true), {}))
    expect(upstream.requests[0]?.body).not.toHaveProperty('stream_options')
    await plugin.close()
  })

  test('an upstream that sends no [DONE] is whole at its finish reason where the operator says so', async () => {
    upstream.always('no-done')
    const held = provider.invoke(chat({}, true), {}).then(text)
    await expect(held).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
    const plugin = await other({ provider: 'acme', terminator: 'finish-reason' })
    const reply = await (plugin.ports.model as ModelProvider).invoke(chat({}, true), {})
    await text(reply)
    expect(await reply.ended).toMatchObject({ outcome: 'complete' })
    await plugin.close()
  })
})

test('an endpoint it does not serve sends nothing', async () => {
  await expect(provider.invoke({ ...chat(), endpoint: 'rerank' }, {})).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  expect(upstream.requests).toHaveLength(0)
})

test('a private address is refused unless it is allowed', async () => {
  const closed = await startPlugin(openai({ provider: 'acme', baseUrl: upstream.url }), { clock: systemClock() })
  await expect((closed.ports.model as ModelProvider).invoke(chat(), {})).rejects.toMatchObject({ code: 'POLICY_REFUSED' })
  expect(upstream.requests).toHaveLength(0)
  await closed.close()
})

test('closed, it sends nothing more', async () => {
  const plugin = await startPlugin(openai({ provider: 'acme', baseUrl: upstream.url, egress: { allow: ['127.0.0.0/8'] } }), {
    clock: systemClock(),
  })
  const served = plugin.ports.model as ModelProvider
  await served.invoke(chat(), {})
  await plugin.close()
  await expect(served.invoke(chat(), {})).rejects.toMatchObject({ code: 'CLOSED' })
  expect(upstream.requests).toHaveLength(1)
})
