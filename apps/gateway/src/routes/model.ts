import { type ModelEndpoint, type ModelReply, type ModelRequest, type Principal, SwitchyardError } from '@switchyard/contract'
import { parseObject, readBody } from '../server/body.ts'
import type { Exchange } from '../server/exchange.ts'
import type { ServerParts } from '../server/http-server.ts'
import { relay } from '../server/relay.ts'

/** What is served, each at `/v1/` and its name. */
export const ENDPOINTS: readonly ModelEndpoint[] = ['chat/completions', 'embeddings']

/** Upstream headers that mean something to a client; the rest stays here. */
const HANDED_OUT = ['content-type', 'x-switchyard-simulated'] as const
const RATE_LIMIT = 'x-ratelimit-'

export interface ModelCall {
  readonly target: string
  readonly principal: Principal
  readonly request: ModelRequest
}

/** `POST /v1/chat/completions` and its like: parse once, resolve the model, one call through the kernel, bytes out. */
export async function invokeModel(exchange: Exchange, parts: ServerParts, endpoint: ModelEndpoint): Promise<void> {
  const live = parts.live()
  const call = await readModelCall(exchange, parts, endpoint)
  const { request } = call
  exchange.noted.model = request.model
  exchange.noted.target = call.target
  exchange.noted.stream = request.stream
  exchange.noted.tenant = call.principal.tenant
  exchange.noted.key = call.principal.keyId
  const reply = await parts.kernel.call('model.invoke', {
    id: exchange.id,
    target: call.target,
    request,
    principal: call.principal,
    signal: exchange.signal,
    idempotent: true,
  })
  noteEnding(exchange, reply)
  const { response } = exchange
  if (response.destroyed) return
  handOutHeaders(response, reply, call.target)
  if (reply.body instanceof Uint8Array) {
    response.setHeader('content-length', reply.body.length)
    response.writeHead(reply.status).end(reply.body)
    return
  }
  response.setHeader('cache-control', 'no-cache')
  response.writeHead(reply.status)
  await relay(response, reply.body, live.settings.server.slowClientTimeoutMs)
}

/** Reads, checks and resolves a model request. Rejects `UNAUTHENTICATED`, `TOO_LARGE`, `INVALID_REQUEST`, `NOT_FOUND`. */
export async function readModelCall(exchange: Exchange, parts: ServerParts, endpoint: ModelEndpoint): Promise<ModelCall> {
  const { settings, authenticate } = parts.live()
  const { principal, headers } = authenticate(exchange.request.headers)
  const raw = await readBody(exchange.request, settings.server.maxBodyBytes)
  const body = parseObject(raw)
  if (typeof body.model !== 'string' || body.model === '') {
    throw new SwitchyardError('INVALID_REQUEST', '\'model\' is required: a string such as "demo/chat"', {
      details: { param: 'model' },
    })
  }
  if (body.stream !== undefined && body.stream !== null && typeof body.stream !== 'boolean') {
    throw new SwitchyardError('INVALID_REQUEST', "'stream' must be true or false", { details: { param: 'stream' } })
  }
  // Asked for only now: a reload may have come while the body did, and the call goes to what is there after it.
  const { target, model } = parts.live().directory.resolve(body.model, headers)
  return {
    target,
    principal,
    request: { endpoint, model, body, raw, stream: body.stream === true, headers: headers as Record<string, string> },
  }
}

function handOutHeaders(response: Exchange['response'], reply: ModelReply, target: string): void {
  for (const name of HANDED_OUT) {
    const value = reply.headers[name]
    if (value !== undefined) response.setHeader(name, value)
  }
  for (const name in reply.headers) if (name.startsWith(RATE_LIMIT)) response.setHeader(name, reply.headers[name] as string)
  response.setHeader('x-switchyard-target', target)
}

/** The ending is known before the response closes, where it is a whole reply, and at its last byte where it is a stream. */
function noteEnding(exchange: Exchange, reply: ModelReply): void {
  void reply.ended.then(({ outcome, error, usage, usageSource, finishReason }) => {
    const { noted } = exchange
    noted.outcome = outcome
    noted.inputTokens = usage.inputTokens
    noted.outputTokens = usage.outputTokens
    noted.usageSource = usageSource
    noted.finishReason = finishReason
    if (error !== undefined) {
      noted.error = error.code
      noted.errorMessage = error.message
    }
  })
}
