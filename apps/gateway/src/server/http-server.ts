import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Logger, SwitchyardError } from '@switchyard/contract'
import type { Kernel } from '@switchyard/kernel'
import type { Settings } from '../config/settings.ts'
import type { Live } from '../gateway.ts'
import { explain } from '../routes/explain.ts'
import { healthz, readyz } from '../routes/health.ts'
import { invokeModel } from '../routes/model.ts'
import { listModels } from '../routes/models.ts'
import { Exchange } from './exchange.ts'

export interface ServerParts {
  readonly kernel: Kernel
  readonly log: Logger
  live(): Live
  draining(): boolean
}

export type Route = (exchange: Exchange, parts: ServerParts) => Promise<void> | void

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['POST /v1/chat/completions', (exchange, parts) => invokeModel(exchange, parts, 'chat/completions')],
  ['POST /v1/embeddings', (exchange, parts) => invokeModel(exchange, parts, 'embeddings')],
  ['GET /v1/models', listModels],
  ['POST /v1/explain', explain],
  ['GET /healthz', healthz],
  ['GET /readyz', readyz],
])

/** An HTTP server over the routes, not listening yet. */
export function serverFor(parts: ServerParts): Server {
  const { server: limits } = parts.live().settings
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: 1_000,
      noDelay: true,
    },
    (request, response) => void handle(request, response, parts),
  )
  server.on('clientError', refuseMalformed)
  return server
}

/** Rejects `CONFIG_INVALID` with the mend when the address cannot be had. */
export async function listen(server: Server, { host, port }: Settings['server']): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE' ? 'it is taken: stop what listens there, or choose another with --port' : cause.message
      reject(new SwitchyardError('CONFIG_INVALID', `cannot listen on ${host}:${port}: ${why}`, { cause }))
    })
    server.listen(port, host, resolve)
  })
}

async function handle(request: IncomingMessage, response: ServerResponse, parts: ServerParts): Promise<void> {
  const exchange = new Exchange(request, response, parts.log)
  if (parts.draining()) response.setHeader('connection', 'close')
  try {
    const route = ROUTES.get(`${request.method} ${exchange.path}`)
    if (route === undefined) throw noRoute(request.method, exchange.path)
    await route(exchange, parts)
  } catch (error) {
    exchange.fail(error)
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

/** What never became a request still gets an answer in OpenAI's shape. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const [status, message] = MALFORMED[error.code ?? ''] ?? [400, 'this is not an HTTP/1.1 request']
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } })
  const head = `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`
  socket.end(head + body)
}
