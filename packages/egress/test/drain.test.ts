import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { EgressBody } from '../src/index.ts'
import { loopbackEgress, manualClock, rawServer, reply, until } from './support.ts'

const HEAD = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const END = '0\r\n\r\n'

async function first(body: EgressBody): Promise<string> {
  const { value } = await body[Symbol.asyncIterator]().next()
  return Buffer.from(value as Uint8Array).toString()
}

describe('a body whose rest nobody wants', () => {
  test('keeps its socket when the end comes a little later', async () => {
    const sockets: Socket[] = []
    await using server = await rawServer((socket, nth) => {
      sockets.push(socket)
      socket.write(nth === 1 ? HEAD + chunk('[DONE]') : reply('ok'))
    })
    await using egress = loopbackEgress()
    const { body } = await egress.request(server.url)
    expect(await first(body)).toBe('[DONE]')
    body.drain()
    expect((await body[Symbol.asyncIterator]().next()).done).toBe(true)
    expect(egress.stats()).toMatchObject({ open: 1, busy: 1 })
    sockets[0]?.write(chunk('unread') + END)
    await until(() => egress.stats().busy === 0)
    expect(egress.stats()).toMatchObject({ open: 1 })
    await (await egress.request(server.url)).body.bytes()
    expect(server.accepted).toBe(1)
  })

  test('gives its socket up when the rest is long', async () => {
    let peer: Socket | undefined
    await using server = await rawServer((socket) => {
      peer = socket
      socket.write(HEAD + chunk('[DONE]'))
    })
    await using egress = loopbackEgress({}, { clock: manualClock() })
    const { body } = await egress.request(server.url)
    await first(body)
    body.drain()
    peer?.write(chunk('x'.repeat(70_000)))
    await server.drained()
    await until(() => egress.stats().open === 0)
  })

  test('gives its socket up after a second, also while bytes drip', async () => {
    const clock = manualClock()
    let peer: Socket | undefined
    await using server = await rawServer((socket) => {
      peer = socket
      socket.write(HEAD + chunk('[DONE]'))
    })
    await using egress = loopbackEgress({}, { clock })
    const { body } = await egress.request(server.url)
    await first(body)
    body.drain()
    clock.advance(999)
    peer?.write(chunk('drip'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(egress.stats().open).toBe(1)
    clock.advance(1)
    await server.drained()
    expect(clock.pending).toBe(0)
  })

  test('does nothing to a body that has ended, and ends a reader that waits', async () => {
    await using server = await rawServer((socket, nth) => socket.write(nth === 1 ? reply('whole') : HEAD + chunk('a')))
    await using egress = loopbackEgress()
    const ended = (await egress.request(server.url)).body
    await until(() => egress.stats().busy === 0)
    ended.drain()
    expect(egress.stats()).toMatchObject({ open: 1, busy: 0 })
    const { body } = await egress.request(server.url)
    const reader = body[Symbol.asyncIterator]()
    await reader.next()
    const waiting = reader.next()
    body.drain()
    expect((await waiting).done).toBe(true)
  })
})
