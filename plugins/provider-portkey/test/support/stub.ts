import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Undefined where what came is no JSON. */
  readonly body: Record<string, unknown> | undefined
}

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A server in Portkey's place, or in a provider's, that answers as told and remembers what it was asked. */
export interface Stub {
  readonly origin: string
  readonly seen: Seen[]
  answer: Answer
  close(): Promise<void>
}

export async function startStub(answer: Answer = {}): Promise<Stub> {
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    stub.seen.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: parsed(text) })
    const { status = 200, headers, body = '{"choices":[],"data":[]}' } = stub.answer
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stub: Stub = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    answer,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return stub
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}
