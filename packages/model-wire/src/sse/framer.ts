import { SwitchyardError } from '@switchyard/contract'

const LF = 10
const CR = 13
/** The most that one event may hold: 4 MiB. */
export const MAX_EVENT_BYTES: number = 4 * 1024 * 1024

/** Whole events found in a chunk. */
export interface Frames {
  /** Bytes of all of them, in order, line ends included. */
  readonly bytes: Uint8Array
  /** Where each ends within `bytes`, ascending. */
  readonly ends: readonly number[]
}

export interface SseFramer {
  /** The events that this chunk completes, or undefined. Throws `UPSTREAM_INVALID` for an event above the limit. */
  push(chunk: Uint8Array): Frames | undefined
  /** Bytes of an event that was begun and not ended. */
  rest(): Uint8Array
}

const NOTHING: Buffer = Buffer.alloc(0)
/** A carry above this is let go once its event is whole. */
const KEPT_CARRY_BYTES = 65_536

/**
 * Finds the borders of server-sent events in bytes, without decoding. Lines end with LF, CRLF or CR, in any chunking. Each byte is
 * looked at once; an event that lies in one chunk is not copied. What is carried over is copied into one buffer, so that a stream of
 * one-byte chunks costs its bytes and not an object for each.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function createSseFramer(options: { readonly maxEventBytes?: number } = {}): SseFramer {
  const max = options.maxEventBytes ?? MAX_EVENT_BYTES
  let carry = NOTHING
  let carriedBytes = 0
  let lineStart = true
  let afterCr = false
  /** An event ended with a CR: a LF right behind it is its own, or, where it comes with the next chunk, the start of the next. */
  let awaitingLf = false

  return {
    push(chunk) {
      const ends: number[] = []
      const last = afterCr || chunk.includes(CR) ? scanAny(chunk, ends) : scanLf(chunk, ends)
      const tail = chunk.length - last
      if (ends.length === 0) {
        if (tail > 0) keep(chunk)
        return undefined
      }
      const whole = chunk.subarray(0, last)
      const bytes = carriedBytes === 0 ? whole : Buffer.concat([carry.subarray(0, carriedBytes), whole])
      carriedBytes = 0
      if (carry.length > KEPT_CARRY_BYTES) carry = NOTHING
      if (tail > 0) keep(chunk.subarray(last))
      return { bytes, ends }
    },
    rest: () => carry.subarray(0, carriedBytes),
  }

  /** Finds events whose lines end with LF alone, which is nearly all of them: line by line by native search. Returns the last border. */
  function scanLf(chunk: Uint8Array, ends: number[]): number {
    let last = 0
    let begin = 0
    awaitingLf = false
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, begin)) {
      if (at === begin && (begin > 0 || lineStart)) {
        last = at + 1
        border(ends, last)
      }
      begin = at + 1
    }
    if (chunk.length > 0) lineStart = begin === chunk.length
    return last
  }

  /** The same for any line ends, byte by byte. */
  function scanAny(chunk: Uint8Array, ends: number[]): number {
    let last = 0
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index]
      if (byte === LF && afterCr) {
        afterCr = false
        if (awaitingLf && ends.length > 0) {
          last = index + 1
          ends[ends.length - 1] = last + carriedBytes
        }
        awaitingLf = false
        continue
      }
      awaitingLf = false
      if (byte !== LF && byte !== CR) {
        lineStart = false
        afterCr = false
        continue
      }
      afterCr = byte === CR
      if (lineStart) {
        last = index + 1
        border(ends, last)
        awaitingLf = afterCr
      }
      lineStart = true
    }
    return last
  }

  function border(ends: number[], last: number): void {
    const end = last + carriedBytes
    if (end - (ends.at(-1) ?? 0) > max) throw tooLarge()
    ends.push(end)
  }

  function keep(part: Uint8Array): void {
    const needed = carriedBytes + part.length
    if (needed > max) throw tooLarge()
    if (needed > carry.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(max, Math.max(needed, carry.length * 2)))
      carry.copy(grown, 0, 0, carriedBytes)
      carry = grown
    }
    carry.set(part, carriedBytes)
    carriedBytes = needed
  }

  function tooLarge(): SwitchyardError {
    carry = NOTHING
    carriedBytes = 0
    return new SwitchyardError('UPSTREAM_INVALID', `one server-sent event is larger than ${max} bytes`, { retryable: false })
  }
}
