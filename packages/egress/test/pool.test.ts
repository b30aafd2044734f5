import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { loopbackEgress, rawServer, reply, textOf, until } from './support.ts'

describe('sockets', () => {
  test('are reused, one request at a time', async () => {
    await using server = await rawServer((socket) => socket.write(reply('ok')))
    await using egress = loopbackEgress()
    for (let index = 0; index < 20; index++) await textOf((await egress.request(`${server.url}/${index}`)).body)
    expect(server.accepted).toBe(1)
    await Promise.all(Array.from({ length: 5 }, async () => textOf((await egress.request(server.url)).body)))
    expect(server.accepted).toBe(5)
    expect(egress.stats()).toEqual({ origins: 1, open: 5, connecting: 0, busy: 0, queued: 0, requests: 25, repeats: 0 })
  })

  test('beyond connections requests wait in order; beyond maxQueued they are refused; an aborted one leaves at once', async () => {
    const held: Socket[] = []
    await using server = await rawServer((socket) => void held.push(socket))
    await using egress = loopbackEgress({ connections: 1, maxQueued: 2 })
    const first = egress.request(`${server.url}/1`)
    const controller = new AbortController()
    const second = egress.request(`${server.url}/2`, { signal: controller.signal })
    const third = egress.request(`${server.url}/3`)
    await expect(egress.request(`${server.url}/4`)).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryable: true,
      details: { sent: false },
    })
    await until(() => server.requests.length === 1)
    expect(egress.stats()).toMatchObject({ busy: 1, queued: 2 })
    controller.abort()
    await expect(second).rejects.toMatchObject({ code: 'ABORTED', details: { sent: false } })
    expect(egress.stats().queued).toBe(1)
    held[0]?.write(reply('one'))
    expect(await textOf((await first).body)).toBe('one')
    await until(() => server.requests.length === 2)
    held[1]?.write(reply('three'))
    expect(await textOf((await third).body)).toBe('three')
    expect(server.requests.map((text) => text.slice(4, 6))).toEqual(['/1', '/3'])
    expect(server.accepted).toBe(1)
  })

  test('a failed request hands its place to the next in line', async () => {
    await using server = await rawServer((socket, nth) => (nth === 1 ? socket.destroy() : socket.write(reply('ok'))))
    await using egress = loopbackEgress({ connections: 1 })
    const first = egress.request(server.url)
    const second = egress.request(server.url)
    await expect(first).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect(await textOf((await second).body)).toBe('ok')
  })

  test('every request in line gets its own answer from a peer that refuses', async () => {
    const closed = await rawServer(() => {})
    await closed[Symbol.asyncDispose]()
    await using egress = loopbackEgress({ connections: 2 })
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => egress.request(closed.url)))
    for (const one of all)
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'UPSTREAM_UNAVAILABLE', details: { sent: false } } })
    expect(egress.stats()).toMatchObject({ origins: 0, busy: 0, queued: 0 })
  })

  test('an origin is forgotten when its last socket closes, and comes back', async () => {
    await using server = await rawServer((socket) => socket.write(reply('ok')))
    await using egress = loopbackEgress({ keepAliveTimeoutMs: 50 })
    await textOf((await egress.request(server.url)).body)
    await until(() => egress.stats().origins === 0)
    await textOf((await egress.request(server.url)).body)
    expect(egress.stats()).toMatchObject({ origins: 1, open: 1 })
    expect(server.accepted).toBe(2)
  })
})

describe('a socket that died while it was idle', () => {
  test('seen before the request: a new one is used, and nothing fails', async () => {
    let socket: Socket | undefined
    await using server = await rawServer((each) => {
      socket = each
      each.write(reply('ok'))
    })
    await using egress = loopbackEgress()
    for (let round = 0; round < 20; round++) {
      await textOf((await egress.request(server.url, { method: 'POST', body: 'x' })).body)
      socket?.end()
      await until(() => egress.stats().open === 0)
    }
    expect(egress.stats()).toMatchObject({ requests: 20, repeats: 0 })
  })

  test('seen after the request: sent once more, if it may be sent twice', async () => {
    for (const options of [{}, { method: 'PUT', body: 'x' }, { method: 'POST', body: 'x', idempotent: true }]) {
      await using server = await rawServer((socket, nth) =>
        nth === 2 ? socket.destroy() : socket.write(reply(`answer ${nth}`)),
      )
      await using egress = loopbackEgress()
      await textOf((await egress.request(server.url)).body)
      expect(await textOf((await egress.request(server.url, options)).body)).toBe('answer 3')
      expect([server.accepted, egress.stats().repeats]).toEqual([2, 1])
    }
  })

  test('not if it may not be sent twice', async () => {
    for (const options of [{ method: 'POST', body: 'x' }, { method: 'PATCH' }, { idempotent: false }]) {
      await using server = await rawServer((socket, nth) => (nth === 2 ? socket.destroy() : socket.write(reply('ok'))))
      await using egress = loopbackEgress()
      await textOf((await egress.request(server.url)).body)
      await expect(egress.request(server.url, options)).rejects.toMatchObject({
        code: 'UPSTREAM_UNAVAILABLE',
        details: { sent: true },
      })
      expect([server.requests.length, egress.stats().repeats]).toEqual([2, 0])
    }
  })

  test('not on a new socket, not twice, and not once a byte of reply came', async () => {
    await using dead = await rawServer((socket, nth) => (nth === 1 ? socket.write(reply('ok')) : socket.destroy()))
    await using egress = loopbackEgress()
    await textOf((await egress.request(dead.url)).body)
    await expect(egress.request(dead.url)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect(dead.requests.length).toBe(3)
    await expect(egress.request(dead.url)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect(dead.requests.length).toBe(4)
    await using spoke = await rawServer((socket, nth) => (nth === 1 ? socket.write(reply('ok')) : socket.end('HTTP/1.1 2')))
    await textOf((await egress.request(spoke.url)).body)
    await expect(egress.request(spoke.url)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect(spoke.requests.length).toBe(2)
  })

  test('not twice either when the second sending had to wait for a used socket', async () => {
    const at = new Map<string, Socket>()
    await using server = await rawServer((socket, nth, head) => {
      if (nth <= 2) socket.write(reply('warm'))
      else at.set(head.slice(4, 6), socket)
    })
    await using egress = loopbackEgress({ connections: 2 })
    const warm = await Promise.all([egress.request(server.url), egress.request(server.url)])
    await Promise.all(warm.map(({ body }) => body.bytes()))
    const repeated = egress.request(`${server.url}/r`).catch((error: unknown) => error)
    const held = egress.request(`${server.url}/h`)
    const ahead = egress.request(`${server.url}/a`)
    await until(() => at.has('/r') && at.has('/h'))
    at.get('/r')?.destroy()
    at.delete('/r')
    await until(() => at.has('/a') && egress.stats().queued === 1)
    at.get('/h')?.write(reply('held'))
    await textOf((await held).body)
    await until(() => at.has('/r'))
    expect(at.get('/r')).toBe(at.get('/h'))
    at.get('/r')?.destroy()
    expect(await repeated).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    at.get('/a')?.write(reply('ahead'))
    await textOf((await ahead).body)
    expect(egress.stats().repeats).toBe(1)
  })

  test('an abort between the two sendings ends it', async () => {
    const controller = new AbortController()
    await using server = await rawServer((socket, nth) => {
      if (nth === 1) socket.write(reply('ok'))
      else if (nth === 2) socket.destroy()
      else controller.abort()
    })
    await using egress = loopbackEgress()
    await textOf((await egress.request(server.url)).body)
    await expect(egress.request(server.url, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    await server.drained()
    expect(egress.stats().busy).toBe(0)
  })
})

describe('close', () => {
  test('ends what runs, what waits and what opens, and is idempotent', async () => {
    await using server = await rawServer(
      (socket, nth) => void (nth === 1 && socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')),
    )
    const egress = loopbackEgress({ connections: 2 })
    const { body } = await egress.request(server.url)
    const pending = [egress.request(server.url), egress.request(server.url)]
    await until(() => server.requests.length === 2)
    const closing = egress.close()
    expect(egress.close()).toBe(closing)
    for (const one of await Promise.allSettled(pending))
      expect(one).toMatchObject({ reason: { code: 'CLOSED', retryable: false } })
    await expect(body.bytes()).rejects.toMatchObject({ code: 'CLOSED' })
    await closing
    await server.drained()
    await expect(egress.request(server.url)).rejects.toMatchObject({ code: 'CLOSED', details: { sent: false } })
  })

  test('closes idle sockets', async () => {
    await using server = await rawServer((socket) => socket.write(reply('ok')))
    const egress = loopbackEgress()
    await textOf((await egress.request(server.url)).body)
    const [socket] = server.open
    const closed = once(socket as Socket, 'close')
    await egress.close()
    await closed
    expect(egress.stats()).toMatchObject({ origins: 0, open: 0 })
  })
})
