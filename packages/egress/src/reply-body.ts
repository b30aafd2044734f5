import { SwitchyardError } from '@switchyard/contract'
import { egressError } from './errors.ts'

/** Bytes held for a reader before the upstream is paused. */
const HIGH_WATER = 128 * 1024
/** Bytes of a rest that nobody wants that are still read, so that the socket can be used again. */
const DRAIN_BYTES = 64 * 1024

/**
 * The body of a reply. Read it once: whole with `bytes`, or in chunks with `for await`. Leaving the loop early, or `destroy`,
 * closes the upstream socket. Chunks are handed out as they came; the receiver owns them.
 */
export interface EgressBody extends AsyncIterable<Uint8Array> {
  /**
   * The whole body. Rejects `UPSTREAM_INVALID` (not retryable; the socket is closed) past `limit` or the policy's
   * `maxResponseBytes`, `UPSTREAM_TRUNCATED` if it was cut, `TIMEOUT`, or with what aborted it.
   */
  bytes(limit?: number): Promise<Uint8Array>
  /** Gives the rest up: the socket is closed at once, and a reader that waits gets `reason` (`ABORTED` where that is no error of ours). */
  destroy(reason?: unknown): void
  /**
   * Gives the rest up, but keeps the socket where the reply ends within 64 KiB and a second: for a reader who knows from the body
   * itself that nothing more will come.
   */
  drain(): void
}

/** What a body asks of the exchange that fills it. */
export interface BodySource {
  resume(): void
  /** Nobody reads the rest: it may come for a moment, no longer. */
  drain(): void
  cancel(error: SwitchyardError): void
  readonly declaredBytes: number
  readonly plugin: string | undefined
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined })
const EMPTY = new Uint8Array(0)

/** A pull queue between undici's push and one reader. A class, since one is made a request: no closures. */
export class ReplyBody implements EgressBody {
  #source: BodySource
  #maxBytes: number
  #chunks: Uint8Array[] = []
  #head = 0
  #buffered = 0
  #received = 0
  #paused = false
  #ended = false
  #error: SwitchyardError | undefined
  #whole = false
  #draining = false
  #resolve: ((value: never) => void) | undefined
  #reject: ((error: unknown) => void) | undefined

  constructor(source: BodySource, maxBytes: number) {
    this.#source = source
    this.#maxBytes = maxBytes
  }

  /** Takes a chunk. Returns true when the upstream should pause. */
  push(chunk: Uint8Array): boolean {
    this.#received += chunk.byteLength
    if (this.#received > this.#maxBytes) {
      this.#source.cancel(tooLarge(this.#source.plugin, this.#maxBytes))
      return false
    }
    if (this.#draining) return false
    if (this.#resolve !== undefined && !this.#whole) {
      this.#settle()?.({ done: false, value: chunk } as never)
      return false
    }
    this.#chunks.push(chunk)
    this.#buffered += chunk.byteLength
    if (this.#whole || this.#buffered < HIGH_WATER) return false
    this.#paused = true
    return true
  }

  /** The upstream said all. */
  end(): void {
    this.#ended = true
    if (this.#resolve === undefined) return
    const value = this.#whole ? this.#join() : DONE
    this.#settle()?.(value as never)
  }

  /** The upstream failed, after the chunks that came; with `discard`, those are dropped and the reader learns it at once. */
  fail(error: SwitchyardError, discard: boolean): void {
    if (this.#ended || this.#error !== undefined) return
    this.#error = error
    if (discard || this.#whole) this.#clear()
    const reject = this.#reject
    this.#settle()
    reject?.(error)
  }

  bytes(limit: number = this.#maxBytes): Promise<Uint8Array> {
    if (this.#resolve !== undefined) return Promise.reject(busy())
    const max = Math.min(limit, this.#maxBytes)
    if (this.#error === undefined && (this.#received > max || (!this.#ended && this.#source.declaredBytes > max))) {
      const error = tooLarge(this.#source.plugin, max)
      this.#giveUp(error)
      return Promise.reject(error)
    }
    if (this.#error !== undefined) {
      this.#clear()
      return Promise.reject(this.#error)
    }
    if (this.#ended) return Promise.resolve(this.#join())
    this.#maxBytes = max
    this.#whole = true
    const promise = new Promise<Uint8Array>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#resumeIfPaused()
    return promise
  }

  destroy(reason?: unknown): void {
    if (SwitchyardError.is(reason)) this.#giveUp(reason)
    else {
      const message = 'the reply was given up before its end'
      this.#giveUp(
        egressError(this.#source.plugin, 'ABORTED', message, { sent: true }, reason === undefined ? {} : { cause: reason }),
      )
    }
  }

  drain(): void {
    const unread = this.#buffered
    this.#clear()
    if (this.#ended || this.#error !== undefined || this.#draining) return
    this.#draining = true
    this.#maxBytes = this.#received - unread + DRAIN_BYTES
    this.#settle()?.(DONE as never)
    this.#source.drain()
    this.#resumeIfPaused()
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return this as unknown as AsyncIterator<Uint8Array, undefined>
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#head < this.#chunks.length) {
      const value = this.#chunks[this.#head] as Uint8Array
      this.#chunks[this.#head++] = EMPTY
      if (this.#head === this.#chunks.length) {
        this.#chunks.length = 0
        this.#head = 0
      }
      this.#buffered -= value.byteLength
      if (this.#paused && this.#buffered < HIGH_WATER) this.#resumeIfPaused()
      return Promise.resolve({ done: false, value })
    }
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#ended || this.#draining) return Promise.resolve(DONE)
    if (this.#resolve !== undefined) return Promise.reject(busy())
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.destroy()
    return Promise.resolve(DONE)
  }

  #giveUp(error: SwitchyardError): void {
    this.#clear()
    if (this.#ended) this.#error ??= error
    else if (this.#error === undefined) this.#source.cancel(error)
  }

  #resumeIfPaused(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#source.resume()
  }

  /** Takes the waiting reader, if there is one. */
  #settle(): ((value: never) => void) | undefined {
    const resolve = this.#resolve
    this.#resolve = undefined
    this.#reject = undefined
    return resolve
  }

  #clear(): void {
    this.#chunks.length = 0
    this.#head = 0
    this.#buffered = 0
  }

  #join(): Uint8Array {
    const rest = this.#head === 0 ? this.#chunks : this.#chunks.slice(this.#head)
    const joined = rest.length === 1 ? (rest[0] as Uint8Array) : rest.length === 0 ? EMPTY : Buffer.concat(rest, this.#buffered)
    this.#clear()
    return joined
  }
}

function busy(): TypeError {
  return new TypeError('this body is being read already: read it once, with bytes() or one for-await loop')
}

function tooLarge(plugin: string | undefined, limitBytes: number): SwitchyardError {
  const message = `the reply is larger than ${limitBytes} bytes; raise maxResponseBytes or the limit given`
  return egressError(plugin, 'UPSTREAM_INVALID', message, { limitBytes, sent: true }, { retryable: false })
}
