import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** One connection that went through a wire. */
export interface Line {
  /** All that the client has said. */
  said(): Buffer
  /** Keeps what the server says from now on, and counts it. */
  hold(): void
  /** Bytes that are kept. */
  kept(): number
  /** Hands on what was kept, and what comes. */
  release(): void
  /** Breaks it on both sides. */
  cut(): void
}

/** A wire between the plugin and a server, for a test to disturb. */
export interface Wire {
  readonly port: number
  /** In the order in which they came. */
  readonly lines: readonly Line[]
  /** What becomes of those who come: carried to the server, taken and left in silence, or hung up on. */
  manner: 'carry' | 'silence' | 'refuse'
}

/** Lays a wire to a port of 127.0.0.1; it is cut when the test ends. */
export async function layWire(to: number): Promise<Wire> {
  const lines: Line[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (wire.manner === 'refuse') {
      client.destroy()
      return
    }
    lines.push(line(client, wire.manner === 'carry' ? connect(to, '127.0.0.1') : undefined, sockets))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  const wire: Wire = { port: (server.address() as AddressInfo).port, lines, manner: 'carry' }
  return wire
}

function line(client: Socket, server: Socket | undefined, sockets: Set<Socket>): Line {
  const said: Buffer[] = []
  const kept: Buffer[] = []
  let holding = false
  const cut = (): void => {
    client.destroy()
    server?.destroy()
  }
  for (const socket of [client, server]) {
    if (socket === undefined) continue
    sockets.add(socket)
    socket.on('error', cut)
    socket.on('close', cut)
  }
  client.on('data', (data) => {
    said.push(data)
    server?.write(data)
  })
  server?.on('data', (data) => {
    if (holding) kept.push(data)
    else client.write(data)
  })
  return {
    said: () => Buffer.concat(said),
    hold() {
      holding = true
    },
    kept: () => Buffer.concat(kept).length,
    release() {
      holding = false
      for (const data of kept.splice(0)) client.write(data)
    },
    cut,
  }
}
