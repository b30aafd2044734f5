import { parseHttpDate, parseInstant } from './http-date.ts'

type HeaderRecord = Readonly<Record<string, string | undefined>>

/** Below this a bare number is a delay in seconds, from it on an instant in epoch seconds (2001 or later). */
const EPOCH_SECONDS_FROM = 1e9
/** From here on it is epoch milliseconds (1973 or later; as seconds it would be the year 5138). */
const EPOCH_MS_FROM = 1e11

/** Longer than any list of dates in use; what is longer is not read, so that hostile headers cost nothing. */
const MAX_LENGTH = 512

const NUMBER = /^\d+(\.\d+)?$/
const DURATION = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/
const RESET_NAME = /^(?:x-|[a-z0-9]+-)?rate-?limit-(?:[a-z0-9-]+-)?reset(?:-[a-z0-9-]+)?$/
const LIMIT_ITEM_BORDER = /,(?=\s*")/

/**
 * How long the peer asks to wait, in milliseconds from now: finite, >= 0, at most `capMs`; undefined if it does not say, or says
 * something negative, absurd or unreadable. Headers have lower-case names, several lines joined by `, `.
 *
 * Read in this order, and the first that speaks wins: `retry-after-ms`, `x-ms-retry-after-ms`; `retry-after` in seconds (also
 * fractions), as one of the three HTTP dates (RFC 9110 section 5.6.7), as ISO 8601, or in epoch seconds or milliseconds;
 * `ratelimit` (draft-ietf-httpapi-ratelimit-headers) where nothing remains; then any `...ratelimit...reset...` whose `remaining`
 * is 0 or absent, also as `6m0s`. Of several values of one kind the longest counts. Instants are measured against the reply's own
 * `date`, so that a skewed clock of the peer does no harm, and against `now` (epoch ms) without it. For any status: whether a wait
 * makes sense is the caller's to know.
 */
export function retryAfterMs(headers: HeaderRecord, now: number, capMs: number): number | undefined {
  const date = headers.date ?? ''
  const origin = (date.length < MAX_LENGTH ? parseHttpDate(date) : undefined) ?? now
  const ms =
    millisecondsOf(headers['retry-after-ms']) ??
    millisecondsOf(headers['x-ms-retry-after-ms']) ??
    longest(splitList(headers['retry-after']), (value) => delayOf(value, origin)) ??
    rateLimitOf(headers.ratelimit) ??
    resetOf(headers, origin)
  return ms === undefined ? undefined : Math.min(ms, Math.max(0, capMs))
}

function millisecondsOf(value: string | undefined): number | undefined {
  return longest(splitList(value), numberOf)
}

/** Comma-separated values; the comma after the weekday of an HTTP date does not separate. */
function splitList(value: string | undefined): readonly string[] {
  return value === undefined || value.length > MAX_LENGTH
    ? []
    : value.split(/(?<!(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*)\s*,\s*/i)
}

function longest<T>(values: readonly T[], read: (value: T) => number | undefined): number | undefined {
  let best: number | undefined
  for (const value of values) {
    const ms = read(value)
    if (ms !== undefined && (best === undefined || ms > best)) best = ms
  }
  return best
}

function numberOf(text: string): number | undefined {
  const trimmed = text.trim()
  if (!NUMBER.test(trimmed)) return undefined
  const number = Number(trimmed)
  return Number.isFinite(number) ? number : undefined
}

function delayOf(text: string, origin: number): number | undefined {
  const value = text.trim()
  const number = numberOf(value)
  if (number !== undefined) {
    if (number < EPOCH_SECONDS_FROM) return number * 1000
    return Math.max(0, (number < EPOCH_MS_FROM ? number * 1000 : number) - origin)
  }
  const instant = parseInstant(value)
  return instant === undefined ? durationOf(value) : Math.max(0, instant - origin)
}

function durationOf(value: string): number | undefined {
  const match = value === '' ? null : DURATION.exec(value)
  if (match === null) return undefined
  const [hours, minutes, seconds, milliseconds] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ]
  const ms = hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + milliseconds
  return Number.isFinite(ms) ? ms : undefined
}

/** `"name";r=0;t=30, ...`, and the older `limit=100, remaining=0, reset=30`. Policies with something left do not count. */
function rateLimitOf(value: string | undefined): number | undefined {
  if (value === undefined || value.length > MAX_LENGTH) return undefined
  return longest(value.split(LIMIT_ITEM_BORDER), (item) => {
    const left = /(?:;\s*r|\bremaining)\s*=\s*(\d+)/.exec(item)?.[1]
    const reset = /(?:;\s*t|\breset)\s*=\s*(\d+)/.exec(item)?.[1]
    if (reset === undefined || (left !== undefined && Number(left) > 0)) return undefined
    const seconds = numberOf(reset)
    return seconds === undefined ? undefined : seconds * 1000
  })
}

function resetOf(headers: HeaderRecord, origin: number): number | undefined {
  return longest(Object.keys(headers), (name) => {
    if (name.length > MAX_LENGTH || !RESET_NAME.test(name)) return undefined
    const remaining = headers[name.replace('reset-after', 'remaining').replace('reset', 'remaining')]
    if (remaining !== undefined && Number(remaining) > 0) return undefined
    return longest(splitList(headers[name]), (value) => delayOf(value, origin))
  })
}
