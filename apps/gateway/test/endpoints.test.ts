import { MODEL_ENDPOINTS, type ModelReply, type ModelRequest, SwitchyardError } from '@switchyard/contract'
import { resilience } from '@switchyard/resilience'
import { routing } from '@switchyard/routing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { stubProvider, wholeReply } from './support/stub-provider.ts'

const ADMIN = 'sk-admin'
const USER = 'sk-user'
const auth = {
  keys: [
    { key: ADMIN, tenant: 'ops', id: 'ann', roles: ['admin'] },
    { key: USER, tenant: 'acme', id: 'bob' },
  ],
}
const EVERY = { endpoints: MODEL_ENDPOINTS }

let seen: ModelRequest[] = []
let deadlines: (number | undefined)[] = []
/** What the next calls of `first/*` do. */
let does: (request: ModelRequest, signal?: AbortSignal) => Promise<ModelReply> = async () => wholeReply({ from: 'first' })
afterEach(() => {
  seen = []
  deadlines = []
  does = async () => wholeReply({ from: 'first' })
})

let gateway: TestGateway
let alone: TestGateway
beforeAll(async () => {
  const first = stubProvider({
    name: 'first',
    ...EVERY,
    invoke: (request, { deadline, signal }) => {
      seen.push(request)
      deadlines.push(deadline)
      return does(request, signal)
    },
  })
  const second = stubProvider({
    name: 'second',
    ...EVERY,
    invoke: (request) => {
      seen.push(request)
      return request.model === 'second/down'
        ? Promise.reject(new SwitchyardError('RATE_LIMITED', 'slow down', { retryAfterMs: 3_000 }))
        : Promise.resolve(wholeReply({ from: 'second' }))
    },
  })
  const routes = {
    safe: { targets: ['first/a', 'second/b'] },
    doomed: { targets: ['first/a', 'second/down'] },
  }
  gateway = await testGateway(
    [routing({ routes }), resilience({ retry: { maxAttempts: 1 }, breaker: { enabled: false } }), first, second],
    { auth },
  )
  alone = await testGateway([first], { auth })
})
afterAll(async () => {
  await gateway?.close()
  await alone?.close()
})

function post(path: string, body: string, headers: Record<string, string> = {}, at = gateway): Promise<Response> {
  return fetch(`${at.url}/v1/${path}`, { method: 'POST', headers: { authorization: `Bearer ${USER}`, ...headers }, body })
}
const ask = (model: string, headers: Record<string, string> = {}, more: object = {}): Promise<Response> =>
  post('chat/completions', JSON.stringify({ model, messages: [], ...more }), headers)
const down = (): void => {
  does = () => Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'nobody there'))
}
const broken = (): void => {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('data: {"one":1}\n\n')
    throw new SwitchyardError('UPSTREAM_TRUNCATED', 'it broke')
  }
  does = async () => ({ ...wholeReply({}), headers: { 'content-type': 'text/event-stream' }, body: body() })
}

describe('a refusal is in the dialect of its client', () => {
  test.each(MODEL_ENDPOINTS)('%s: no key, no JSON, no model, an unknown model', async (endpoint) => {
    const nobody = await fetch(`${gateway.url}/v1/${endpoint}`, { method: 'POST', body: '{}' })
    const replies = [nobody, await post(endpoint, '{'), await post(endpoint, '{}'), await post(endpoint, '{"model":"nope/x"}')]
    expect(replies.map(({ status }) => status)).toEqual([401, 400, 400, 404])
    for (const reply of replies) {
      const body = await reply.json()
      if (endpoint === 'messages') {
        expect(body).toEqual({ type: 'error', error: { type: expect.stringMatching(/_error$/), message: expect.any(String) } })
        expect(reply.headers.get('request-id')).toBe(reply.headers.get('x-request-id'))
      } else expect(body).toMatchObject({ error: { message: expect.any(String), type: 'invalid_request_error' } })
    }
  })

  test('also where there is no such route', async () => {
    const reply = await fetch(`${gateway.url}/v1/messages/count_tokens`, { method: 'POST', body: '{}' })
    expect([reply.status, await reply.json()]).toMatchObject([404, { type: 'error', error: { type: 'not_found_error' } }])
  })

  test.each([
    ['chat/completions', /^data: \{"error":\{"message":"it broke"/],
    ['completions', /^data: \{"error":/],
    ['messages', /^event: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"it broke"/],
    ['responses', /^event: error\ndata: \{"type":"error","code":"upstream_truncated","message":"it broke"/],
  ])('%s, after its first event', async (endpoint, last) => {
    broken()
    const reply = await post(endpoint, '{"model":"first/a","stream":true}')
    expect(reply.status).toBe(200)
    const events = (await reply.text()).trim().split('\n\n')
    expect(events[0]).toBe('data: {"one":1}')
    expect(events.at(-1)).toMatch(last)
    expect(events).toHaveLength(2)
  })
})

test.each(MODEL_ENDPOINTS)('%s is served with all that the client said', async (endpoint) => {
  const body = { model: 'first/a', top_k: 3, made_up: { x: [1] } }
  const reply = await post(endpoint, JSON.stringify(body))
  expect([reply.status, await reply.json()]).toEqual([200, { from: 'first' }])
  expect(seen).toMatchObject([{ endpoint, model: 'first/a', body, stream: false }])
  expect(Buffer.from(seen[0]?.raw ?? []).toString()).toBe(JSON.stringify(body))
})

test("Anthropic's clients give their key as x-api-key", async () => {
  const init = { method: 'POST', headers: { 'x-api-key': USER }, body: '{"model":"first/a"}' }
  const reply = await fetch(`${gateway.url}/v1/messages`, init)
  expect(reply.status).toBe(200)
  expect(seen[0]?.headers).not.toHaveProperty('x-api-key')
})

test.each<[string, object, boolean]>([
  ['audio/speech', { stream_format: 'sse' }, true],
  ['audio/speech', { stream_format: 'audio' }, false],
  ['chat/completions', { stream_format: 'sse' }, false],
  ['images/generations', { stream: true }, true],
])('%s with %j streams: %s', async (endpoint, more, stream) => {
  await post(endpoint, JSON.stringify({ model: 'first/a', ...more }))
  expect(seen[0]?.stream).toBe(stream)
})

describe('who served', () => {
  test('is told with the attempts, where the first did', async () => {
    const { headers } = await ask('safe')
    expect([headers.get('x-switchyard-target'), headers.get('x-switchyard-attempts')]).toEqual(['first/first/a', '1'])
  })

  test('is told with the attempts, where another stepped in, whole or streamed, and in the log', async () => {
    down()
    const reply = await ask('safe')
    expect(await reply.json()).toEqual({ from: 'second' })
    expect(reply.headers.get('x-switchyard-target')).toBe('second/second/b')
    expect(reply.headers.get('x-switchyard-attempts')).toBe('2')
    const line = gateway.logged().find(({ requestId }) => requestId === reply.headers.get('x-request-id'))
    expect(line).toMatchObject({ model: 'safe', target: 'second/second/b', attempts: 2, status: 200 })
  })

  test('is told without routing and resilience too', async () => {
    const { headers } = await post('chat/completions', '{"model":"first/a"}', {}, alone)
    expect([headers.get('x-switchyard-target'), headers.get('x-switchyard-attempts')]).toEqual(['first/first/a', '1'])
  })

  test.each(['first/a\r\nx-evil: 1', 'first/模型🙂', 'first/\u0000', 'first/é', 'first/\ud800', `first/${'x'.repeat(2_000)}`])(
    'is told so that a model named %j forges no header',
    async (model) => {
      const reply = await ask(model)
      expect([reply.status, reply.headers.get('x-evil')]).toEqual([200, null])
      expect(reply.headers.get('x-switchyard-target')).toMatch(/^first\/first\/[!-~]{1,500}$/)
    },
  )

  test('or failed: one target answers as it would alone', async () => {
    down()
    const { status, headers } = await ask('first/a')
    expect([status, headers.get('x-switchyard-target'), headers.get('x-switchyard-attempts')]).toEqual([
      502,
      'first/first/a',
      '1',
    ])
  })

  test('or failed: once all were tried it is 503, with the wait that is known', async () => {
    down()
    const { status, headers } = await ask('doomed')
    expect([status, headers.get('x-switchyard-target'), headers.get('x-switchyard-attempts')]).toEqual([
      503,
      'second/second/down',
      '2',
    ])
    expect(headers.get('retry-after')).toBe('3')
  })

  test('or failed: what is the fault of the request stays so', async () => {
    does = () => Promise.reject(new SwitchyardError('UPSTREAM_REJECTED', 'too hot', { details: { status: 400 } }))
    expect((await ask('doomed')).status).toBe(400)
  })
})

describe('wishes by header', () => {
  test.each([
    ['x-switchyard-priority', 'urgent'],
    ['x-switchyard-timeout-ms', '0'],
    ['x-switchyard-timeout-ms', '1.5'],
    ['x-switchyard-timeout-ms', '-1'],
    ['x-switchyard-timeout-ms', '3600001'],
    ['x-switchyard-timeout-ms', 'soon'],
    ['x-switchyard-trace', 'yes'],
  ])('%s: %s is refused, naming the header', async (name, value) => {
    const reply = await ask('first/a', { [name]: value })
    expect([reply.status, await reply.json()]).toMatchObject([400, { error: { param: name } }])
    expect(seen).toEqual([])
  })

  test('a deadline ends the call, and reaches the provider', async () => {
    does = (_, signal) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    const before = Date.now()
    const reply = await ask('first/a', { 'x-switchyard-timeout-ms': '30' })
    expect([reply.status, await reply.json()]).toMatchObject([504, { error: { code: 'timeout' } }])
    expect(deadlines[0]).toBeGreaterThanOrEqual(before + 30)
    expect(deadlines[0]).toBeLessThan(before + 20_000)
  })

  test('without one the call has the operator’s, which a longer wish does not move', async () => {
    const before = Date.now()
    await ask('first/a')
    await ask('first/a', { 'x-switchyard-timeout-ms': '3600000' })
    for (const deadline of deadlines) {
      expect(deadline).toBeGreaterThanOrEqual(before + 600_000)
      expect(deadline).toBeLessThan(before + 620_000)
    }
    expect(deadlines).toHaveLength(2)
  })

  test('a priority and the deployment go with the call', async () => {
    const calls: unknown[] = []
    const off = [gateway, alone].map((one) => one.gateway.kernel.on('call:ended', ({ call }) => calls.push(call.attributes)))
    await ask('first/a', { 'x-switchyard-priority': 'low' })
    await ask('first/a')
    await post('chat/completions', '{"model":"first/a"}', { 'x-switchyard-priority': 'high' }, alone)
    await post('chat/completions', '{"model":"first/a"}', {}, alone)
    expect(calls).toEqual([
      { priority: 'low' },
      {},
      { deployment: 'first/first/a', priority: 'high' },
      { deployment: 'first/first/a' },
    ])
    for (const stop of off) stop()
  })

  test('the trace is for admins only', async () => {
    const reply = await ask('first/a', { 'x-switchyard-trace': '1' })
    expect([reply.status, reply.headers.get('x-switchyard-trace')]).toEqual([403, null])
    expect((await ask('first/a', { 'x-switchyard-trace': '0' })).headers.get('x-switchyard-trace')).toBeNull()
    expect((await ask('first/a', { authorization: `Bearer ${ADMIN}` })).headers.get('x-switchyard-trace')).toBeNull()
  })

  test.each([
    ['safe', 200],
    ['doomed', 503],
  ])('the trace of %s (%i) tells each decision', async (model, status) => {
    down()
    const reply = await ask(model, { authorization: `Bearer ${ADMIN}`, 'x-switchyard-trace': '1' })
    expect(reply.status).toBe(status)
    const trace = JSON.parse(reply.headers.get('x-switchyard-trace') ?? '')
    expect(trace.decisions.map(({ decision }: { decision: string }) => decision)).toEqual(
      expect.arrayContaining(['ranked', 'fallback']),
    )
    expect(trace.measures).toMatchObject({ attemptCount: 2 })
  })
})

test('GET /v1/models lists public names', async () => {
  const reply = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${USER}` } })
  expect(await reply.json()).toMatchObject({ data: [{ id: 'doomed', owned_by: 'switchyard' }, { id: 'safe' }] })
})

test('explain follows a public name to its target', async () => {
  const reply = await post('explain?endpoint=messages', '{"model":"safe"}', { authorization: `Bearer ${ADMIN}` })
  expect(await reply.json()).toMatchObject({ model: 'safe', endpoint: 'messages', target: 'first', served: true })
})
