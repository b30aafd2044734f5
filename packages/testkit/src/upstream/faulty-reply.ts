import type { Fault } from './faults.ts'
import { errorBody, errorEvent, event, type Frame, type WireReply, wholeReply } from './wire-reply.ts'

const MALFORMED = '{"id":"chatcmpl-fake","choices":[{"delta":{"content":"never clo'
const JSON_TYPE = 'application/json'
const FAILED = 'the fake upstream failed'
const HTML = '<!doctype html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>'

export interface FaultContext {
  /** Epoch ms. */
  readonly now: number
  /** Where the request went, as an absolute URL. */
  readonly url: string
  /** Another origin that answers. */
  readonly elsewhere: string
  /** The credential that was sent, if any. */
  readonly credential: string | undefined
}

/** Applies the faults that concern what a reply says; those of timing and of the socket are the sender's. Pure. */
export function faultyReply(right: WireReply, faults: readonly Fault[], context: FaultContext): WireReply {
  let reply = right
  // A byte order mark stands before whatever else was put first.
  const ordered = [...faults].sort((a, b) => Number(a.kind === 'bom') - Number(b.kind === 'bom'))
  for (const fault of ordered) reply = applied(reply, fault, context)
  return reply
}

function applied(reply: WireReply, fault: Fault, context: FaultContext): WireReply {
  switch (fault.kind) {
    case 'status':
      return statusReply(fault, context, reply)
    case 'redirect': {
      const location = fault.to === 'self' ? context.url : context.elsewhere
      return { status: fault.status, headers: { location, 'content-type': 'text/plain' }, frames: [], stream: false }
    }
    case 'html':
      return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, frames: [content(HTML)], stream: false }
    case 'empty':
      return { ...reply, frames: [], stream: false }
    case 'malformed':
      return inserted(reply, fault.at, event(MALFORMED, false), MALFORMED, false)
    case 'error': {
      const told = [fault.type ?? 'server_error', fault.type ?? null, reply.errors] as const
      return inserted(reply, fault.at, errorEvent(FAILED, ...told), errorBody(FAILED, ...told), true)
    }
    case 'lines':
      return relined(reply, fault.end === 'crlf' ? '\r\n' : '\r')
    case 'bom':
      return {
        ...reply,
        frames: reply.frames.map((frame, index) => (index > 0 ? frame : { ...frame, text: `\ufeff${frame.text}` })),
      }
    case 'pings':
      return reply.stream ? { ...reply, frames: [...pings(fault.count), ...reply.frames] } : reply
    case 'no-content-type': {
      const { 'content-type': _, ...headers } = reply.headers
      return { ...reply, headers }
    }
    default:
      return reply
  }
}

const content = (text: string): Frame => ({ text, content: true })

function pings(count: number): readonly Frame[] {
  return Array.from({ length: count }, () => ({ text: ': ping\n\n', content: false }))
}

/** Puts an event into a stream, where it may be the last one; in place of a whole body otherwise. */
function inserted(reply: WireReply, at: 'first' | 'mid', frame: Frame, body: string, last: boolean): WireReply {
  if (!reply.stream) return { ...reply, headers: { ...reply.headers, 'content-type': JSON_TYPE }, frames: [content(body)] }
  const index = at === 'first' ? firstContent(reply) : middle(reply)
  const rest = last ? [] : reply.frames.slice(index)
  return { ...reply, frames: [...reply.frames.slice(0, index), frame, ...rest] }
}

function relined(reply: WireReply, end: string): WireReply {
  if (!reply.stream) return reply
  return { ...reply, frames: reply.frames.map((frame) => ({ ...frame, text: frame.text.replaceAll('\n', end) })) }
}

/** Index of the first frame that holds content. */
export function firstContent({ frames }: WireReply): number {
  const index = frames.findIndex((frame) => frame.content)
  return index < 0 ? frames.length : index
}

/** Index of the frame after so many content frames; default: half of them, rounded up. */
export function middle({ frames }: WireReply, afterEvents?: number): number {
  const total = frames.filter((frame) => frame.content).length
  let left = afterEvents ?? Math.ceil(total / 2)
  for (const [index, frame] of frames.entries()) {
    if (left <= 0 && index >= firstOf(frames)) return index
    if (frame.content) left--
  }
  return frames.length
}

function firstOf(frames: readonly Frame[]): number {
  return frames.findIndex((frame) => frame.content)
}

function statusReply(fault: Extract<Fault, { kind: 'status' }>, context: FaultContext, { errors }: WireReply): WireReply {
  const { status, body = 'json' } = fault
  const echo = body === 'echo' ? `: ${context.credential ?? 'none was sent'}` : ''
  const message = `the fake upstream answers ${status}${echo}`
  const base = wholeReply(errorBody(message, errorType(status), errorCode(status), errors), status)
  const headers = { ...base.headers, ...retryAfterHeaders(fault.retryAfter, context.now) }
  if (body === 'html') return { ...base, headers: { ...headers, 'content-type': 'text/html' }, frames: [content(HTML)] }
  return { ...base, headers, frames: body === 'empty' ? [] : base.frames }
}

function retryAfterHeaders(value: string | undefined, now: number): Readonly<Record<string, string>> {
  if (value === undefined) return {}
  const [, shape, number] = /^(date|ms|xms)-(-?\d+)$/.exec(value) ?? []
  if (shape === 'ms') return { 'retry-after-ms': String(number) }
  if (shape === 'xms') return { 'x-ms-retry-after-ms': String(number) }
  if (shape !== 'date') return { 'retry-after': value }
  return { date: new Date(now).toUTCString(), 'retry-after': new Date(now + Number(number) * 1000).toUTCString() }
}

function errorType(status: number): string {
  if (status === 401 || status === 403) return 'authentication_error'
  if (status === 429) return 'rate_limit_error'
  if (status === 408) return 'timeout_error'
  if (status === 529) return 'overloaded_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

function errorCode(status: number): string | null {
  const codes: Readonly<Record<number, string>> = {
    401: 'invalid_api_key',
    404: 'model_not_found',
    429: 'rate_limit_exceeded',
  }
  return codes[status] ?? null
}
