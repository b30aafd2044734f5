import { connect, type Socket } from 'node:net'

export interface RawRequest {
  readonly socket: Socket
  /** What came so far. */
  received(): string
  /** Everything that came, once the connection is closed. */
  readonly closed: Promise<string>
}

/** A connection that sends what the test writes, byte for byte. The caller destroys the socket, or the server closes it. */
export function rawRequest(url: string, text = ''): RawRequest {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let received = ''
  socket.on('data', (bytes) => {
    received += bytes.toString('latin1')
  })
  socket.on('error', () => {})
  socket.write(text)
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(received)))
  return { socket, received: () => received, closed }
}

/** Head of a POST of a chat, without its end, so that more headers can follow. */
export const CHAT_HEAD: string = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n'
