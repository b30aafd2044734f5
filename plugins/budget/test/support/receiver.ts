import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'

export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A receiver of webhooks that answers as it is told. */
export interface Receiver {
  readonly url: string
  readonly port: number
  readonly received: Received[]
  /** How to answer. Default: 204. */
  answer: (response: ServerResponse, count: number) => void
  /** Cuts all connections and stops listening. */
  kill(): Promise<void>
}

export async function startReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = []
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
      receiver.answer(response, received.length)
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const at = (server.address() as { port: number }).port
  const receiver: Receiver = {
    url: `http://127.0.0.1:${at}/hook`,
    port: at,
    received,
    answer: (response) => response.writeHead(204).end(),
    kill: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return receiver
}
