import { Agent, request } from 'undici'

/** One request of a client that is going to leave. */
export interface Leaver {
  readonly id: string
  /** Resolves with the first bytes of the reply's body. */
  readonly firstBytes: Promise<void>
  /** Breaks the request off and says when, in epoch ms. */
  leave(): number
}

export interface LeavingClient {
  ask(model: string, stream: boolean): Leaver
  close(): Promise<void>
}

/** A client that names its requests, in a header and in what it says, so that they can be found again on both sides. */
export function leavingClient(origin: string): LeavingClient {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  const url = `${origin}/v1/chat/completions`
  let count = 0
  const send = (model: string, stream: boolean, id: string, signal: AbortSignal) =>
    request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': id },
      body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: id }] }),
      dispatcher: agent,
      signal,
    })
  return {
    ask(model, stream) {
      const controller = new AbortController()
      const id = `leaver-${++count}`
      const { promise: firstBytes, resolve, reject } = Promise.withResolvers<void>()
      // What nobody waits for must not end the bench.
      firstBytes.catch(() => {})
      send(model, stream, id, controller.signal).then(({ body, statusCode }) => {
        body.on('error', reject)
        body.on('data', () => (statusCode < 400 ? resolve() : reject(new Error(`${model} was answered ${statusCode}`))))
      }, reject)
      return {
        id,
        firstBytes,
        leave() {
          const at = performance.timeOrigin + performance.now()
          controller.abort()
          return at
        },
      }
    },
    close: () => agent.destroy(),
  }
}
