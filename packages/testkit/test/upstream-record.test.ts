import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../src/index.ts'
import { chat, rawExchange } from './support/raw-exchange.ts'

describe('what the fake upstream remembers, and who chooses the fault', () => {
  let upstream: FakeUpstream
  beforeEach(async () => {
    upstream = await startFakeUpstream()
  })
  afterEach(() => upstream.close())

  test('records a request as it came, and how its exchange went', async () => {
    const text = `{"model":"gpt-fake", "messages":[], "n": 9007199254740993}`
    const reply = await rawExchange(upstream.port, {
      body: text,
      headers: { 'X-Mine': 'yes' },
      path: '/v1/chat/completions?a=1',
    })
    const record = await upstream.whenClosed(0)
    expect(record).toMatchObject({
      index: 0,
      method: 'POST',
      path: '/v1/chat/completions?a=1',
      headers: { 'x-mine': 'yes' },
      body: { model: 'gpt-fake' },
      fault: '',
      closedBeforeEnd: false,
      bytesWritten: reply.wire.length,
    })
    expect(record.rawBody.toString()).toBe(text)
    expect(record.finishedAt).toBeGreaterThanOrEqual(record.receivedAt)
    expect(record.closedAt).toBeGreaterThanOrEqual(record.finishedAt as number)
  })

  test('a client that leaves is told from a fault that closes', async () => {
    upstream.script('reset:mid', 'short', 'end:headers', 'stall:mid')
    for (let index = 0; index < 3; index++) {
      await rawExchange(upstream.port, { body: chat() })
      expect(await upstream.whenClosed(index)).toMatchObject({ closedBeforeEnd: false, finishedAt: undefined })
    }
    const began = performance.now()
    const leaving = rawExchange(upstream.port, { body: chat({ stream: true }), leaveMs: 100 })
    const record = await upstream.whenClosed(3)
    expect(record.closedBeforeEnd).toBe(true)
    expect(performance.now() - began).toBeLessThan(1500)
    expect((await leaving).ending).toBe('open')
  })

  test('a client that leaves while it sends has no body', async () => {
    const socket = connect(upstream.port, '127.0.0.1')
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"model"')
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.resetAndDestroy()
    expect(await upstream.whenClosed(0)).toMatchObject({ closedBeforeEnd: true, body: undefined, rawBody: Buffer.alloc(0) })
  })

  test('whenClosed waits for a request that has not come', async () => {
    const waiting = upstream.whenClosed(1)
    await rawExchange(upstream.port, { body: chat() })
    await rawExchange(upstream.port, { body: chat({ user: 'second' }) })
    expect((await waiting).body).toMatchObject({ user: 'second' })
  })

  test('the header wins over the model name, that over the queue, that over always', async () => {
    upstream.script('status:503', '')
    upstream.always('status:500')
    const status = async (model: string, headers = {}) =>
      (await rawExchange(upstream.port, { body: chat({ model }), headers })).status
    expect(await status('gpt-fake!status:404', { 'x-fault': 'status:529' })).toBe(529)
    expect(await status('gpt-fake!status:404')).toBe(404)
    expect(await status('gpt-fake')).toBe(503)
    expect(await status('gpt-fake')).toBe(200)
    expect(await status('gpt-fake')).toBe(500)
    upstream.always(undefined)
    expect(await status('gpt-fake')).toBe(200)
    expect(upstream.requests.map(({ fault }) => fault)).toEqual([
      'status:529',
      'status:404',
      'status:503',
      '',
      'status:500',
      '',
    ])
  })

  test('the name in the model is the one that answers, without the fault', async () => {
    const reply = await rawExchange(upstream.port, { body: chat({ model: 'openai/gpt-fake!usage-absent' }) })
    expect(JSON.parse(reply.body)).toMatchObject({ model: 'openai/gpt-fake' })
    expect(upstream.requests[0]?.fault).toBe('usage:absent')
  })

  test('clear forgets the queue and the requests, and indexes begin anew', async () => {
    upstream.script('status:503')
    upstream.always('status:500')
    await rawExchange(upstream.port, { body: chat() })
    upstream.clear()
    expect(upstream.requests).toEqual([])
    expect((await rawExchange(upstream.port, { body: chat() })).status).toBe(200)
    expect(upstream.requests.map(({ index }) => index)).toEqual([0])
  })

  test('a wrong fault in a script is a TypeError at once', () => {
    expect(() => upstream.script('status:503', 'explode')).toThrow(TypeError)
    expect(() => upstream.always('status:many')).toThrow(/status is a whole number/)
  })

  test('close drops whoever hangs, is idempotent, and frees the port', async () => {
    upstream.always('stall:headers')
    const hanging = rawExchange(upstream.port, { body: chat(), leaveMs: 5000 })
    while (upstream.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await Promise.all([upstream.close(), upstream.close()])
    expect((await hanging).ending).not.toBe('open')
    await using again = await startFakeUpstream({ port: upstream.port })
    expect(again.port).toBe(upstream.port)
    await expect(startFakeUpstream({ port: upstream.port })).rejects.toThrow(/EADDRINUSE/)
  })

  test('counts connections', async () => {
    upstream.script('reset:accept')
    await rawExchange(upstream.port, { body: chat() })
    await rawExchange(upstream.port, { body: chat() })
    expect(upstream.connections).toBe(2)
    expect(upstream.requests).toHaveLength(1)
  })
})
