import type { Call, Clock, Next, SwitchyardError } from '@switchyard/contract'
import { type AnyReply, endedOf, send } from '../reply.ts'

/** How a call is bounded. One object an operation or policy, not one a call. */
export interface Bound {
  readonly clock: Pick<Clock, 'schedule'>
  /** The bound ends with the promise, or with the last byte. */
  readonly until: 'reply' | 'end'
  /** What the call is told when its time is over, after `ms` in all; or how many more it has, Infinity included. */
  late(call: Call, ms: number): SwitchyardError | number
}

/**
 * Sends a call with a signal of its own that aborts with the caller's, or after `ms` with `late`; then the promise rejects at once,
 * whether or not what is inside heeds the signal. Timer and listener are gone in every ending.
 */
export function boundedCall(bound: Bound, call: Call, next: Next, ms: number, deadline: number | undefined): Promise<AnyReply> {
  return new BoundedCall(bound, call, ms).send(next, deadline)
}

/** A class, since every call makes one. */
class BoundedCall {
  private readonly bound: Bound
  private readonly call: Call
  private ms: number
  private readonly controller = new AbortController()
  private cancel: (() => void) | undefined = undefined
  private listening = true
  private resolve!: (reply: AnyReply) => void
  private reject!: (error: unknown) => void

  constructor(bound: Bound, call: Call, ms: number) {
    this.bound = bound
    this.call = call
    this.ms = ms
  }

  send(next: Next, deadline: number | undefined): Promise<AnyReply> {
    const answer = new Promise<AnyReply>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.call.signal.addEventListener('abort', this)
    this.cancel = this.bound.clock.schedule(this.ms, () => this.expire())
    send({ ...this.call, signal: this.controller.signal, deadline }, next).then(
      (reply) => this.replied(reply),
      (error: unknown) => this.failed(error),
    )
    return answer
  }

  /** The caller's signal aborted. */
  handleEvent(): void {
    this.release()
    this.controller.abort(this.call.signal.reason)
  }

  private expire(): void {
    const error = this.bound.late(this.call, this.ms)
    if (typeof error === 'number') {
      this.wait(error)
      return
    }
    this.release()
    this.controller.abort(error)
    this.reject(error)
  }

  private wait(moreMs: number): void {
    this.cancel = undefined
    if (moreMs === Number.POSITIVE_INFINITY) return
    this.ms += moreMs
    this.cancel = this.bound.clock.schedule(moreMs, () => this.expire())
  }

  private replied(reply: AnyReply): void {
    const ended = endedOf(reply)
    if (ended === undefined) this.release()
    else {
      if (this.bound.until === 'reply') this.stopTimer()
      const release = (): void => this.release()
      ended.then(release, release)
    }
    this.resolve(reply)
  }

  private failed(error: unknown): void {
    this.release()
    this.reject(error)
  }

  private stopTimer(): void {
    this.cancel?.()
    this.cancel = undefined
  }

  private release(): void {
    this.stopTimer()
    if (!this.listening) return
    this.listening = false
    this.call.signal.removeEventListener('abort', this)
  }
}
