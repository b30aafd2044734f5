import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Logger, SwitchyardError } from '@switchyard/contract'
import { ClientLeaving } from './client-leaving.ts'
import { dialectOf, toHttp } from './errors.ts'

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
  /** What the log line tells; status and time are added at the end. Never a secret, never a prompt. */
  readonly noted: Record<string, string | number | boolean | undefined>
  /** Several targets were tried, and none served. */
  exhausted = false
  /** Tells when the client leaves before the reply is finished. */
  readonly leaving: ClientLeaving = new ClientLeaving()
  /** Names and values by turns: Node writes such a list as it is, and would check and copy headers that are set one by one. */
  readonly #headers: string[]

  constructor(request: IncomingMessage, response: ServerResponse, log: Logger) {
    this.request = request
    this.response = response
    const given = request.headers['x-request-id']
    this.id = typeof given === 'string' && SAFE_ID.test(given) ? given : newId()
    const url = request.url ?? '/'
    const query = url.indexOf('?')
    this.path = query === -1 ? url : url.slice(0, query)
    this.#headers = ['x-request-id', this.id]
    this.noted = { requestId: this.id, method: request.method, path: this.path }
    const startedAt = performance.now()
    response.once('close', () => {
      if (!response.writableFinished) this.leaving.leave()
      this.noted.status = response.writableFinished ? response.statusCode : 499
      this.noted.durationMs = Math.round((performance.now() - startedAt) * 100) / 100
      log.info(this.noted, 'request')
    })
  }

  /** Adds a reply header; each name once. Without effect after the head was written. */
  header(name: string, value: string): void {
    this.#headers.push(name, value)
  }

  /** Writes status and headers. Once. */
  head(status: number): void {
    this.response.writeHead(status, this.#headers)
  }

  json(status: number, body: unknown, contentType = 'application/json'): void {
    const bytes = Buffer.from(JSON.stringify(body))
    this.#headers.push('content-type', contentType, 'content-length', String(bytes.length))
    this.head(status)
    this.response.end(bytes)
  }

  /** Answers with the error in the words of the path's clients; after the head was sent, only the connection can say it. */
  fail(error: unknown): void {
    const { response } = this
    const { status, body, headers, contentType } = toHttp(error, { dialect: dialectOf(this.path), exhausted: this.exhausted })
    this.noted.error = SwitchyardError.is(error) ? error.code : 'INTERNAL'
    this.noted.errorMessage = error instanceof Error ? error.message : String(error)
    if (SwitchyardError.is(error, 'INTERNAL') || !SwitchyardError.is(error)) this.noted.stack = stackOf(error)
    if (response.headersSent || response.destroyed) {
      response.destroy()
      return
    }
    for (const [name, value] of Object.entries(headers)) this.header(name, value)
    if (!this.request.complete) this.header('connection', 'close')
    this.json(status, body, contentType)
  }
}

function stackOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.stack : String(cause)
}
