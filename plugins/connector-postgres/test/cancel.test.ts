import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { SwitchyardError, secret } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { privatePostgres } from '../../../scripts/services/index.ts'
import { sendCancelRequest } from '../src/cancel-request.ts'
import type { PostgresInput } from '../src/index.ts'
import type { Target } from '../src/target.ts'
import { failureOf, firstValue, type Opened, open, PATIENCE, pidOf } from './support/database.ts'
import { needs, needsServer } from './support/server.ts'
import { layWire } from './support/wire.ts'

const own = await privatePostgres({ tls: true, socket: true })
afterAll(() => (own.status === 'ready' ? own.stop() : undefined))

/** Longer than a test may take, so that what ends in time was cancelled and not dropped. */
const NEVER_DROPPED = { cancelTimeoutMs: 15_000 }
const SLEEP = 'SELECT pg_sleep(60)'

/** A server that may be had, or the tests would have been skipped. */
function server() {
  if (own.status !== 'ready') throw new Error(own.because)
  return own
}

function through(port: number): PostgresInput {
  const { ca, user } = server()
  const pem = readFileSync(ca as string, 'utf8')
  return { host: '127.0.0.1', port, user, database: 'postgres', tls: { mode: 'verify-full', ca: pem } }
}

async function cancelsAtTheServer({ db, sessions, untilRunning }: Opened): Promise<void> {
  const before = await pidOf(db)
  const stop = new AbortController()
  const query = failureOf(db.query(SLEEP, [], { signal: stop.signal }))
  expect(await untilRunning(SLEEP)).toBe(before)
  stop.abort()
  expect(await query).toMatchObject({ code: 'ABORTED', retryable: false })
  expect(await sessions()).toMatchObject([{ pid: before, state: 'idle' }])
  expect(await pidOf(db)).toBe(before)
  expect(db.stats()).toMatchObject({ total: 1, idle: 1 })
}

describe('an abort ends the statement at the server, and its session serves on', () => {
  describe('over TCP', () => {
    needsServer()
    test('in a query', async () => cancelsAtTheServer(await open(NEVER_DROPPED)))

    test('in a query as behind a proxy', async () => cancelsAtTheServer(await open({ pgbouncer: true, ...NEVER_DROPPED })))

    test('in a transaction, which is rolled back', async () => {
      const { db, sessions, untilRunning } = await open(NEVER_DROPPED)
      const before = await pidOf(db)
      const stop = new AbortController()
      const work = failureOf(db.transaction((session) => session.query(SLEEP), { signal: stop.signal }))
      await untilRunning(SLEEP)
      stop.abort()
      expect(await work).toMatchObject({ code: 'ABORTED' })
      expect(await sessions()).toMatchObject([{ pid: before, state: 'idle' }])
      expect(await pidOf(db)).toBe(before)
    })

    test('of one statement of a transaction, by a signal of its own', async () => {
      const { db, untilRunning } = await open(NEVER_DROPPED)
      const stop = new AbortController()
      const work = failureOf(db.transaction((session) => session.query(SLEEP, [], { signal: stop.signal })))
      await untilRunning(SLEEP)
      stop.abort()
      expect(await work).toMatchObject({ code: 'ABORTED' })
      expect(await firstValue(db, 'SELECT 1')).toBe(1)
    })

    test('with the reason of the signal, where that is one of ours', async () => {
      const { db, untilRunning } = await open(NEVER_DROPPED)
      const stop = new AbortController()
      const reason = new SwitchyardError('TIMEOUT', 'the deadline has passed')
      const query = failureOf(db.query(SLEEP, [], { signal: stop.signal }))
      await untilRunning(SLEEP)
      stop.abort(reason)
      expect(await query).toBe(reason)
    })
  })

  describe('elsewhere', () => {
    needs(own)
    test('under TLS, where the request too is encrypted', async () => {
      const wire = await layWire(server().port)
      await cancelsAtTheServer(await open({ ...through(wire.port), ...NEVER_DROPPED }, undefined, server().url))
      expect(wire.lines).toHaveLength(2)
      for (const { said } of wire.lines) {
        expect(said().subarray(0, 8).toString('hex')).toBe('0000000804d2162f')
        expect(said()[8]).toBe(0x16)
      }
    })

    test('through a socket', async () => {
      const url = `postgres://${server().user}@:${server().port}/postgres?host=${encodeURIComponent(server().socket as string)}`
      await cancelsAtTheServer(await open({ url, ...NEVER_DROPPED }, undefined, server().url))
    })
  })
})

describe('a cancel request that fails', () => {
  needs(own)
  test.each(['refuse', 'silence'] as const)(
    'is waited for until cancelTimeoutMs; then the connection is dropped (%s)',
    async (manner) => {
      const clock = virtualClock()
      const wire = await layWire(server().port)
      const { db, untilRunning } = await open({ ...through(wire.port), cancelTimeoutMs: 500 }, clock, server().url)
      const stop = new AbortController()
      let ended = false
      const query = failureOf(db.query(SLEEP, [], { signal: stop.signal })).finally(() => (ended = true))
      await untilRunning(SLEEP)
      wire.manner = manner
      stop.abort()
      await clock.advance(499)
      expect(ended).toBe(false)
      await clock.advance(1)
      expect(await query).toMatchObject({ code: 'ABORTED' })
      expect(db.stats().total).toBe(0)
      wire.manner = 'carry'
      expect(await firstValue(db, 'SELECT 1')).toBe(1)
    },
  )

  test('comes too late for a statement that has ended: its result is given, and its connection to nobody', async () => {
    const wire = await layWire(server().port)
    const { db } = await open({ ...through(wire.port), ...NEVER_DROPPED }, undefined, server().url)
    const before = await pidOf(db)
    const [line] = wire.lines
    line?.hold()
    const stop = new AbortController()
    const query = db.query('SELECT 1 AS one', [], { signal: stop.signal })
    await expect.poll(() => line?.kept(), PATIENCE).toBeGreaterThan(0)
    stop.abort()
    line?.release()
    expect((await query).rows).toEqual([{ one: 1 }])
    expect(await pidOf(db)).not.toBe(before)
  })
})

describe('sendCancelRequest resolves', () => {
  const key = { processId: 1, secretKey: -2 }

  async function fake(onConnection: (socket: Socket) => void): Promise<number> {
    const sockets: Socket[] = []
    const listening = createServer((socket) => {
      sockets.push(socket)
      onConnection(socket)
    })
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => listening.close(() => resolve()))
    })
    return (listening.address() as AddressInfo).port
  }

  function target(port: number, mode: 'disable' | 'require', host = '127.0.0.1'): Target {
    const tls = { mode, serverName: host }
    return { host, port, database: 'x', user: 'x', password: secret('x'), tls, applicationName: 'x' }
  }

  test('when the server hangs up, having been told the process and its key', async () => {
    const heard: Buffer[] = []
    const port = await fake((socket) => {
      socket.on('data', (data) => {
        heard.push(data)
        socket.end()
      })
    })
    await sendCancelRequest(target(port, 'disable'), key, virtualClock(), 1_000)
    expect(Buffer.concat(heard).toString('hex')).toBe('0000001004d2162e00000001fffffffe')
  })

  test.each([
    ['refuses TLS, and is told no key', 'N'],
    ['cannot speak it', 'Sthis is no TLS'],
  ])('where the server %s', async (_name, answer) => {
    const heard: Buffer[] = []
    const port = await fake((socket) => {
      socket.on('error', () => {})
      socket.once('data', (data) => {
        heard.push(data)
        socket.write(answer)
      })
    })
    const clock = virtualClock()
    await sendCancelRequest(target(port, 'require'), key, clock, 1_000)
    expect(heard[0]?.toString('hex')).toBe('0000000804d2162f')
    expect(clock.pending()).toBe(0)
  })

  test.each(['127.0.0.1', '/no/such/folder'])('where there is no server at %s', async (host) => {
    const port = await fake((socket) => socket.destroy())
    await sendCancelRequest(target(port, 'disable', host), key, virtualClock(), 1_000)
  })

  test('after its time where the server says nothing', async () => {
    const clock = virtualClock()
    const port = await fake((socket) => socket.on('error', () => {}).on('data', () => {}))
    let done = false
    const sent = sendCancelRequest(target(port, 'require'), key, clock, 1_000).then(() => (done = true))
    await clock.advance(999)
    expect(done).toBe(false)
    await clock.advance(1)
    await sent
  })
})
