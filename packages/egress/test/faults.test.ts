import { createServer } from 'node:net'
import { SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { loopbackEgress, manualClock, rawServer, reply, textOf, until } from './support.ts'

async function portOfNobody(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<{ text: string; error: unknown }> {
  let text = ''
  try {
    for await (const chunk of body) text += Buffer.from(chunk).toString()
  } catch (error) {
    return { text, error }
  }
  return { text, error: undefined }
}

describe('before a reply', () => {
  test('refused connections say that nothing was sent', async () => {
    await using egress = loopbackEgress({}, { plugin: 'models' })
    const error = await egress.request(`http://127.0.0.1:${await portOfNobody()}/key?secret=1`).catch((e: unknown) => e)
    expect(error).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
      plugin: 'models',
      details: { sent: false, vendorCode: 'ECONNREFUSED' },
    })
    expect(String(error)).not.toMatch(/key|secret/)
    expect(egress.stats()).toMatchObject({ origins: 0, busy: 0, open: 0 })
  })

  test('a peer that takes the request and hangs', async () => {
    await using server = await rawServer(() => {})
    await using egress = loopbackEgress({ headersTimeoutMs: 100 })
    await expect(egress.request(server.url)).rejects.toMatchObject({
      code: 'TIMEOUT',
      retryable: true,
      details: { phase: 'headers', sent: true },
    })
    await server.drained()
  })

  test('a request may have a headers bound of its own, longer and shorter', async () => {
    await using server = await rawServer((socket) => void setTimeout(() => socket.write(reply('late')), 150))
    await using short = loopbackEgress({ headersTimeoutMs: 50 })
    for (const headersTimeoutMs of [0, Number.POSITIVE_INFINITY, 5_000]) {
      expect(await textOf((await short.request(server.url, { headersTimeoutMs })).body)).toBe('late')
    }
    await using long = loopbackEgress()
    await expect(long.request(server.url, { headersTimeoutMs: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  test.each(['resetAndDestroy', 'destroy', 'end'] as const)('a peer that closes after the request, by %s', async (how) => {
    await using server = await rawServer((socket) => socket[how]())
    await using egress = loopbackEgress()
    await expect(egress.request(server.url)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
      details: { sent: true },
    })
    expect(server.requests.length).toBe(1)
  })

  test('half a status line', async () => {
    await using server = await rawServer((socket) => socket.end('HTTP/1.1 20'))
    await using egress = loopbackEgress()
    await expect(egress.request(server.url)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  })

  test.each([
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
    ['a bad header', 'HTTP/1.1 200 OK\r\nbad\x00name: x\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx'],
  ])('%s is invalid', async (_what, text) => {
    await using server = await rawServer((socket) => socket.write(text))
    await using egress = loopbackEgress()
    await expect(egress.request(server.url)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID', details: { sent: true } })
    await server.drained()
  })

  test('headers beyond maxHeaderBytes', async () => {
    await using server = await rawServer((socket) => socket.write(`HTTP/1.1 200 OK\r\nx-big: ${'x'.repeat(5_000)}\r\n\r\n`))
    await using egress = loopbackEgress({ maxHeaderBytes: 4_096 })
    await expect(egress.request(server.url)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID', retryable: false })
    await server.drained()
  })

  test('endless headers', async () => {
    await using server = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const more = (): void => void (socket.destroyed || socket.write(`x-a: ${'x'.repeat(900)}\r\n`, () => setImmediate(more)))
      more()
    })
    await using egress = loopbackEgress()
    await expect(egress.request(server.url)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID', retryable: false })
  })

  test('interim replies are passed over', async () => {
    await using server = await rawServer((socket) =>
      socket.write(`HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${reply('real')}`),
    )
    await using egress = loopbackEgress()
    const { status, body } = await egress.request(server.url)
    expect([status, await textOf(body)]).toEqual([200, 'real'])
  })

  test('a request that cannot be sent harms no socket', async () => {
    await using server = await rawServer((socket) => socket.write(reply('ok')))
    await using egress = loopbackEgress()
    await textOf((await egress.request(server.url)).body)
    for (const headers of [
      { 'x-a': 'a\r\nb: c' },
      { 'bad name': 'x' },
      { 'transfer-encoding': 'chunked' },
      { 'content-length': '-1' },
    ]) {
      await expect(egress.request(server.url, { headers })).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
        details: { sent: false },
      })
    }
    await expect(egress.request(server.url, { method: 'BAD METHOD' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await textOf((await egress.request(server.url)).body)
    expect([server.accepted, egress.stats().open]).toEqual([1, 1])
    await using fresh = loopbackEgress()
    await expect(fresh.request(server.url, { headers: { 'bad name': 'x' } })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    expect(fresh.stats()).toMatchObject({ origins: 0, busy: 0 })
  })
})

describe('during a body', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\n'
  test.each([
    ['a short content-length, ended', `${HEAD}content-length: 10\r\n\r\nhalf`, 'end'],
    ['a short content-length, reset', `${HEAD}content-length: 10\r\n\r\nhalf`, 'resetAndDestroy'],
    ['chunks without the last, ended', `${HEAD}transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n`, 'end'],
    ['chunks without the last, reset', `${HEAD}transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n`, 'resetAndDestroy'],
    ['half a chunk', `${HEAD}transfer-encoding: chunked\r\n\r\n9\r\nhalf`, 'end'],
    ['close-delimited, reset', `${HEAD}connection: close\r\n\r\nhalf`, 'resetAndDestroy'],
  ] as const)('%s is truncated, in chunks and whole', async (_what, text, how) => {
    await using server = await rawServer((socket) => socket.write(text, () => setTimeout(() => socket[how](), 20)))
    await using egress = loopbackEgress()
    const { text: got, error } = await collect((await egress.request(server.url)).body)
    expect(got).toBe('half')
    expect(error).toMatchObject({ code: 'UPSTREAM_TRUNCATED', retryable: true, details: { sent: true } })
    await expect((await egress.request(server.url)).body.bytes()).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
    expect(egress.stats().busy).toBe(0)
  })

  test('every byte of a chunked reply at which the peer may cut it', async () => {
    const whole = `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`
    await using server = await rawServer((socket, _nth, head) => socket.end(whole.slice(0, Number(/\/(\d+)/.exec(head)?.[1]))))
    await using egress = loopbackEgress()
    for (let length = 0; length <= whole.length; length++) {
      const outcome = await egress
        .request(`${server.url}/${length}`)
        .then((received) => received.body.bytes())
        .then(
          (bytes) => Buffer.from(bytes).toString(),
          (error: unknown) => (SwitchyardError.is(error) ? error.code : error),
        )
      const headers = whole.indexOf('\r\n\r\n') + 4
      expect([length, outcome]).toEqual([
        length,
        length === whole.length ? 'hello world' : length < headers ? 'UPSTREAM_UNAVAILABLE' : 'UPSTREAM_TRUNCATED',
      ])
    }
  })

  test('a bad chunk size is invalid', async () => {
    await using server = await rawServer((socket) =>
      socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n`),
    )
    await using egress = loopbackEgress()
    const { text, error } = await collect((await egress.request(server.url)).body)
    expect([text, (error as SwitchyardError).code]).toEqual(['half', 'UPSTREAM_INVALID'])
  })

  test('a stall', async () => {
    await using server = await rawServer((socket) => socket.write(`${HEAD}content-length: 10\r\n\r\nhalf`))
    await using egress = loopbackEgress({ bodyIdleTimeoutMs: 100 })
    const { text, error } = await collect((await egress.request(server.url)).body)
    expect(text).toBe('half')
    expect(error).toMatchObject({ code: 'TIMEOUT', details: { phase: 'bodyIdle', sent: true } })
    await server.drained()
  })

  test('slow, but never idle for long', async () => {
    await using server = await rawServer((socket) => {
      socket.write(`${HEAD}content-length: 5\r\n\r\n`)
      let left = 5
      const timer = setInterval(() => (left-- > 0 ? socket.write('x') : clearInterval(timer)), 40)
    })
    await using egress = loopbackEgress({ bodyIdleTimeoutMs: 120 })
    expect(await textOf((await egress.request(server.url)).body)).toBe('xxxxx')
  })

  test('a reader that is slow is no stall', async () => {
    const size = 3_000_000
    await using server = await rawServer((socket) => socket.write(reply('x'.repeat(size))))
    await using egress = loopbackEgress({ bodyIdleTimeoutMs: 80 })
    const { body } = await egress.request(server.url)
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect((await body.bytes()).byteLength).toBe(size)
  })

  test('the total bound', async () => {
    const clock = manualClock()
    await using server = await rawServer((socket) => socket.write(`${HEAD}content-length: 10\r\n\r\nhalf`))
    await using egress = loopbackEgress({ totalTimeoutMs: 1_000 }, { clock })
    const { body } = await egress.request(server.url)
    const iterator = body[Symbol.asyncIterator]()
    await iterator.next()
    const rest = iterator.next()
    clock.advance(1_000)
    await expect(rest).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true, details: { phase: 'total' } })
    expect(clock.pending).toBe(0)
    await server.drained()
  })

  test('a deadline, nearer than the bound, before it and in the past', async () => {
    const clock = manualClock(1_000_000)
    await using server = await rawServer(() => {})
    await using egress = loopbackEgress({}, { clock })
    const pending = egress.request(server.url, { deadline: 1_000_050 })
    clock.advance(49)
    await until(() => server.requests.length === 1)
    clock.advance(1)
    await expect(pending).rejects.toMatchObject({ code: 'TIMEOUT', details: { phase: 'total', sent: true } })
    await expect(egress.request(server.url, { deadline: 999 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      details: { sent: false },
    })
    expect([clock.pending, server.requests.length]).toEqual([0, 1])
  })

  test('an endless body, in chunks and whole', async () => {
    await using server = await rawServer((socket) => {
      socket.write(`${HEAD}connection: close\r\n\r\n`)
      const more = (): void => void (socket.destroyed || socket.write(Buffer.alloc(65_536), () => setImmediate(more)))
      more()
    })
    await using egress = loopbackEgress({ maxResponseBytes: 1_000_000 })
    const tooLarge = { code: 'UPSTREAM_INVALID', retryable: false, details: { limitBytes: 1_000_000 } }
    const { text, error } = await collect((await egress.request(server.url)).body)
    expect(text.length).toBeLessThanOrEqual(1_000_000)
    expect(error).toMatchObject(tooLarge)
    await expect((await egress.request(server.url)).body.bytes()).rejects.toMatchObject(tooLarge)
    await expect((await egress.request(server.url)).body.bytes(100)).rejects.toMatchObject({ details: { limitBytes: 100 } })
    await server.drained()
  })

  test('a length that is too large is refused before it comes', async () => {
    await using server = await rawServer((socket) => socket.write(`${HEAD}content-length: 5000\r\n\r\nx`))
    await using egress = loopbackEgress()
    await expect((await egress.request(server.url)).body.bytes(4_999)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
    await server.drained()
  })

  test('a body that nobody reads is destroyed', async () => {
    const clock = manualClock()
    await using server = await rawServer((socket) => socket.write(reply('x'.repeat(3_000_000))))
    await using egress = loopbackEgress(
      { readerIdleTimeoutMs: 1_000, bodyIdleTimeoutMs: 0, totalTimeoutMs: Number.POSITIVE_INFINITY },
      { clock },
    )
    const { body } = await egress.request(server.url)
    await until(() => {
      clock.advance(100)
      return server.open.size === 0
    })
    await expect(body.bytes()).rejects.toMatchObject({ code: 'TIMEOUT', retryable: false, details: { phase: 'reader' } })
    expect(egress.stats()).toMatchObject({ busy: 0, open: 0 })
  })
})

describe('framings', () => {
  test.each([
    ['a content-length', reply('body', 'X-Two: a\r\nx-two: b\r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\n'), 'body'],
    [
      'chunks',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-two: a\r\nx-two: b\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\ntrailer: x\r\n\r\n',
      'body',
    ],
    ['nothing', reply('', 'x-two: a, b\r\n', '204 No Content'), ''],
  ])('%s', async (_what, text, expected) => {
    await using server = await rawServer((socket) => socket.write(text))
    await using egress = loopbackEgress()
    for (let round = 0; round < 2; round++) {
      const { headers, body } = await egress.request(server.url)
      expect(headers['x-two']).toBe('a, b')
      expect(await textOf(body)).toBe(expected)
    }
    expect(server.accepted).toBe(1)
  })

  test('closed by the peer: complete, and the next request gets a new socket', async () => {
    await using server = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nbody'))
    await using egress = loopbackEgress()
    expect(await textOf((await egress.request(server.url)).body)).toBe('body')
    expect(await textOf((await egress.request(server.url)).body)).toBe('body')
    await until(() => egress.stats().origins === 0)
  })

  test('HEAD has a length and no body', async () => {
    await using server = await rawServer((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n'))
    await using egress = loopbackEgress({ maxResponseBytes: 10 })
    expect(await textOf((await egress.request(server.url, { method: 'HEAD' })).body)).toBe('')
  })

  test('what is sent: no accept-encoding, the body as it is', async () => {
    await using server = await rawServer((socket) => socket.write(reply('')))
    await using egress = loopbackEgress()
    for (const body of ['grüß', new TextEncoder().encode('grüß')]) {
      await textOf(
        (await egress.request(`${server.url}/p?q`, { method: 'post', body, headers: { 'content-type': 'text/plain' } })).body,
      )
      const sent = server.requests.at(-1) as string
      expect(sent).toMatch(/^POST \/p\?q HTTP\/1\.1\r\n/)
      expect(sent).toContain('content-length: 6\r\n')
      expect(Buffer.from(sent.slice(-6), 'latin1').toString()).toBe('grüß')
      expect(sent).not.toMatch(/accept-encoding/i)
    }
  })
})
