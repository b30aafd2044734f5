import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type Logger, MODEL_ENDPOINTS, SwitchyardError } from '@switchyard/contract'
import type { Kernel } from '@switchyard/kernel'
import { adminRoute } from '../admin/admin-route.ts'
import type { Settings } from '../config/settings.ts'
import type { Live } from '../gateway.ts'
import { explain } from '../routes/explain.ts'
import { giveFeedback } from '../routes/feedback.ts'
import { healthz, readyz } from '../routes/health.ts'
import { invokeModel } from '../routes/model.ts'
import { listModels } from '../routes/models.ts'
import { Exchange, newId } from './exchange.ts'

export interface ServerParts {
  readonly kernel: Kernel
  readonly log: Logger
  live(): Live
  draining(): boolean
}

export type Route = (exchange: Exchange, parts: ServerParts) => Promise<void> | void

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ...MODEL_ENDPOINTS.map((name): [string, Route] => [
    `POST /v1/${name}`,
    (exchange, parts) => invokeModel(exchange, parts, name),
  ]),
  ['GET /v1/models', listModels],
  ['POST /v1/explain', explain],
  ['POST /v1/feedback', giveFeedback],
  ['GET /healthz', healthz],
  ['GET /readyz', readyz],
])

/** An HTTP server over the routes, not listening yet. */
export function serverFor(parts: ServerParts): Server {
  const limits = parts.live().settings.server
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      connectionsCheckingInterval: 1_000,
      noDelay: true,
    },
    (request, response) => void handle(request, response, parts),
  )
  applyTimes(server, limits)
  server.on('clientError', (error, socket) => refuseMalformed(error, socket as Socket, parts.log))
  return server
}

/** Sets how long clients may take; also of a server at work. */
export function applyTimes(server: Server, times: Settings['server']): void {
  const { headersTimeoutMs: headers, requestTimeoutMs: whole } = times
  // Where the headers may take longer than the whole, which is no contradiction, Node throws, or takes the one for the other.
  server.headersTimeout = whole > 0 ? Math.min(headers, whole) : headers
  server.requestTimeout = whole
  server.keepAliveTimeout = times.keepAliveTimeoutMs
}

/** Rejects `CONFIG_INVALID` with the mend when the address cannot be had. Later failures of the server are logged. */
export async function listen(server: Server, { host, port }: Settings['server'], log: Logger): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const refused = (cause: NodeJS.ErrnoException): void => {
      const why =
        cause.code === 'EADDRINUSE' ? 'it is taken: stop what listens there, or choose another with --port' : cause.message
      reject(new SwitchyardError('CONFIG_INVALID', `cannot listen on ${host}:${port}: ${why}`, { cause }))
    }
    server.once('error', refused)
    server.listen(port, host, () => {
      server.off('error', refused)
      server.on('error', (error) => log.error({ err: error }, 'a connection could not be taken'))
      resolve()
    })
  })
}

async function handle(request: IncomingMessage, response: ServerResponse, parts: ServerParts): Promise<void> {
  const exchange = new Exchange(request, response, parts.log)
  if (parts.draining()) exchange.header('connection', 'close')
  try {
    const route = ROUTES.get(`${request.method} ${exchange.path}`) ?? adminRoute(request.method, exchange.path)
    if (route === undefined) throw noRoute(request.method, exchange.path)
    await route(exchange, parts)
  } catch (error) {
    try {
      exchange.fail(error)
    } catch (bug) {
      // Nothing waits for this promise: a rejection would end the process, and all other requests with it.
      parts.log.error({ requestId: exchange.id, err: bug }, 'a failure could not be told')
      response.destroy()
    }
  }
}

function noRoute(method: string | undefined, path: string): SwitchyardError {
  const methods = [...ROUTES.keys()].filter((key) => key.endsWith(` ${path}`)).map((key) => key.split(' ')[0])
  const message =
    methods.length > 0 ? `${path} takes ${methods.join(', ')}, not ${method}` : `there is no route ${method} ${path}`
  return new SwitchyardError('NOT_FOUND', message, { details: { code: 'unknown_url' } })
}

const MALFORMED: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the request headers are too large; the operator can raise server.maxHeaderBytes'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not arrive in time'],
}

/** What never became a request still gets an answer in OpenAI's shape, an id, and a line in the log. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket, log: Logger): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const [status, message] = MALFORMED[error.code ?? ''] ?? [400, 'this is not an HTTP/1.1 request']
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } })
  const requestId = newId()
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `x-request-id: ${requestId}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  log.info({ requestId, status, error: error.code, errorMessage: error.message }, 'request refused')
}
