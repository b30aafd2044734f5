/**
 * Where in a reply a fault strikes: as the connection is taken; before a header; after headers and, in a stream, a chunk that
 * holds no content; or after some content.
 */
export type FaultPoint = 'accept' | 'headers' | 'first' | 'mid'

/** How far `mid` reaches; the default is the middle of the content. */
export interface FaultReach {
  /** Content events written before; for a whole body, the middle is taken. */
  readonly afterEvents?: number
  /** Body bytes written before; wins over `afterEvents`. */
  readonly afterBytes?: number
}

/** Which part of `usage` is wrong. `inconsistent`: the total is not the sum. `negative`: -1, as some vendors write for unknown. */
export type UsageFlaw = 'absent' | 'inconsistent' | 'negative'

/** One thing that the fake upstream does wrong, or merely differently. A request may suffer several at once. */
export type Fault =
  /** An error status in OpenAI's error shape. */
  | {
      readonly kind: 'status'
      readonly status: number
      /**
       * `2`, or any text, goes into `retry-after` as it stands; `date-2` writes the HTTP date two seconds on, beside a `date` of
       * the same instant; `ms-1500` goes into `retry-after-ms` and `xms-1500` into `x-ms-retry-after-ms`.
       */
      readonly retryAfter?: string
      /** `echo` repeats the credential that was sent, as some vendors do. Default: `json`. */
      readonly body?: 'json' | 'html' | 'empty' | 'echo'
    }
  /** Waits, once, or before every content chunk after the first (`tokens`). */
  | { readonly kind: 'delay'; readonly at: 'accept' | 'headers' | 'first' | 'tokens'; readonly ms: number }
  /** Stays silent until the client leaves. */
  | ({ readonly kind: 'stall'; readonly at: 'headers' | 'first' | 'mid' } & FaultReach)
  /** A TCP reset. */
  | ({ readonly kind: 'reset'; readonly at: FaultPoint } & FaultReach)
  /** A clean end of the reply (`headers`: of the connection) that comes too early: nothing on the wire says so. */
  | ({ readonly kind: 'end'; readonly at: 'headers' | 'first' | 'mid' } & FaultReach)
  /** States a longer content-length than it sends, then closes. */
  | { readonly kind: 'short' }
  /** JSON that does not parse: the whole body, or one event before or after content. */
  | { readonly kind: 'malformed'; readonly at: 'first' | 'mid' }
  /** Bytes that are not HTTP: in place of the headers, or a chunk size that is no number. */
  | { readonly kind: 'garbage'; readonly at: 'headers' | 'mid' }
  /** Status 200 with a page for people. */
  | { readonly kind: 'html' }
  /** Status 200 with no body. */
  | { readonly kind: 'empty' }
  /** The body in pieces of so many bytes, each written and flushed alone. */
  | { readonly kind: 'split'; readonly bytes: number; readonly everyMs?: number }
  /** Server-sent events with other line ends than LF. */
  | { readonly kind: 'lines'; readonly end: 'crlf' | 'cr' }
  /** A byte order mark before the body. */
  | { readonly kind: 'bom' }
  /** So many comments before the content of a stream. */
  | { readonly kind: 'pings'; readonly count: number; readonly everyMs?: number }
  | { readonly kind: 'usage'; readonly flaw: UsageFlaw }
  /** An error object with status 200: as the body, as the first event, or after some content. */
  | { readonly kind: 'error'; readonly at: 'first' | 'mid'; readonly type?: string }
  /** Another finish reason; some vendors write an error there. */
  | { readonly kind: 'finish'; readonly reason: string }
  /** A stream that ends after its finish reason, without `[DONE]`. */
  | { readonly kind: 'no-done' }
  /** One content event, or for a whole body its content, of at least so many bytes. */
  | { readonly kind: 'huge'; readonly bytes: number }
  /** Content without end. */
  | { readonly kind: 'endless'; readonly everyMs: number }
  | { readonly kind: 'no-content-type' }
  /** `self` is this URL again; `other` is another origin, where the request is recorded as `/redirected`. */
  | { readonly kind: 'redirect'; readonly to: 'self' | 'other'; readonly status: number }
  /** Answers with a call of the first tool in `tools`, its arguments spread over several chunks. */
  | { readonly kind: 'tool-call' }

/** What one request suffers, in the forms in which it can be said: `reset:mid`, `split:1+lines:crlf`, a name of FAULTS, data. */
export type FaultInput = string | Fault | readonly Fault[]

/** The first fault of a kind among those of a request. */
export function find<K extends Fault['kind']>(faults: readonly Fault[], kind: K): Extract<Fault, { kind: K }> | undefined {
  return faults.find((fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind)
}
