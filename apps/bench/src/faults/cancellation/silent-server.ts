import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** A server that takes connections and says nothing: whoever wants TLS of it is connecting until he gives up. */
export interface SilentServer {
  readonly port: number
  /** The next connection. */
  next(): Promise<Socket>
  close(): void
}

/** Starts it on loopback. The caller closes it. */
export async function startSilentServer(): Promise<SilentServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    socket.resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    next: async () => ((await once(server, 'connection')) as [Socket])[0],
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
