import { getEventListeners } from 'node:events'
import { SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { loopbackEgress, manualClock, rawServer, reply, textOf, until } from './support.ts'

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n'
const gone = new SwitchyardError('ABORTED', 'client gone', { details: { by: 'test' } })

describe('abort', () => {
  test('before the start: nothing is sent', async () => {
    await using server = await rawServer(() => {})
    await using egress = loopbackEgress({}, { plugin: 'models' })
    await expect(egress.request(server.url, { signal: AbortSignal.abort(gone) })).rejects.toBe(gone)
    await expect(egress.request(server.url, { signal: AbortSignal.abort('why') })).rejects.toMatchObject({
      code: 'ABORTED',
      retryable: false,
      plugin: 'models',
      cause: 'why',
      details: { sent: false },
    })
    expect([server.accepted, egress.stats().requests]).toEqual([0, 0])
  })

  test('while a name is resolved, and while the socket opens', async () => {
    await using egress = loopbackEgress({}, { lookup: () => new Promise(() => {}) })
    const controller = new AbortController()
    const pending = egress.request('http://slow.test/', { signal: controller.signal })
    await until(() => egress.stats().connecting === 1)
    controller.abort(gone)
    await expect(pending).rejects.toBe(gone)
    expect(egress.stats()).toMatchObject({ origins: 0, connecting: 0, busy: 0 })
  })

  test('in the tick of the request', async () => {
    await using server = await rawServer(() => {})
    await using egress = loopbackEgress()
    const controller = new AbortController()
    const pending = egress.request(server.url, { signal: controller.signal })
    controller.abort(gone)
    await expect(pending).rejects.toBe(gone)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect([server.requests.length, server.open.size, egress.stats().origins]).toEqual([0, 0, 0])
  })

  test('while the reply is awaited: the socket closes, the rejection does not wait for that', async () => {
    await using server = await rawServer(() => {})
    await using egress = loopbackEgress()
    const controller = new AbortController()
    const pending = egress.request(server.url, { signal: controller.signal })
    await until(() => server.requests.length === 1)
    controller.abort(gone)
    await expect(pending).rejects.toBe(gone)
    await server.drained()
  })

  test('in the body: a waiting reader learns it at once, and what was buffered is dropped', async () => {
    await using server = await rawServer((socket) => socket.write(`${HEAD}half`))
    await using egress = loopbackEgress()
    for (const read of ['waiting', 'not reading', 'whole']) {
      const controller = new AbortController()
      const { body } = await egress.request(server.url, { signal: controller.signal })
      const iterator = body[Symbol.asyncIterator]()
      let rest: Promise<unknown> | undefined
      if (read === 'waiting') {
        await iterator.next()
        rest = iterator.next()
      } else if (read === 'whole') rest = body.bytes()
      controller.abort(gone)
      await expect(rest ?? iterator.next()).rejects.toBe(gone)
      await expect(iterator.next()).rejects.toBe(gone)
      await server.drained()
    }
    expect(egress.stats()).toMatchObject({ busy: 0, open: 0 })
  })

  test('after the end changes nothing', async () => {
    await using server = await rawServer((socket) => socket.write(reply('whole')))
    await using egress = loopbackEgress()
    const controller = new AbortController()
    const { body } = await egress.request(server.url, { signal: controller.signal })
    await until(() => egress.stats().busy === 0)
    controller.abort(gone)
    expect(await textOf(body)).toBe('whole')
    expect(egress.stats().open).toBe(1)
  })

  test('of one request leaves its neighbours alone', async () => {
    await using server = await rawServer((socket, _nth, head) => void (head.includes('/stay') && socket.write(reply('ok'))))
    await using egress = loopbackEgress()
    const controller = new AbortController()
    const leaving = egress.request(server.url, { signal: controller.signal })
    const staying = egress.request(`${server.url}/stay`)
    controller.abort(gone)
    await expect(leaving).rejects.toBe(gone)
    expect(await textOf((await staying).body)).toBe('ok')
  })
})

describe('giving a body up', () => {
  test('leaving the loop closes the socket', async () => {
    await using server = await rawServer((socket) => socket.write(`${HEAD}half`))
    await using egress = loopbackEgress()
    const { body } = await egress.request(server.url)
    for await (const _chunk of body) break
    await server.drained()
    expect(egress.stats()).toMatchObject({ busy: 0, open: 0 })
  })

  test('a throw in the loop closes the socket', async () => {
    await using server = await rawServer((socket) => socket.write(`${HEAD}half`))
    await using egress = loopbackEgress()
    const { body } = await egress.request(server.url)
    const reading = async (): Promise<void> => {
      for await (const _chunk of body) throw new Error('reader')
    }
    await expect(reading()).rejects.toThrow('reader')
    await server.drained()
  })

  test('destroy closes the socket, and tells whoever waits', async () => {
    await using server = await rawServer((socket) => socket.write(HEAD))
    await using egress = loopbackEgress()
    const first = (await egress.request(server.url)).body
    const waiting = first.bytes()
    first.destroy(gone)
    await expect(waiting).rejects.toBe(gone)
    const second = (await egress.request(server.url)).body
    second.destroy(new Error('other'))
    await expect(second.bytes()).rejects.toMatchObject({
      code: 'ABORTED',
      cause: expect.objectContaining({ message: 'other' }),
    })
    await server.drained()
  })

  test('destroy after the end keeps the socket', async () => {
    await using server = await rawServer((socket) => socket.write(reply('whole')))
    await using egress = loopbackEgress()
    const { body } = await egress.request(server.url)
    await body.bytes()
    body.destroy()
    await textOf((await egress.request(server.url)).body)
    expect(server.accepted).toBe(1)
  })
})

describe('leaks', () => {
  test('1,000 aborted requests leave no socket, listener, timer or waiter', async () => {
    const clock = manualClock()
    await using server = await rawServer((socket, nth) => {
      if (nth % 3 === 1) socket.write(`${HEAD}half`)
      else if (nth % 3 === 2) socket.write(reply('whole'))
    })
    await using egress = loopbackEgress({ connections: 20 }, { clock })
    const long = new AbortController()
    let aborted = 0
    const one = async (index: number): Promise<void> => {
      const controller = new AbortController()
      const forward = (): void => controller.abort(gone)
      long.signal.addEventListener('abort', forward)
      const leaving = setTimeout(forward, index % 7)
      try {
        const { body } = await egress.request(server.url, { signal: controller.signal })
        await body.bytes()
      } catch (error) {
        expect(error).toBe(gone)
        aborted++
      } finally {
        clearTimeout(leaving)
        expect(getEventListeners(controller.signal, 'abort')).toEqual([])
        long.signal.removeEventListener('abort', forward)
      }
    }
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 75 }, (_, index) => one(index)))
    expect(aborted).toBeGreaterThan(1_000)
    await until(() => server.open.size <= egress.stats().open)
    expect(egress.stats()).toMatchObject({ busy: 0, queued: 0, connecting: 0 })
    expect(clock.pending).toBe(0)
    await egress.close()
    await server.drained()
    expect(egress.stats()).toMatchObject({ origins: 0, open: 0 })
  })

  test('a signal that outlives its requests keeps no listener of theirs', async () => {
    await using server = await rawServer((socket, nth) => (nth % 2 === 0 ? socket.write(reply('ok')) : socket.destroy()))
    await using egress = loopbackEgress({ maxRedirects: 1 })
    const { signal } = new AbortController()
    for (let index = 0; index < 50; index++) {
      await egress.request(server.url, { signal, method: 'POST' }).then(
        ({ body }) => body.bytes(),
        () => {},
      )
    }
    await egress.request('http://10.0.0.1/', { signal }).catch(() => {})
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})
