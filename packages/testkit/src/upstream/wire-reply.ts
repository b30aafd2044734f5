/** One write of a reply. In a stream, one event. */
export interface Frame {
  readonly text: string
  /** Whether it holds content of the answer: what a client may not have seen before a fault that may be retried. */
  readonly content: boolean
}

/** A reply before any fault: what a right upstream would send. */
export interface WireReply {
  readonly status: number
  /** Lower-case names; framing headers are added when it is sent. */
  readonly headers: Readonly<Record<string, string>>
  /** A stream's events, or the one frame of a whole body. */
  readonly frames: readonly Frame[]
  readonly stream: boolean
}

/** A whole JSON reply. `text` goes out as it stands, so it may hold numbers that no JSON.stringify writes. */
export function wholeReply(text: string, status = 200): WireReply {
  return { status, headers: { 'content-type': 'application/json' }, frames: [{ text, content: true }], stream: false }
}

/** An error in OpenAI's shape. */
export function errorReply(status: number, message: string, type: string, code: string | null = null): WireReply {
  return wholeReply(errorBody(message, type, code), status)
}

/** The body of an error, as JSON text. */
export function errorBody(message: string, type: string, code: string | null = null): string {
  return JSON.stringify({ error: { message, type, param: null, code } })
}

/** One server-sent event with LF line ends. */
export function event(data: string, content: boolean): Frame {
  return { text: `data: ${data}\n\n`, content }
}
