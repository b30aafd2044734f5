import type { Attributes, ModelEndpoint, ModelReply, ModelRequest, Principal } from '@switchyard/contract'
import { systemClock } from '@switchyard/kernel'
import { isExhausted, Passage, watched } from '../passage.ts'
import { isLate, mayCall } from '../principal.ts'
import { readBody } from '../server/body.ts'
import type { Exchange } from '../server/exchange.ts'
import type { ServerParts } from '../server/http-server.ts'
import { relay } from '../server/relay.ts'
import { callWishes } from './call-wishes.ts'
import { modelBody } from './model-body.ts'
import { traceHeader } from './trace-header.ts'

/** Upstream headers that mean something to a client; the rest stays here. */
const HANDED_OUT = [
  'content-type',
  'ratelimit',
  'ratelimit-policy',
  'x-switchyard-simulated',
  'x-switchyard-degraded',
  'x-switchyard-cost-usd',
  'x-switchyard-budget',
  'x-switchyard-budget-remaining-usd',
] as const
const RATE_LIMIT = 'x-ratelimit-'
const CACHE = 'x-switchyard-cache'
const CACHE_LEVEL = 'x-switchyard-cache-level'
const CACHE_REASON = 'x-switchyard-cache-reason'
/** Told of replies from the cache alone: an upstream's own `age` is none of ours. */
const OF_HITS = [
  CACHE_LEVEL,
  'x-switchyard-cache-entry',
  'x-switchyard-cache-similarity',
  'x-switchyard-cache-margin',
  'x-switchyard-cache-probability',
  'age',
] as const

export interface ModelCall {
  readonly target: string
  readonly principal: Principal
  readonly request: ModelRequest
  readonly attributes: Attributes | undefined
  /** Epoch ms. */
  readonly deadline: number | undefined
  readonly passage: Passage
  /** The client is to see the decisions. */
  readonly trace: boolean
}

/** `POST /v1/chat/completions` and its like: parse once, resolve the model, one call through the kernel, bytes out. */
export async function invokeModel(exchange: Exchange, parts: ServerParts, endpoint: ModelEndpoint): Promise<void> {
  const live = parts.live()
  // Anthropic's clients look for the id under its name there.
  if (endpoint === 'messages') exchange.header('request-id', exchange.id)
  const call = await readModelCall(exchange, parts, endpoint)
  const { request, attributes, deadline } = call
  exchange.noted.model = request.model
  exchange.noted.target = call.target
  exchange.noted.stream = request.stream
  exchange.noted.tenant = call.principal.tenant
  exchange.noted.key = call.principal.keyId
  let reply: ModelReply
  try {
    reply = await parts.kernel.call('model.invoke', {
      id: exchange.id,
      target: call.target,
      request,
      principal: call.principal,
      signal: exchange.leaving,
      attributes,
      deadline,
      idempotent: true,
    })
  } catch (error) {
    exchange.exhausted = isExhausted(error, call.passage)
    tellPassage(exchange, call)
    throw error
  }
  noteEnding(exchange, reply)
  const { response } = exchange
  if (response.destroyed) return
  handOutHeaders(exchange, reply)
  tellPassage(exchange, call)
  if (reply.body instanceof Uint8Array) {
    exchange.header('content-length', String(reply.body.length))
    exchange.head(reply.status)
    response.end(reply.body)
    return
  }
  exchange.header('cache-control', 'no-cache')
  exchange.head(reply.status)
  await relay(response, reply.body, live.settings.server.slowClientTimeoutMs, endpoint)
}

/**
 * Reads, checks and resolves a model request. Rejects `UNAUTHENTICATED`, `TOO_LARGE`, `INVALID_REQUEST`, `NOT_FOUND`, and `FORBIDDEN` for
 * a trace.
 */
export async function readModelCall(exchange: Exchange, parts: ServerParts, endpoint: ModelEndpoint): Promise<ModelCall> {
  const { settings, authenticate } = parts.live()
  const { request } = exchange
  const asked = authenticate(request.headers, request.socket.remoteAddress)
  // Awaited only where the key was not checked a moment ago.
  let caller = mayCall(asked instanceof Promise ? await asked : asked)
  const { priority, timeoutMs, trace } = callWishes(caller.headers, caller.principal)
  // The time that a client allows begins with its request, and not when its body has come.
  const begun = systemClock.now()
  const deadline = begun + Math.min(timeoutMs ?? Number.POSITIVE_INFINITY, settings.server.callTimeoutMs)
  const raw = await readBody(request, settings.server.maxBodyBytes)
  if (isLate(begun)) {
    caller = mayCall(await parts.live().authenticate(request.headers, request.socket.remoteAddress))
    callWishes(caller.headers, caller.principal)
  }
  const { principal, headers } = caller
  const { body, model: name, stream } = modelBody(endpoint, raw, headers['content-type'])
  // Asked for only now: a reload may have come while the body did, and the call goes to what is there after it.
  const { target, model, deployment } = parts.live().directory.resolve(name, headers, principal.scopes?.models)
  const passage = new Passage()
  return {
    target,
    principal,
    request: watched({ endpoint, model, body, raw, stream, headers: headers as Record<string, string> }, passage),
    attributes: attributesOf(deployment, priority),
    deadline,
    passage,
    trace,
  }
}

function attributesOf(deployment: string | undefined, priority: string | undefined): Attributes | undefined {
  if (priority === undefined) return deployment === undefined ? undefined : { deployment }
  return deployment === undefined ? { priority } : { deployment, priority }
}

function handOutHeaders(exchange: Exchange, reply: ModelReply): void {
  for (const name of HANDED_OUT) {
    const value = reply.headers[name]
    if (value !== undefined) exchange.header(name, value)
  }
  for (const name in reply.headers) if (name.startsWith(RATE_LIMIT)) exchange.header(name, reply.headers[name] as string)
  const outcome = reply.headers[CACHE]
  if (outcome !== undefined) tellCache(exchange, reply, outcome)
}

/** Where the reply came from, or why it was not looked up. */
function tellCache(exchange: Exchange, { headers }: ModelReply, outcome: string): void {
  exchange.header(CACHE, outcome)
  exchange.noted.cache = outcome
  const reason = headers[CACHE_REASON]
  if (reason !== undefined && outcome === 'bypass') {
    exchange.header(CACHE_REASON, reason)
    exchange.noted.cacheReason = reason
  }
  if (outcome !== 'hit') return
  exchange.noted.cache = headers[CACHE_LEVEL] ?? outcome
  for (const name of OF_HITS) {
    const value = headers[name]
    if (value !== undefined) exchange.header(name, value)
  }
}

/** Who served or failed, after how many attempts, and on demand why. */
function tellPassage(exchange: Exchange, { passage, trace }: ModelCall): void {
  const { deployment, attempts } = passage
  if (deployment !== undefined) {
    exchange.header('x-switchyard-target', headerText(deployment))
    exchange.noted.target = deployment
  }
  exchange.header('x-switchyard-attempts', String(attempts))
  exchange.noted.attempts = attempts
  if (trace && passage.trace !== undefined) exchange.header('x-switchyard-trace', traceHeader(passage.trace))
}

const MAX_HEADER_TEXT = 500
const UNSAFE = /[^!-~]/
const EACH_UNSAFE = /[^!-~]/gu

/** A name as a header may hold it: clients name models, and Node throws for what is no header. */
function headerText(name: string): string {
  const text = UNSAFE.test(name) ? name.toWellFormed().replaceAll(EACH_UNSAFE, encodeURIComponent) : name
  return text.length > MAX_HEADER_TEXT ? text.slice(0, MAX_HEADER_TEXT) : text
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
