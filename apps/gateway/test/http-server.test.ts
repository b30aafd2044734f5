import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openai } from '@switchyard/provider-openai'
import { recordingLogger } from '@switchyard/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { listen, serverFor } from '../src/server/http-server.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { CHAT_HEAD, rawRequest } from './support/raw-request.ts'
import { stubProvider, wholeReply } from './support/stub-provider.ts'

let gateway: TestGateway
beforeAll(async () => {
  const plugins = [
    stubProvider({ name: 'stub' }),
    stubProvider({ name: 'buggy', invoke: () => Promise.reject(new TypeError('the inner canary')) }),
    stubProvider({
      name: 'forger',
      invoke: async () => ({ ...wholeReply({}), headers: { 'content-type': 'a\r\nx-evil: 1' } }),
    }),
    stubProvider({ name: 'wordy', models: async () => [{ id: 'wordy/1', ownedBy: 'w', createdAt: 5 }] }),
    stubProvider({ name: 'mute', models: () => Promise.reject(new Error('cannot list')) }),
  ]
  const server = { maxBodyBytes: 1_000, headersTimeoutMs: 300, requestTimeoutMs: 600 }
  gateway = await testGateway(plugins, { server })
})
afterAll(() => gateway?.close())

interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: { readonly error: { readonly message: string; readonly type: string; readonly code: string | null } }
}

function parsed(text: string): Reply {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = new Headers(lines.map((line) => line.split(': ', 2) as [string, string]))
  return { status: Number(first.split(' ')[1]), headers, body: JSON.parse(body) }
}

describe('what never becomes a request', () => {
  test.each([
    ['no HTTP', 'hello there\r\n\r\n', 400, /not an HTTP\/1\.1 request/],
    ['a header that is none', 'GET / HTTP/1.1\r\nno colon\r\n\r\n', 400, /not an HTTP/],
    ['two lengths', `${CHAT_HEAD}content-length: 1\r\ncontent-length: 2\r\n\r\n`, 400, /not an HTTP/],
    ['a length that the body belies', `${CHAT_HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`, 400, /not an HTTP/],
    ['headers that never end', 'GET / HTTP/1.1\r\nhost: here\r\n', 408, /did not arrive in time/],
    ['a body that never ends', `${CHAT_HEAD}content-length: 9\r\n\r\n{`, 408, /did not arrive in time/],
  ])('%s is refused in the dialect, with an id that the log has', async (_, text, status, message) => {
    const reply = parsed(await rawRequest(gateway.url, text).closed)
    expect(reply.status).toBe(status)
    expect(reply.headers.get('connection')).toBe('close')
    expect(reply.body.error).toMatchObject({ message: expect.stringMatching(message), type: 'invalid_request_error' })
    const id = reply.headers.get('x-request-id')
    expect(id).toMatch(/^req_/)
    expect(gateway.logged()).toContainEqual(expect.objectContaining({ requestId: id, status, msg: 'request refused' }))
  })

  test('a connection that is reset harms nobody', async () => {
    const { socket, closed } = rawRequest(gateway.url, 'GET /healthz HT')
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.resetAndDestroy()
    await closed
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
  })
})

describe('a body', () => {
  const tooLarge = {
    status: 413,
    body: { error: { code: 'request_too_large', message: expect.stringContaining('1000 bytes') } },
  }

  test('that says it is too large is refused before it is sent', async () => {
    const { closed } = rawRequest(gateway.url, `${CHAT_HEAD}content-length: 1001\r\n\r\n`)
    const reply = parsed(await closed)
    expect(reply).toMatchObject(tooLarge)
    expect(reply.headers.get('connection')).toBe('close')
  })

  test('that turns out too large is refused while it streams in', async () => {
    const { socket, closed, received } = rawRequest(gateway.url, `${CHAT_HEAD}transfer-encoding: chunked\r\n\r\n`)
    const chunk = `1f4\r\n${'x'.repeat(500)}\r\n`
    socket.write(chunk + chunk)
    await new Promise(setImmediate)
    expect(received()).toBe('')
    socket.write(chunk)
    expect(parsed(await closed)).toMatchObject(tooLarge)
  })

  test('in many pieces is put together', async () => {
    const { socket, closed } = rawRequest(gateway.url, `${CHAT_HEAD}transfer-encoding: chunked\r\nconnection: close\r\n\r\n`)
    for (const piece of ['{"model": ', '"stub/', 'one"}']) {
      socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`)
      await new Promise(setImmediate)
    }
    socket.write('0\r\n\r\n')
    expect(await closed).toContain('{"from":"stub"}')
  })

  test('whose sender leaves half-way is noted as aborted', async () => {
    const { socket } = rawRequest(gateway.url, `${CHAT_HEAD}x-request-id: half-way\r\ncontent-length: 9\r\n\r\n{`)
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.end()
    await expect.poll(() => gateway.logged().find(({ requestId }) => requestId === 'half-way')).toMatchObject({ status: 499 })
  })
})

describe('routes', () => {
  test.each([
    ['GET', '/v1/chat/completions', /takes POST, not GET/],
    ['POST', '/healthz', /takes GET, not POST/],
    ['GET', '/v1/nothing?x=1', /there is no route GET \/v1\/nothing$/],
  ])('%s %s is 404 in the dialect', async (method, path, message) => {
    const reply = await fetch(gateway.url + path, { method })
    expect(reply.status).toBe(404)
    expect(await reply.json()).toMatchObject({ error: { code: 'unknown_url', message: expect.stringMatching(message) } })
  })

  test('a bug tells the client nothing, and the log where it was', async () => {
    const reply = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: '{"model":"buggy/x"}' })
    expect(reply.status).toBe(500)
    expect(await reply.text()).not.toContain('canary')
    const requestId = reply.headers.get('x-request-id')
    const line = gateway.logged().find((entry) => entry.requestId === requestId)
    expect(line).toMatchObject({ status: 500, error: 'INTERNAL', stack: expect.stringContaining('the inner canary') })
  })

  test('a reply whose head cannot be written ends that connection, is logged, and harms nobody', async () => {
    const body = '{"model":"forger/x"}'
    const text = `${CHAT_HEAD}x-request-id: forged\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    expect(await rawRequest(gateway.url, text).closed).toBe('')
    expect(gateway.logged()).toContainEqual(
      expect.objectContaining({ level: 'error', requestId: 'forged', msg: 'a failure could not be told' }),
    )
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
  })

  test('a request id that could forge a log line is replaced', async () => {
    const reply = await fetch(`${gateway.url}/healthz`, { headers: { 'x-request-id': 'a b"}' } })
    expect(reply.headers.get('x-request-id')).toMatch(/^req_/)
  })

  test('an instance that cannot list its models is left out, and said so', async () => {
    const { data } = (await (await fetch(`${gateway.url}/v1/models`)).json()) as { data: unknown[] }
    expect(data).toEqual([{ id: 'wordy/1', object: 'model', created: 5, owned_by: 'w' }])
    expect(gateway.logged()).toContainEqual(
      expect.objectContaining({ level: 'warn', instance: 'mute', err: expect.objectContaining({ message: 'cannot list' }) }),
    )
  })

  test('an endpoint that is not served cannot be explained', async () => {
    const explain = (query: string): Promise<Response> =>
      fetch(`${gateway.url}/v1/explain${query}`, { method: 'POST', body: '{"model":"stub/x"}' })
    const reply = await explain('?endpoint=nonsense')
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ error: { param: 'endpoint', message: expect.stringContaining('embeddings') } })
    expect(await (await explain('?endpoint=embeddings')).json()).toMatchObject({ target: 'stub', endpoint: 'embeddings' })
  })
})

describe('the address', () => {
  test('a taken port names the mend', async () => {
    const port = Number(new URL(gateway.url).port)
    await expect(testGateway([], { server: { port } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `cannot listen on 127.0.0.1:${port}: it is taken: stop what listens there, or choose another with --port`,
    })
  })

  test('a host that is not ours says why', async () => {
    const auth = { keys: [{ key: 'sk-a-long-enough-key', tenant: 'acme' }] }
    await expect(testGateway([], { server: { host: '192.0.2.1' }, auth })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^cannot listen on 192\.0\.2\.1:0: .*EADDRNOTAVAIL/),
    })
  })

  test('a connection that cannot be taken is logged, and does not end the process', async () => {
    const log = recordingLogger()
    const { kernel, live } = gateway.gateway
    const server = serverFor({ kernel, live, log, draining: () => false })
    await listen(server, { ...live().settings.server, port: 0 }, log)
    server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
    server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
    server.close()
    expect(log.records).toHaveLength(2)
    expect(log.text()).toContain('accept EMFILE')
  })

  test('a time for the whole request that is less than that for its headers is no contradiction', async () => {
    const brief = await testGateway([], { server: { requestTimeoutMs: 5_000 } })
    expect((await fetch(`${brief.url}/healthz`)).status).toBe(200)
    await brief.close()
  })
})

describe('a stream that nobody reads', () => {
  let slow: TestGateway
  afterEach(() => slow.close())

  test('is dropped after slowClientTimeoutMs, and the upstream with it', async () => {
    const event = `data: {"choices":[{"index":0,"delta":{"content":"${'x'.repeat(64_000)}"}}]}\n\n`
    let left = (): void => {}
    const upstreamLeft = new Promise<void>((resolve) => {
      left = resolve
    })
    const upstream = createServer((_, response) => {
      response.on('close', left)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const pour = (): void => {
        while (!response.destroyed && response.write(event));
        response.once('drain', pour)
      }
      pour()
    })
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
    const baseUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`
    slow = await testGateway([openai({ provider: 'flood', baseUrl, egress: { allow: ['127.0.0.0/8'] } })], {
      server: { slowClientTimeoutMs: 200 },
    })
    const body = '{"model":"flood/x","stream":true,"messages":[]}'
    const { socket } = rawRequest(slow.url, `${CHAT_HEAD}content-length: ${body.length}\r\n\r\n${body}`)
    socket.pause()
    await upstreamLeft
    await expect
      .poll(() => slow.logged().find(({ msg }) => msg === 'request'))
      .toMatchObject({ status: 499, stream: true, model: 'flood/x' })
    socket.destroy()
    upstream.close()
  })
})
