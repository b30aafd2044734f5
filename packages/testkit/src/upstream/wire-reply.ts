/** One write of a reply. In a stream, one event. */
export interface Frame {
  readonly text: string
  /** `latin1` for a body that is no text: one byte a character. Default `utf8`. */
  readonly encoding?: 'latin1'
  /** Whether it holds content of the answer: what a client may not have seen before a fault that may be retried. */
  readonly content: boolean
}

/** How an endpoint tells its errors: OpenAI's object, Anthropic's, or an event of a stream of typed events. */
export type ErrorShape = 'openai' | 'anthropic' | 'typed'

/** A reply before any fault: what a right upstream would send. */
export interface WireReply {
  readonly status: number
  /** Lower-case names; framing headers are added when it is sent. */
  readonly headers: Readonly<Record<string, string>>
  /** A stream's events, or the one frame of a whole body. */
  readonly frames: readonly Frame[]
  readonly stream: boolean
  /** Default `openai`. */
  readonly errors?: ErrorShape
}

/** A whole JSON reply. `text` goes out as it stands, so it may hold numbers that no JSON.stringify writes. */
export function wholeReply(text: string, status = 200): WireReply {
  return { status, headers: { 'content-type': 'application/json' }, frames: [{ text, content: true }], stream: false }
}

/** A stream of events. */
export function streamedReply(frames: readonly Frame[], errors: ErrorShape): WireReply {
  const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }
  return { status: 200, headers, frames, stream: true, errors }
}

/** An error in OpenAI's shape. */
export function errorReply(status: number, message: string, type: string, code: string | null = null): WireReply {
  return wholeReply(errorBody(message, type, code), status)
}

/** The body of an error, as JSON text. */
export function errorBody(message: string, type: string, code: string | null = null, shape: ErrorShape = 'openai'): string {
  if (shape === 'anthropic') return JSON.stringify({ type: 'error', error: { type, message } })
  return JSON.stringify({ error: { message, type, param: null, code } })
}

/** An error as an event of a stream. */
export function errorEvent(message: string, type: string, code: string | null, shape: ErrorShape = 'openai'): Frame {
  if (shape === 'openai') return event(errorBody(message, type, code), false)
  const data =
    shape === 'anthropic'
      ? errorBody(message, type, code, shape)
      : JSON.stringify({ type: 'error', code, message, param: null })
  return { text: `event: error\ndata: ${data}\n\n`, content: false }
}

/** One server-sent event with LF line ends. */
export function event(data: string, content: boolean): Frame {
  return { text: `data: ${data}\n\n`, content }
}

/** One whose name is the type of its data. */
export function namedEvent(data: string, type: string, content = false): Frame {
  return { text: `event: ${type}\ndata: ${data}\n\n`, content }
}
