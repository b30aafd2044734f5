import { type Call, type Clock, type Next, SwitchyardError } from '@switchyard/contract'
import { moreUseful } from '../fallback/useful-error.ts'
import { type AnyReply, endedOf, send } from '../reply.ts'

/** One copy on its way. */
interface Copy {
  readonly controller: AbortController
  readonly hedge: boolean
}

/** A call and, if its first copy is late, a second one. One object a call that may be hedged. */
export class HedgedCall {
  private readonly clock: Pick<Clock, 'schedule'>
  private readonly call: Call
  private readonly next: Next
  private readonly second: () => Call | undefined
  private readonly copies: Copy[] = []
  private cancel: (() => void) | undefined = undefined
  private under = 0
  private done = false
  private error: unknown = undefined
  private failed = false
  private resolve!: (reply: AnyReply) => void
  private reject!: (error: unknown) => void

  /** `second` gives the second copy, or undefined where none is to be sent. */
  constructor(clock: Pick<Clock, 'schedule'>, call: Call, next: Next, second: () => Call | undefined) {
    this.clock = clock
    this.call = call
    this.next = next
    this.second = second
  }

  start(delayMs: number): Promise<AnyReply> {
    const { call } = this
    if (call.signal.aborted) return send(call, this.next)
    const answer = new Promise<AnyReply>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    call.signal.addEventListener('abort', this)
    this.cancel = this.clock.schedule(delayMs, () => this.hedge())
    this.launch(call, false)
    return answer
  }

  /** The caller's signal aborted: both copies with it. */
  handleEvent(): void {
    this.cancel?.()
    for (const { controller } of this.copies) controller.abort(this.call.signal.reason)
  }

  private hedge(): void {
    const copy = this.second()
    if (copy !== undefined) this.launch(copy, true)
  }

  private launch(call: Call, hedge: boolean): void {
    const copy: Copy = { controller: new AbortController(), hedge }
    this.copies.push(copy)
    this.under++
    send({ ...call, signal: copy.controller.signal }, this.next).then(
      (reply) => this.replied(copy, reply),
      (error: unknown) => this.lost(error),
    )
  }

  private replied(winner: Copy, reply: AnyReply): void {
    // One that was aborted as it replied: its stream ends by its signal.
    if (this.done) return
    this.done = true
    this.cancel?.()
    for (const copy of this.copies) if (copy !== winner) copy.controller.abort(answeredElsewhere())
    if (winner.hedge) this.call.trace.measure('hedgeWonCount', 1)
    const ended = endedOf(reply)
    const release = (): void => this.release()
    if (ended === undefined) this.release()
    else ended.then(release, release)
    this.resolve(reply)
  }

  private lost(error: unknown): void {
    this.under--
    if (this.done) return
    this.error = this.failed ? moreUseful(this.error, error) : error
    this.failed = true
    if (this.under > 0) return
    this.done = true
    this.cancel?.()
    this.release()
    this.reject(this.error)
  }

  private release(): void {
    this.call.signal.removeEventListener('abort', this)
  }
}

function answeredElsewhere(): SwitchyardError {
  return new SwitchyardError('ABORTED', 'another copy of this call was answered first', {
    retryable: false,
    details: { hedge: true },
  })
}
