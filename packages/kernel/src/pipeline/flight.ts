import {
  type Call,
  type Clock,
  type Ending,
  type ErrorCode,
  type Lasting,
  type Operation,
  type Principal,
  type Request,
  SwitchyardError,
} from '@switchyard/contract'
import type { Emitter } from '../events.ts'
import { deadlinePassed } from './compose.ts'
import type { Flights } from './flights.ts'
import { CallTrace } from './trace.ts'
import { wrapUnknown } from './wrap.ts'

/**
 * What the kernel needs of a caller's signal. An AbortSignal is one; a caller with many calls and a leaving of its own may give something
 * lighter, since an AbortSignal costs a call several microseconds.
 */
export interface CallerSignal {
  readonly aborted: boolean
  readonly reason?: unknown
  addEventListener(type: 'abort', listener: { handleEvent(): void }): void
  removeEventListener(type: 'abort', listener: { handleEvent(): void }): void
}

/** What a caller gives for one call. */
export interface CallInit<O extends Operation = Operation> {
  /** Plugin instance that is to serve it; a routing policy may choose another. */
  readonly target: string
  readonly request: Request<O>
  readonly principal: Principal
  readonly signal?: CallerSignal | undefined
  /** Epoch ms by the kernel's clock. */
  readonly deadline?: number | undefined
  /** Default: false. */
  readonly idempotent?: boolean | undefined
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined
  /** Default: a new one. */
  readonly id?: string | undefined
}

/** Where flights are counted: one assembly at work. */
export interface Tower {
  readonly clock: Clock
  readonly emitter: Emitter
  readonly newId: () => string
  readonly unwindTimeoutMs: number
  readonly flights: Flights
  /** Called whenever the last flight has ended. */
  onIdle(): void
}

const NO_ATTRIBUTES = Object.freeze({})

/**
 * One call from admission to its last byte. Its promise answers the caller; the flight itself ends when the reply's `ended`
 * settles, or when its handler and policies have settled after an abort, at the latest `unwindTimeoutMs` after it.
 * A class, because every call makes one.
 */
export class Flight {
  readonly call: Call
  private readonly tower: Tower
  private readonly controller: AbortController
  private readonly caller: CallerSignal | undefined
  private readonly startedAt: number
  private readonly quiet: boolean
  private resolve!: (reply: never) => void
  private reject!: (error: SwitchyardError) => void
  private cancelDeadline: (() => void) | undefined = undefined
  private cancelUnwind: (() => void) | undefined = undefined
  private over = false
  /** Where it stands among the tower's flights; kept by them. */
  place = -1

  /** A quiet one emits no event at its end. */
  constructor(tower: Tower, operation: Operation, init: CallInit, quiet = false) {
    this.tower = tower
    this.quiet = quiet
    this.controller = new AbortController()
    this.caller = init.signal
    this.startedAt = tower.clock.monotonic()
    this.call = Object.freeze({
      id: init.id ?? tower.newId(),
      operation,
      target: init.target,
      request: init.request,
      principal: init.principal,
      signal: this.controller.signal,
      deadline: init.deadline,
      attempt: 1,
      idempotent: init.idempotent ?? false,
      attributes: init.attributes === undefined ? NO_ATTRIBUTES : Object.freeze({ ...init.attributes }),
      trace: new CallTrace(),
    })
  }

  /** Sends the call down `next`. An abort or the deadline rejects at once, whether or not anyone further down honours it. */
  start<T>(next: (call: Call) => Promise<T>): Promise<T> {
    const answer = new Promise<T>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.tower.flights.add(this)
    if (this.caller?.aborted) {
      this.refuse(callerLeft(this.caller))
    } else if (this.call.deadline !== undefined && this.call.deadline <= this.tower.clock.now()) {
      this.refuse(deadlinePassed(this.call.target))
    } else {
      this.caller?.addEventListener('abort', this)
      if (this.call.deadline !== undefined) this.watchDeadline(this.call.deadline)
      next(this.call).then(
        (reply) => this.onReply(reply),
        (error: unknown) => this.onError(wrapUnknown(error, 'kernel', 'the pipeline')),
      )
    }
    return answer
  }

  /** Ends the call before its time. Without effect once it is over or aborted. */
  abort(reason: SwitchyardError): void {
    if (this.over || this.controller.signal.aborted) return
    this.cancelUnwind = this.tower.clock.schedule(this.tower.unwindTimeoutMs, () => this.end(reason.code))
    this.controller.abort(reason)
    this.reject(reason)
  }

  /** The caller's signal aborted. */
  handleEvent(): void {
    if (this.caller !== undefined) this.abort(callerLeft(this.caller))
  }

  private watchDeadline(deadline: number): void {
    const left = deadline - this.tower.clock.now()
    if (left === Number.POSITIVE_INFINITY) return
    this.cancelDeadline = this.tower.clock.schedule(left, () => this.abort(deadlinePassed(this.call.target)))
  }

  private refuse(reason: SwitchyardError): void {
    this.controller.abort(reason)
    this.onError(reason)
  }

  private onReply(reply: unknown): void {
    this.resolve(reply as never)
    const ended = (reply as Partial<Lasting> | null | undefined)?.ended
    if (ended === undefined || typeof ended.then !== 'function') {
      this.end(this.abortCode() ?? 'ok')
      return
    }
    ended.then(
      (ending) => this.end(this.codeOf(ending)),
      () => this.end(this.abortCode() ?? 'INTERNAL'),
    )
  }

  private onError(error: SwitchyardError): void {
    this.reject(error)
    this.end(this.abortCode() ?? error.code)
  }

  private abortCode(): ErrorCode | undefined {
    return this.controller.signal.aborted ? (this.controller.signal.reason as SwitchyardError).code : undefined
  }

  private codeOf(ending: Ending): 'ok' | ErrorCode {
    if (ending.outcome === 'complete') return 'ok'
    if (ending.error !== undefined) return ending.error.code
    if (ending.outcome === 'truncated') return 'UPSTREAM_TRUNCATED'
    return this.abortCode() ?? (ending.outcome === 'aborted' ? 'ABORTED' : 'INTERNAL')
  }

  private end(outcome: 'ok' | ErrorCode): void {
    if (this.over) return
    this.over = true
    const { tower } = this
    this.cancelDeadline?.()
    this.cancelUnwind?.()
    this.caller?.removeEventListener('abort', this)
    tower.flights.delete(this)
    if (!this.quiet && tower.emitter.heard('call:ended')) {
      tower.emitter.emit('call:ended', { call: this.call, durationMs: tower.clock.monotonic() - this.startedAt, outcome })
    }
    if (tower.flights.size === 0) tower.onIdle()
  }
}

function callerLeft(signal: CallerSignal): SwitchyardError {
  const reason: unknown = signal.reason
  if (SwitchyardError.is(reason, 'ABORTED') || SwitchyardError.is(reason, 'TIMEOUT')) return reason
  return new SwitchyardError('ABORTED', 'the caller aborted the call', { cause: reason })
}
