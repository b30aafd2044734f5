import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A wire to a server that a test can hold up or cut. */
export interface Proxy {
  readonly port: number
  /** Passes nothing on, either way; connections stay open, as on a network that lost its way. */
  freeze(): void
  /** Passes on what was held up, and what comes. */
  thaw(): void
  /** Resets every connection, and refuses new ones until `mend`. */
  cut(): void
  mend(): void
}

/** Opens a wire to a port of 127.0.0.1; it goes when the test ends. */
export async function openProxy(target: number): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let frozen = false
  let broken = false
  const server = createServer((near) => {
    if (broken) return void near.resetAndDestroy()
    const far = connect(target, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (bytes) => to.write(bytes))
      from.on('error', () => {})
      from.on('close', () => {
        pairs.delete(pair)
        to.destroy()
      })
      if (frozen) from.pause()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const each = (act: (socket: Socket) => void): void => {
    for (const pair of pairs) for (const socket of pair) act(socket)
  }
  onTestFinished(() => {
    each((socket) => socket.destroy())
    server.close()
  })
  return {
    port: (server.address() as { port: number }).port,
    freeze() {
      frozen = true
      each((socket) => socket.pause())
    },
    thaw() {
      frozen = false
      each((socket) => socket.resume())
    },
    cut() {
      broken = true
      each((socket) => socket.resetAndDestroy())
    },
    mend() {
      broken = false
    },
  }
}
