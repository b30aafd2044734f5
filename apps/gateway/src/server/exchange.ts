import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Logger, SwitchyardError } from '@switchyard/contract'
import { toHttp } from './errors.ts'

const SAFE_ID = /^[\w.:-]{1,128}$/

/** The id of a request that brought none of its own. */
export function newId(): string {
  return `req_${randomUUID()}`
}

/** One request and its reply: its id, its abort when the client leaves, its one log line. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly id: string
  /** Without the query. */
  readonly path: string
  /** What the log line tells beside method, path, status and time. Never a secret, never a prompt. */
  readonly noted: Record<string, string | number | boolean | undefined> = {}
  readonly #controller = new AbortController()

  constructor(request: IncomingMessage, response: ServerResponse, log: Logger) {
    this.request = request
    this.response = response
    const given = request.headers['x-request-id']
    this.id = typeof given === 'string' && SAFE_ID.test(given) ? given : newId()
    const url = request.url ?? '/'
    const query = url.indexOf('?')
    this.path = query === -1 ? url : url.slice(0, query)
    response.setHeader('x-request-id', this.id)
    const startedAt = performance.now()
    response.once('close', () => {
      if (!response.writableFinished) this.#controller.abort(new SwitchyardError('ABORTED', 'the client left'))
      const durationMs = Math.round((performance.now() - startedAt) * 100) / 100
      const status = response.writableFinished ? response.statusCode : 499
      log.info({ requestId: this.id, method: request.method, path: this.path, status, durationMs, ...this.noted }, 'request')
    })
  }

  /** Aborts when the client leaves before the reply is finished. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  json(status: number, body: unknown): void {
    const bytes = Buffer.from(JSON.stringify(body))
    this.response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes)
  }

  /** Answers with the error in OpenAI's shape; after the head was sent, only the connection can say it. */
  fail(error: unknown): void {
    const { response } = this
    const { status, body, headers } = toHttp(error)
    this.noted.error = SwitchyardError.is(error) ? error.code : 'INTERNAL'
    this.noted.errorMessage = error instanceof Error ? error.message : String(error)
    if (SwitchyardError.is(error, 'INTERNAL') || !SwitchyardError.is(error)) this.noted.stack = stackOf(error)
    if (response.headersSent || response.destroyed) {
      response.destroy()
      return
    }
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    if (!this.request.complete) response.setHeader('connection', 'close')
    this.json(status, body)
  }
}

function stackOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.stack : String(cause)
}
