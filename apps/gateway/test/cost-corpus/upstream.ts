import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Json, Replay } from './wire.ts'

/** How the next request is answered. `held` sends no end: the client must leave. */
export type Manner = 'ok' | 'error' | 'held'

export interface Upstream {
  readonly url: string
  /** Answers the next request so. */
  plays(replay: Replay, manner: Manner): void
  /** Answers the next request with this whole. */
  answers(body: Json): void
  /** Once the last exchange was left by its client before its end. */
  left(): Promise<void>
  close(): Promise<void>
}

/** A server in a provider's place that replays what it is told. */
export async function startUpstream(): Promise<Upstream> {
  let next: { readonly replay: Replay; readonly manner: Manner } | undefined
  let leaving = Promise.resolve()
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    leaving = new Promise((resolve) => response.on('close', () => !response.writableFinished && resolve()))
    const { replay, manner } = next as NonNullable<typeof next>
    if ((JSON.parse(text) as { stream?: boolean }).stream === true) stream(response, replay, manner)
    else whole(response, replay, manner)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    plays: (replay, manner) => {
      next = { replay, manner }
    },
    answers: (body) => {
      next = { replay: { whole: body, begin: [], said: [], end: [], error: {}, done: false }, manner: 'ok' }
    },
    left: () => leaving,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function whole(response: ServerResponse, replay: Replay, manner: Manner): void {
  const status = manner === 'error' ? 500 : 200
  response.writeHead(status, { 'content-type': 'application/json' })
  if (manner === 'held') response.flushHeaders()
  else response.end(JSON.stringify(manner === 'error' ? { error: { message: 'overloaded' } } : replay.whole))
}

function stream(response: ServerResponse, replay: Replay, manner: Manner): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const ends = manner === 'ok' ? replay.end : manner === 'error' ? [replay.error] : []
  const events = [...replay.begin, ...replay.said, ...ends].map((event) => {
    const { type } = event as { type?: unknown }
    return `${typeof type === 'string' ? `event: ${type}\n` : ''}data: ${JSON.stringify(event)}\n\n`
  })
  if (manner === 'ok' && replay.done) events.push('data: [DONE]\n\n')
  response.write(events.join(''))
  if (manner !== 'held') response.end()
}
