import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { PostgresInput } from '../src/index.ts'
import { failureOf, gate, open, PATIENCE } from './support/database.ts'

/** What a server sends that lets anybody in: AuthenticationOk, and that it is ready. */
const WELCOME = Buffer.from('520000000800000000' + '5a0000000549', 'hex')

interface Fake {
  readonly port: number
  /** Connections that are open. */
  open(): number
}

/** Listens on a port of 127.0.0.1 and speaks no PostgreSQL of its own. */
async function fake(onConnection: (socket: Socket) => void): Promise<Fake> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    // Unread, it would never see the other side leave.
    socket.resume()
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  return { port: (server.address() as AddressInfo).port, open: () => sockets.size }
}

/** A port of 127.0.0.1 where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}

const at = (port: number, more: PostgresInput = {}): PostgresInput => ({ host: '127.0.0.1', port, user: 'ada', ...more })

describe('a server that is not there', () => {
  test('stops the start with UPSTREAM_UNAVAILABLE, which is no mistake of the options', async () => {
    expect(await failureOf(open(at(await closedPort())))).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
      details: { vendorCode: 'ECONNREFUSED', sent: false },
    })
  })

  test('nor in the folder of a socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    expect(await failureOf(open({ host: folder, user: 'ada' }))).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { vendorCode: 'ENOENT', sent: false },
    })
  })

  test('does not stop a start without connectOnStart; calls and the probe reject', async () => {
    const clock = virtualClock()
    const { db, plugin } = await open(at(await closedPort(), { connectOnStart: false }), clock)
    const gone = { code: 'UPSTREAM_UNAVAILABLE', details: { sent: false } }
    for (const ask of [
      () => db.query('SELECT 1'),
      () => db.transaction(async () => {}),
      () => db.stream('SELECT 1')[Symbol.asyncIterator]().next(),
      () => plugin.health?.() as Promise<void>,
    ]) {
      const failure = failureOf(ask())
      await expect.poll(() => db.stats().waiting, PATIENCE).toBeLessThanOrEqual(1)
      await clock.advance(5_000)
      expect(await failure).toMatchObject(gone)
    }
  })
})

describe('a server that accepts and says nothing', () => {
  test.each<[string, PostgresInput, Buffer | undefined]>([
    ['at the login', {}, undefined],
    ['when it is asked for TLS', { tls: { mode: 'require' } }, undefined],
    ['when TLS begins', { tls: { mode: 'require' } }, Buffer.from('S')],
    ['after it has let in', {}, WELCOME.subarray(0, 9)],
  ])('%s is given up after connectTimeoutMs, and hung up on', async (_name, options, answer) => {
    const clock = virtualClock()
    const heard = gate()
    const server = await fake((socket) => {
      socket.once('data', () => {
        if (answer !== undefined) socket.write(answer)
        heard.open()
      })
    })
    const { db } = await open(at(server.port, { ...options, connectOnStart: false, connectTimeoutMs: 2_000 }), clock)
    let ended = false
    const query = failureOf(db.query('SELECT 1')).finally(() => (ended = true))
    await heard.opened
    await clock.advance(1_999)
    expect(ended).toBe(false)
    await clock.advance(1)
    expect(await query).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining(`127.0.0.1:${server.port} within 2000 ms (connectTimeoutMs)`),
      details: { sent: false },
    })
    await expect.poll(server.open, PATIENCE).toBe(0)
  })

  test('to a query is given up after its time, and its connection with it', async () => {
    const clock = virtualClock()
    const asked = gate()
    const server = await fake((socket) => {
      socket.once('data', () => {
        socket.write(WELCOME)
        socket.once('data', () => asked.open())
      })
    })
    const limits = { connectOnStart: false, statementTimeoutMs: 3_000, cancelTimeoutMs: 500 }
    const { db } = await open(at(server.port, limits), clock)
    const query = failureOf(db.query('SELECT 1'))
    await asked.opened
    await clock.advance(4_500)
    expect(await query).toMatchObject({ code: 'TIMEOUT' })
    expect(db.stats()).toMatchObject({ total: 0 })
    await expect.poll(server.open, PATIENCE).toBe(0)
  })
})

describe('a server that', () => {
  test.each<[string, PostgresInput, string | Buffer]>([
    ['hangs up at once', {}, ''],
    ['hangs up when it is asked for TLS', { tls: { mode: 'require' } }, ''],
    ['hangs up when TLS begins', { tls: { mode: 'require' } }, 'S'],
    ['answers TLS with an error', { tls: { mode: 'require' } }, 'E'],
    ['hangs up half-way through the login', {}, WELCOME.subarray(0, 9)],
  ])('%s is UPSTREAM_UNAVAILABLE, never sent', async (_name, options, answer) => {
    const server = await fake((socket) => socket.once('data', () => socket.end(answer)))
    expect(await failureOf(open(at(server.port, options)))).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
      details: { sent: false },
    })
  })

  test('sends what is none of the protocol’s messages is UPSTREAM_INVALID, and is hung up on', async () => {
    const server = await fake((socket) => socket.write(Buffer.from('780000000400', 'hex')))
    expect(await failureOf(open(at(server.port)))).toMatchObject({ code: 'UPSTREAM_INVALID', details: { sent: false } })
    await expect.poll(server.open, PATIENCE).toBe(0)
  })

  test('speaks another protocol is given up after connectTimeoutMs', async () => {
    const clock = virtualClock()
    const asked = gate()
    const server = await fake((socket) => {
      socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')
      socket.once('data', () => asked.open())
    })
    const { db } = await open(at(server.port, { connectOnStart: false, connectTimeoutMs: 2_000 }), clock)
    const query = failureOf(db.query('SELECT 1'))
    await asked.opened
    await clock.advance(2_000)
    expect(await query).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', details: { sent: false } })
    await expect.poll(server.open, PATIENCE).toBe(0)
  })
})
