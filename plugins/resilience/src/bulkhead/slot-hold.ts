import { type Call, type Clock, type Next, SwitchyardError } from '@switchyard/contract'
import type { Lane } from '../lane.ts'
import { statedRoom } from '../limiter/stated-room.ts'
import { type AnyReply, endedOf, send } from '../reply.ts'

/** One slot, from before dialling until the reply has ended; what it saw of the target's load goes to the adaptive limit. */
export class SlotHold {
  private readonly clock: Pick<Clock, 'now' | 'monotonic'>
  private readonly lane: Lane
  private readonly call: Call
  private readonly since: number

  /** The slot was taken. */
  constructor(clock: Pick<Clock, 'now' | 'monotonic'>, lane: Lane, call: Call) {
    this.clock = clock
    this.lane = lane
    this.call = call
    this.since = clock.monotonic()
  }

  send(next: Next): Promise<AnyReply> {
    return send(this.call, next).then(
      (reply) => this.replied(reply),
      (error: unknown) => this.failed(error),
    )
  }

  private replied(reply: AnyReply): AnyReply {
    if (this.lane.adaptive !== undefined) {
      const { headers } = (reply ?? {}) as { readonly headers?: unknown }
      this.lane.bulkhead.cap(statedRoom(headers, this.call.attributes.inputTokens))
      this.observe(false)
    }
    const ended = endedOf(reply)
    if (ended === undefined) this.release()
    else {
      const release = (): void => this.release()
      ended.then(release, release)
    }
    return reply
  }

  private failed(error: unknown): never {
    if (this.lane.adaptive !== undefined && isDrop(error) && !this.call.signal.aborted) this.observe(true)
    this.release()
    throw error
  }

  private release(): void {
    const now = this.clock.monotonic()
    this.lane.bulkhead.leave(now - this.since, now)
  }

  private observe(dropped: boolean): void {
    const { lane, clock, call } = this
    const ms = clock.monotonic() - this.since
    const now = clock.now()
    lane.adaptive?.observe({
      ms: dropped ? ms : lane.promptScale.scaled(ms, call.attributes.inputTokens),
      inFlight: lane.bulkhead.inUse,
      dropped,
      startedAt: now - ms,
      now,
    })
    lane.bulkhead.grant(clock.monotonic())
  }
}

/** What a target answers, or does, when it has too much to do. */
function isDrop(error: unknown): boolean {
  if (!SwitchyardError.is(error)) return false
  if (error.details?.guard !== undefined) return false
  return (
    error.code === 'RATE_LIMITED' || error.code === 'OVERLOADED' || error.code === 'TIMEOUT' || error.details?.status === 503
  )
}
