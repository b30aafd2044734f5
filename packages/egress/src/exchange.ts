import type { Clock, SwitchyardError } from '@switchyard/contract'
import type { Dispatcher } from 'undici'
import { abortError, expiredError, type FailurePoint, isDeadSocket, toSwitchyardError } from './errors.ts'
import type { EgressPolicy } from './policy.ts'
import type { PooledRequest, Slot } from './pool.ts'
import { type BodySource, type EgressBody, ReplyBody } from './reply-body.ts'
import type { Target } from './target.ts'
import { type Phase, Watch, type Watched } from './watch.ts'

/** What is sent. No `accept-encoding` is added, so that a reply is not compressed unless the caller asks for it. */
export interface EgressRequest {
  /** Default `GET`. `CONNECT` is refused. */
  readonly method?: string
  /** Sent as given; `host`, `connection` and `content-length` are added. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  /** Its abort closes the socket at once; the error is its reason if that is a SwitchyardError, else `ABORTED`. */
  readonly signal?: AbortSignal
  /** Clock time in epoch ms; the total bound is the earlier of this and the policy's. */
  readonly deadline?: number | undefined
  /** Replaces the policy's for this request; 0 or `Infinity` = none, as for a reply that comes whole after a long silence. */
  readonly headersTimeoutMs?: number
  /** Replaces the policy's for this request; 0 or `Infinity` = none. */
  readonly bodyIdleTimeoutMs?: number
  /**
   * Whether the request may be sent twice. Default: by method, as RFC 9110 section 9.2.2 has it. True lets egress repeat it once,
   * at once, when a socket that was used before dies without a byte of reply.
   */
  readonly idempotent?: boolean
}

/** A reply whose headers have come. Its body must be read or destroyed. */
export interface EgressReply {
  readonly status: number
  /** Names in lower case; several lines of one name are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: EgressBody
  /** The URL that answered, after redirects. */
  readonly url: string
}

/** What all exchanges of one egress share. */
export interface ExchangeContext {
  readonly policy: EgressPolicy
  readonly clock: Clock
  readonly plugin: string | undefined
  /** Counts repeats after a dead socket. */
  repeats: number
}

/** How long the rest of a reply may take that nobody reads. */
const DRAIN_MS = 1_000
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** One request on the wire and its reply, to the last byte. A class, since one is made a request: no closures. */
export class Exchange implements PooledRequest, BodySource, Watched {
  slot: Slot | undefined
  readonly dispatchOptions: Dispatcher.DispatchOptions
  declaredBytes = -1
  readonly plugin: string | undefined
  readonly #target: Target
  readonly #context: ExchangeContext
  readonly #signal: AbortSignal | undefined
  readonly #idempotent: boolean
  #resolve: (reply: EgressReply) => void
  #reject: (error: unknown) => void
  #controller: Dispatcher.DispatchController | undefined
  #body: ReplyBody | undefined
  #sent = false
  #reused = false
  #heard = false
  #repeated = false
  #finished = false
  #framed = false
  #draining = false
  readonly #headersMs: number
  readonly #idleMs: number
  readonly #watch: Watch

  constructor(
    target: Target,
    request: EgressRequest,
    context: ExchangeContext,
    totalMs: number,
    resolve: (reply: EgressReply) => void,
    reject: (error: unknown) => void,
  ) {
    const { policy } = context
    const method = request.method === undefined ? 'GET' : request.method.toUpperCase()
    this.#target = target
    this.#context = context
    this.plugin = context.plugin
    this.#signal = request.signal
    this.#idempotent = request.idempotent ?? IDEMPOTENT.has(method)
    this.#resolve = resolve
    this.#reject = reject
    this.dispatchOptions = {
      path: target.path,
      method,
      headers: (request.headers ?? null) as Record<string, string> | null,
      body: request.body ?? null,
      blocking: false,
      headersTimeout: 0,
      bodyTimeout: 0,
    }
    this.#headersMs = request.headersTimeoutMs ?? policy.headersTimeoutMs
    this.#idleMs = request.bodyIdleTimeoutMs ?? policy.bodyIdleTimeoutMs
    request.signal?.addEventListener('abort', this)
    this.#watch = new Watch(context.clock, this, totalMs, this.#headersMs)
  }

  /** Sends it. Refused for want of a socket, it ends at once. */
  start(fresh = false): void {
    try {
      this.#target.pool.run(this, fresh)
    } catch (error) {
      this.cancel(toSwitchyardError(error, this.#point()))
    }
  }

  cancel(error: SwitchyardError): void {
    if (this.#finished) return
    const controller = this.#controller
    this.#finish()
    if (controller === undefined) {
      this.#target.pool.abandon(this)
    } else {
      controller.abort(error)
      if (this.slot !== undefined) this.#target.pool.drop(this.slot)
    }
    if (this.#body === undefined) this.#reject(error)
    else this.#body.fail(error, true)
  }

  /** The abort of the signal. */
  handleEvent(): void {
    this.cancel(abortError(this.plugin, this.#signal?.reason, this.#sent))
  }

  resume(): void {
    if (this.#finished) return
    if (!this.#draining) this.#watch.enter('bodyIdle', this.#idleMs)
    this.#controller?.resume()
  }

  drain(): void {
    if (this.#finished) return
    this.#draining = true
    this.#watch.enter('reader', DRAIN_MS)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#finished) throw abortError(this.plugin, undefined, false)
    this.#controller = controller
    this.#sent = true
    this.#watch.enter('headers', this.#headersMs)
    this.#reused = this.slot !== undefined && this.slot.served++ > 0
  }

  onResponseStarted(): void {
    this.#heard = true
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#finished) return
    for (const name in headers) {
      const value = headers[name]
      if (typeof value !== 'string' && value !== undefined) headers[name] = value.join(', ')
    }
    const length = headers['content-length'] as string | undefined
    if (length !== undefined && this.dispatchOptions.method !== 'HEAD') this.declaredBytes = Number(length)
    this.#framed = length !== undefined || headers['transfer-encoding'] !== undefined
    this.#watch.enter('bodyIdle', this.#idleMs)
    this.#body = new ReplyBody(this, this.#context.policy.maxResponseBytes)
    this.#resolve({ status, headers: headers as Record<string, string>, body: this.#body, url: this.#target.url })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#finished || this.#body === undefined) return
    if (!this.#draining) this.#watch.touch()
    if (!this.#body.push(chunk)) return
    controller.pause()
    this.#watch.enter('reader', this.#context.policy.readerIdleTimeoutMs)
  }

  onResponseEnd(): void {
    if (this.#finished) return
    // undici takes a reset for the end of a body that only the end of the connection delimits.
    const reset = this.#framed ? undefined : this.slot?.socket?.errored
    if (reset != null) {
      this.onResponseError(null, reset)
      return
    }
    this.#finish()
    if (this.slot !== undefined) this.#target.pool.release(this.slot)
    this.#body?.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, cause: Error): void {
    if (this.#finished) return
    const { slot } = this
    const { pool } = this.#target
    if (this.#mayRepeat(cause)) {
      this.#repeated = true
      this.#controller = undefined
      this.#sent = false
      this.slot = undefined
      this.#context.repeats++
      queueMicrotask(() => {
        if (!this.#finished) this.start(true)
        if (slot !== undefined) pool.drop(slot)
      })
      return
    }
    const error = toSwitchyardError(cause, this.#point())
    this.#finish()
    // A request that undici would not take has done its socket no harm.
    if (slot?.connected === true && error.code === 'INVALID_REQUEST') pool.release(slot)
    else if (slot !== undefined) pool.drop(slot)
    if (this.#body === undefined) this.#reject(error)
    else this.#body.fail(error, false)
  }

  /** Only where nothing of a reply came on a socket that had lain idle, and only what may be sent twice. */
  #mayRepeat(cause: unknown): boolean {
    return this.#reused && this.#sent && !this.#heard && !this.#repeated && this.#idempotent && isDeadSocket(cause)
  }

  /** A bound has run out. */
  expire(phase: Phase, ms: number): void {
    this.cancel(expiredError(this.plugin, phase, ms, this.#target.origin, this.#sent))
  }

  #point(): FailurePoint {
    return {
      origin: this.#target.origin,
      sent: this.#sent,
      replied: this.#body !== undefined,
      plugin: this.plugin,
    }
  }

  #finish(): void {
    this.#finished = true
    this.#signal?.removeEventListener('abort', this)
    this.#watch.stop()
    this.#controller = undefined
  }
}
