import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Clock } from '@switchyard/contract'
import { createEgress, type Egress, type EgressOptions, type EgressPolicy } from '../src/index.ts'

/** A plain TCP server on loopback that does what a test tells it to each request. */
export interface RawServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** Connections accepted so far. */
  accepted: number
  /** Requests seen so far, head and body as text. */
  readonly requests: string[]
  readonly open: ReadonlySet<Socket>
  /** Resolves when no connection is open. */
  drained(): Promise<void>
}

/** Calls `answer` at the end of each request's head; the second argument counts requests from 1. */
export async function rawServer(answer: (socket: Socket, nth: number, head: string) => void): Promise<RawServer> {
  const open = new Set<Socket>()
  const requests: string[] = []
  const server = createServer({ noDelay: true }, (socket) => {
    raw.accepted++
    open.add(socket)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (let end = endOf(text); end !== -1; end = endOf(text)) {
        requests.push(text.slice(0, end))
        text = text.slice(end)
        answer(socket, requests.length, requests.at(-1) as string)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const raw: RawServer = {
    port,
    url: `http://127.0.0.1:${port}`,
    accepted: 0,
    requests,
    open,
    drained: async () => {
      for (const socket of [...open]) if (open.has(socket)) await new Promise((resolve) => socket.once('close', resolve))
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return raw
}

function endOf(text: string): number {
  const head = text.indexOf('\r\n\r\n')
  if (head === -1) return -1
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0)
  return text.length >= head + 4 + length ? head + 4 + length : -1
}

/** An HTTP/1.1 reply with a declared length. */
export function reply(body: string, headers = '', status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`
}

/** An egress that may call loopback by http, closed at the end of the block. */
export function loopbackEgress(policy: Partial<EgressPolicy> = {}, options: EgressOptions = {}): Egress & AsyncDisposable {
  const egress = createEgress({ schemes: ['http:'], allow: ['127.0.0.1/32'], ...policy }, options)
  return Object.assign(egress, { [Symbol.asyncDispose]: () => egress.close() })
}

/** A clock that moves when told; `pending` counts timers that are set. */
export interface ManualClock extends Clock {
  advance(ms: number): void
  readonly pending: number
}

export function manualClock(start = 0): ManualClock {
  let now = start
  const timers = new Set<{ at: number; run: () => void }>()
  return {
    now: () => now,
    monotonic: () => now,
    sleep: () => Promise.reject(new Error('not used')),
    schedule: (ms, run) => {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    advance: (ms) => {
      now += ms
      for (const timer of [...timers]) {
        if (timer.at <= now && timers.delete(timer)) timer.run()
      }
    },
    get pending() {
      return timers.size
    },
  }
}

/** Resolves when `holds` is true; tests state what they wait for instead of how long. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

/** The text of a body. */
export async function textOf(body: { bytes(): Promise<Uint8Array> }): Promise<string> {
  return Buffer.from(await body.bytes()).toString()
}
