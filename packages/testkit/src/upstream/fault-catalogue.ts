/**
 * What an honest client of the upstream may show for a fault. `error-before-content`: an error in place of an answer (for a whole
 * reply, an error status). `error-event-mid-stream`: content, then an explicit error, never the terminator.
 */
export type HonestEnding = 'ok' | 'error-status' | 'error-before-content' | 'error-event-mid-stream'

/** One named fault of the catalogue. */
export interface NamedFault {
  /** Permanent, in kebab-case; `parseFault` takes it in place of the text. */
  readonly name: string
  readonly description: string
  /** Compact text. */
  readonly fault: string
  /** Honest endings of a whole reply; empty where the fault does not concern it. */
  readonly plain: readonly HonestEnding[]
  /** Honest endings of a stream; empty where the fault does not concern it. */
  readonly stream: readonly HonestEnding[]
  /** The upstream never ends by itself: without a deadline, neither does the client. */
  readonly needsDeadline?: true
}

const ok: readonly HonestEnding[] = ['ok']
const none: readonly HonestEnding[] = []
const status: readonly HonestEnding[] = ['error-status']
const before: readonly HonestEnding[] = ['error-before-content']
const mid: readonly HonestEnding[] = ['error-event-mid-stream']
const okOrBefore: readonly HonestEnding[] = ['ok', 'error-before-content']
const okOrMid: readonly HonestEnding[] = ['ok', 'error-event-mid-stream']

type Row = readonly [
  name: string,
  fault: string,
  plain: readonly HonestEnding[],
  stream: readonly HonestEnding[],
  description: string,
]

const ENDING_BY_ITSELF: readonly Row[] = [
  ['status-400', 'status:400', status, status, 'the request is refused'],
  ['status-401', 'status:401', status, status, 'the key is refused'],
  ['status-401-echo', 'status:401,body:echo', status, status, 'the key is refused, and repeated in the message'],
  ['status-403', 'status:403', status, status, 'the key may not do this'],
  ['status-404', 'status:404', status, status, 'no such model'],
  ['status-408', 'status:408', status, status, 'the upstream timed out'],
  ['status-413', 'status:413', status, status, 'the request is too large'],
  ['status-422', 'status:422', status, status, 'the request cannot be processed'],
  ['status-429', 'status:429', status, status, 'rate limited, with no word on when'],
  ['status-429-seconds', 'status:429,retry-after:2', status, status, 'rate limited, whole seconds'],
  ['status-429-date', 'status:429,retry-after:date-2', status, status, 'rate limited, an HTTP date'],
  ['status-429-ms', 'status:429,retry-after:ms-1500', status, status, 'rate limited, `retry-after-ms`'],
  ['status-429-x-ms', 'status:429,retry-after:xms-1500', status, status, 'rate limited, `x-ms-retry-after-ms`'],
  ['status-429-malformed', 'status:429,retry-after:soon', status, status, 'rate limited, a delay that is no number'],
  ['status-429-negative', 'status:429,retry-after:-1', status, status, 'rate limited, a delay below zero'],
  ['status-429-overlong', 'status:429,retry-after:999999999999', status, status, 'rate limited, for ages'],
  ['status-500', 'status:500', status, status, 'an internal error'],
  ['status-500-html', 'status:500,body:html', status, status, 'an internal error, told in HTML'],
  ['status-502', 'status:502', status, status, 'a bad gateway'],
  ['status-502-empty', 'status:502,body:empty', status, status, 'a bad gateway that says nothing'],
  ['status-503', 'status:503', status, status, 'unavailable'],
  ['status-503-retry-after', 'status:503,retry-after:1', status, status, 'unavailable, with a delay'],
  ['status-504', 'status:504', status, status, 'a gateway timeout'],
  ['status-529', 'status:529', status, status, 'overloaded, as Anthropic says it'],
  ['slow-accept', 'delay:accept:100', ok, ok, 'the connection is served late'],
  ['slow-headers', 'delay:headers:100', ok, ok, 'headers come late'],
  ['slow-first-token', 'delay:first:100', ok, ok, 'headers come at once, content late'],
  ['slow-tokens', 'delay:tokens:30', none, ok, 'content comes slowly'],
  ['reset-on-accept', 'reset:accept', before, before, 'the connection is reset at once'],
  ['reset-before-headers', 'reset:headers', before, before, 'the connection is reset when the request was read'],
  ['reset-before-content', 'reset:first', before, before, 'the connection is reset after the headers'],
  ['reset-mid-stream', 'reset:mid', none, mid, 'the connection is reset after some content'],
  ['reset-mid-body', 'reset:mid', before, none, 'the connection is reset in the middle of the body'],
  ['hang-up-before-headers', 'end:headers', before, before, 'the connection is closed when the request was read'],
  ['end-before-content', 'end:first', before, before, 'a clean end before any content'],
  ['cut-mid-stream', 'end:mid', none, mid, 'a clean end after some content: no finish reason, no [DONE]'],
  ['cut-mid-body', 'end:mid', before, none, 'a clean end in the middle of the body'],
  ['short-content-length', 'short', before, none, 'fewer bytes than the content-length says'],
  ['malformed-body', 'malformed:first', before, none, 'a body that is no JSON'],
  ['malformed-first-event', 'malformed:first', none, before, 'a first event that is no JSON'],
  ['malformed-mid-stream', 'malformed:mid', none, mid, 'an event that is no JSON after some content'],
  ['garbage-headers', 'garbage:headers', before, before, 'bytes that are not HTTP'],
  ['garbage-chunk', 'garbage:mid', before, mid, 'a chunk size that is no number'],
  ['html-200', 'html', before, before, 'a page for people, with status 200'],
  ['empty-200', 'empty', before, before, 'nothing, with status 200'],
  ['split-every-byte', 'split:1', ok, ok, 'each byte written alone'],
  ['split-odd', 'split:7', ok, ok, 'pieces of seven bytes'],
  ['crlf', 'lines:crlf', none, ok, 'lines end with CRLF'],
  ['crlf-split', 'lines:crlf+split:1', none, ok, 'lines end with CRLF, each byte written alone'],
  ['cr', 'lines:cr', none, ok, 'lines end with CR'],
  ['bom', 'bom', okOrBefore, ok, 'a byte order mark first'],
  ['pings', 'pings:20', none, ok, 'comments before the content'],
  ['usage-absent', 'usage:absent', ok, ok, 'no usage'],
  ['usage-inconsistent', 'usage:inconsistent', ok, ok, 'a total that is not the sum'],
  ['usage-negative', 'usage:negative', ok, ok, '-1 for unknown'],
  ['error-in-200', 'error:first', before, none, 'an error object as the body of a 200'],
  ['error-event-first', 'error:first', none, before, 'an error event in place of content'],
  ['error-event-first-rate-limit', 'error:first,type:rate_limit_exceeded', none, before, 'a rate limit told as an event'],
  ['error-event-mid-stream', 'error:mid', none, mid, 'an error event after some content'],
  ['finish-error', 'finish:overloaded_error', none, mid, 'an error told as the finish reason, then [DONE]'],
  ['finish-length', 'finish:length', ok, ok, 'the answer was cut by its own limit'],
  ['no-done', 'no-done', none, okOrMid, 'a finish reason, then the end without [DONE], as Gemini does it'],
  ['huge-event', 'huge:8388608', none, ['ok', 'error-before-content', 'error-event-mid-stream'], 'one event of 8 MiB'],
  ['no-content-type', 'no-content-type', okOrBefore, okOrBefore, 'no content-type'],
  ['redirect-self', 'redirect:self', status, status, 'a redirect to the same URL'],
  ['redirect-other', 'redirect:other', status, status, 'a redirect to another origin'],
  ['tool-call', 'tool-call', ok, ok, 'a tool call, its arguments in several chunks'],
]

const WITHOUT_END: readonly Row[] = [
  ['stall-before-headers', 'stall:headers', before, before, 'silence once the request was read'],
  ['stall-before-content', 'stall:first', before, before, 'silence after the headers'],
  ['stall-mid-stream', 'stall:mid', none, mid, 'silence after some content'],
  ['stall-mid-body', 'stall:mid', before, none, 'silence in the middle of the body'],
  ['endless', 'endless:5', none, mid, 'content without end'],
]

const named = ([name, fault, plain, stream, description]: Row): NamedFault => ({ name, description, fault, plain, stream })

/** Every named fault: for each, `plain` and `stream` say what an honest client may show. */
export const FAULTS: readonly NamedFault[] = Object.freeze([
  ...ENDING_BY_ITSELF.map(named),
  ...WITHOUT_END.map((row): NamedFault => ({ ...named(row), needsDeadline: true })),
])
