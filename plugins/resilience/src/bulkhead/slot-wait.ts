import { type Call, type Clock, SwitchyardError } from '@switchyard/contract'
import type { Lane } from '../lane.ts'
import { type AnyReply, QUEUE_WAIT } from '../reply.ts'
import type { SlotWaiter } from './bulkhead.ts'
import type { Rank } from './fair-queue.ts'
import { type NoSlot, overloaded, rankOf } from './refusal.ts'

/** One call in the queue of a bulkhead. Its abort and its time take it out in the same tick. */
export class SlotWait implements SlotWaiter {
  readonly tenant: string
  readonly rank: Rank
  readonly answer: Promise<AnyReply>
  private readonly clock: Pick<Clock, 'now' | 'monotonic' | 'schedule'>
  private readonly lane: Lane
  private readonly call: Call
  private readonly plugin: string
  private readonly hold: () => Promise<AnyReply>
  private readonly since: number
  private cancel: (() => void) | undefined = undefined
  private resolve!: (reply: Promise<AnyReply>) => void
  private reject!: (error: unknown) => void

  /** `hold` dials, with the slot that was granted. */
  constructor(
    clock: Pick<Clock, 'now' | 'monotonic' | 'schedule'>,
    lane: Lane,
    call: Call,
    plugin: string,
    hold: () => Promise<AnyReply>,
  ) {
    this.tenant = call.principal.tenant
    this.rank = rankOf(call)
    this.clock = clock
    this.lane = lane
    this.call = call
    this.plugin = plugin
    this.hold = hold
    this.since = clock.monotonic()
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  /** False if the queue is full. */
  join(): boolean {
    const { lane, call, clock } = this
    if (!lane.bulkhead.wait(this, this.since)) return false
    call.signal.addEventListener('abort', this)
    this.cancel = clock.schedule(lane.settings.bulkhead.queueWaitMs, () => this.leave(this.refusal('queue-timeout')))
    return true
  }

  /** The call's signal aborted. */
  handleEvent(): void {
    this.leave(this.call.signal.reason)
  }

  granted(): void {
    this.settle()
    this.resolve(this.hold())
  }

  displaced(): void {
    this.settle()
    this.lane.bulkheadRefused(this.clock.now())
    this.reject(this.refusal('displaced'))
  }

  shed(): void {
    this.settle()
    this.reject(this.refusal('overload'))
  }

  broken(): void {
    this.settle()
    const { lane, call, plugin } = this
    const retryAfterMs = lane.breaker.retryAfterMs(this.clock.now())
    const message = `${call.operation}: ${lane.deployment} was given up while this call waited for a slot; try again in ${retryAfterMs} ms, or another target`
    const details = { guard: 'breaker', sent: false, deployment: lane.deployment }
    this.reject(new SwitchyardError('CIRCUIT_OPEN', message, { plugin, retryAfterMs, details }))
  }

  private leave(reason: unknown): void {
    this.lane.bulkhead.giveUp(this)
    this.settle()
    this.reject(reason)
  }

  private settle(): void {
    this.cancel?.()
    this.call.signal.removeEventListener('abort', this)
    this.call.trace.measure(QUEUE_WAIT, this.clock.monotonic() - this.since)
    this.lane.bulkheadMoved(this.clock.now())
  }

  private refusal(reason: NoSlot): SwitchyardError {
    return overloaded(this.lane, this.call, this.plugin, reason)
  }
}
