import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ModelEndpoint, ModelRequest } from '@switchyard/contract'
import { errorBody, errorEvent, relayStream, relayWhole, type TranslationOptions, translation } from '../../../src/index.ts'

type Body = Record<string, unknown>

/** What the target answers: an object, or the pieces of a stream. */
export type Target = (body: Body) => object | readonly string[]

export interface WireServer {
  readonly url: string
  /** Bodies that the target got, in order. */
  readonly seen: Body[]
  close(): Promise<void>
}

export const options: TranslationOptions = { created: 1_700_000_000 }

/** A server that speaks the client's dialects and translates for a target that speaks `to`. */
export async function wireServer(to: ModelEndpoint, target: Target): Promise<WireServer> {
  const seen: Body[] = []
  const server = createServer((request, response) => {
    const endpoint = (request.url ?? '').replace(/^.*\/v1\//, '') as ModelEndpoint
    void answer(request, endpoint).then(
      async (reply) => {
        if (reply.body instanceof Uint8Array) {
          response.writeHead(200, { 'content-type': 'application/json' }).end(reply.body)
          return
        }
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        try {
          for await (const chunk of reply.body) response.write(chunk)
        } catch (error) {
          response.write(errorEvent(endpoint, error))
        }
        response.end()
      },
      (error: unknown) => {
        response
          .writeHead(400, { 'content-type': 'application/json', 'x-should-retry': 'false' })
          .end(JSON.stringify(errorBody(endpoint, error)))
      },
    )
  })

  async function answer(incoming: IncomingMessage, endpoint: ModelEndpoint): ReturnType<typeof relayStream> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Body
    const request: ModelRequest = { endpoint, model: String(body.model), body, stream: body.stream === true }
    const made = translation(request, to, options)
    seen.push(made.request.body)
    const said = target(made.request.body)
    const upstream = { status: 200, headers: { 'content-type': 'text/event-stream' } }
    const relayed = { plugin: 'test', request: made.request }
    if (!Array.isArray(said)) return made.reply(relayWhole(upstream, Buffer.from(JSON.stringify(said)), relayed))
    return made.reply(await relayStream({ ...upstream, body: bodyOf(said as string[]) }, relayed))
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, seen, close: () => closed(server) }
}

export function bodyOf(pieces: readonly (string | Uint8Array)[]): AsyncIterable<Uint8Array> & { destroy(): void } {
  return {
    destroy: () => {},
    async *[Symbol.asyncIterator]() {
      for (const piece of pieces) yield Buffer.from(piece as string)
    },
  }
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
