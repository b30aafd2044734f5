import { type Call, type Clock, type Ending, type Policy, SwitchyardError } from '@switchyard/contract'
import { dispositionOf } from '../disposition.ts'
import type { Lane } from '../lane.ts'
import type { Lanes } from '../lanes.ts'
import { type AnyReply, endedOf, isStreamed, QUEUE_WAIT, send } from '../reply.ts'
import { statedDelay } from '../retry/backoff.ts'
import { FREE, REFUSED, type Sample, type Ticket } from './breaker.ts'

/** A client that leaves after so many times the target's 95th percentile without content shows that the target hangs. */
const HANGS_AFTER = 3
/** First replies that must be known before that is said. */
const LEAST_TIMES = 20

/** What the policy needs from the plugin that places it. */
export interface BreakerContext {
  readonly name: string
  /** Instance name of the plugin, stated in errors. */
  readonly plugin: string
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly lanes: Lanes
}

/**
 * Refuses calls to a target that keeps failing with `CIRCUIT_OPEN`, and to one that asked for a pause with `RATE_LIMITED`; both carry
 * `retryAfterMs`. Takes one sample an attempt, when its reply has ended: a stream that is cut is a failure although it began well.
 */
export function breakerPolicy(context: BreakerContext): Policy {
  const { name, plugin, clock, lanes } = context
  return {
    name,
    stage: 'resilience',
    operations: '*',
    around(call, next) {
      const now = clock.now()
      const lane = lanes.of(call, now)
      if (!lane.settings.breaker.enabled) return next(call)
      const pause = lane.cooldowns.left(call.principal.tenant, now)
      if (pause > 0) return Promise.reject(cooling(call, plugin, lane, pause))
      const ticket = lane.breaker.admit(now)
      if (ticket === REFUSED) return Promise.reject(circuitOpen(call, plugin, lane, lane.breaker.retryAfterMs(now)))
      const watch = new AttemptWatch(clock, lane, call, ticket)
      return send(call, next).then(
        (reply) => watch.replied(reply),
        (error: unknown) => watch.failed(error),
      )
    },
    async explain(call) {
      const now = clock.now()
      const lane = lanes.of(call, now)
      const { breaker, deployment } = lane
      if (!lane.settings.breaker.enabled) return { decisions: [{ decision: 'no-breaker' }] }
      const pause = lane.cooldowns.left(call.principal.tenant, now)
      if (pause > 0)
        return { decisions: [{ decision: 'refused', because: { reason: 'cooldown', deployment, retryAfterMs: pause } }] }
      const { state } = breaker
      if (breaker.wouldAdmit(now)) return { decisions: [{ decision: 'let-through', because: { deployment, state } }] }
      const because = { reason: 'breaker', deployment, state, retryAfterMs: breaker.retryAfterMs(now) }
      return { decisions: [{ decision: 'refused', because }] }
    },
  }
}

/** One attempt from its admission to its sample. A class, since every attempt makes one. */
class AttemptWatch {
  private readonly clock: Pick<Clock, 'now' | 'monotonic'>
  private readonly lane: Lane
  private readonly call: Call
  private readonly ticket: Ticket
  private readonly startedAt: number
  private readonly queuedBefore: number
  private slow = false

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>, lane: Lane, call: Call, ticket: Ticket) {
    this.clock = clock
    this.lane = lane
    this.call = call
    this.ticket = ticket
    this.startedAt = clock.monotonic()
    this.queuedBefore = queuedMs(call)
  }

  replied(reply: AnyReply): AnyReply {
    const { breaker, settings } = this.lane
    const { slowMs } = settings.breaker
    this.slow = slowMs !== false && this.waitedMs() > slowMs
    // Content proves a probe good: the end of a long stream is too late for those that wait for it.
    if (this.ticket !== FREE) breaker.giveBack(this.ticket, 'good', this.clock.now())
    const ended = endedOf(reply)
    if (ended === undefined) this.record('good')
    else {
      ended.then(
        (ending) => this.record(this.sampleOf(ending)),
        () => this.record('failure'),
      )
    }
    return reply
  }

  failed(error: unknown): never {
    const { lane, call, clock } = this
    const now = clock.now()
    const asked = statedDelay(error)
    if (asked > 0 && SwitchyardError.is(error, 'RATE_LIMITED') && error.details?.guard === undefined) {
      lane.cooldowns.set(call.principal.tenant, now + Math.min(asked, lane.settings.breaker.openMaxMs))
    }
    const sample = this.failedAs(error, now)
    if (this.ticket !== FREE) lane.breaker.giveBack(this.ticket, sample, now)
    lane.breaker.record(sample, false, now)
    throw error
  }

  private failedAs(error: unknown, now: number): Sample {
    const { signal, deadline } = this.call
    // The deadline may be noticed by a clock before the signal's timer has fired.
    if (signal.aborted || (deadline !== undefined && now >= deadline)) return this.hung() ? 'failure' : 'neutral'
    return dispositionOf(error).failure ? 'failure' : 'neutral'
  }

  /** The caller gave up, but so late that it is the target's doing. */
  private hung(): boolean {
    const usual = this.lane.timesOf(isStreamed(this.call)).p95(this.clock.now(), LEAST_TIMES)
    return usual !== undefined && this.waitedMs() > HANGS_AFTER * usual
  }

  private sampleOf({ outcome, error }: Ending): Sample {
    if (outcome === 'complete') return 'good'
    if (outcome === 'aborted' || this.call.signal.aborted) return 'neutral'
    return outcome === 'truncated' || dispositionOf(error).failure ? 'failure' : 'neutral'
  }

  private record(sample: Sample): void {
    this.lane.breaker.record(sample, this.slow, this.clock.now())
  }

  /** Since the attempt was let through, without the time in our own queue. */
  private waitedMs(): number {
    return this.clock.monotonic() - this.startedAt - (queuedMs(this.call) - this.queuedBefore)
  }
}

function queuedMs(call: Call): number {
  return call.trace.measures.get(QUEUE_WAIT) ?? 0
}

function circuitOpen(call: Call, plugin: string, { deployment, breaker }: Lane, retryAfterMs: number): SwitchyardError {
  const message = `${call.operation}: ${deployment} keeps failing and is left alone (breaker ${breaker.state}); try again in ${retryAfterMs} ms, or another target`
  return new SwitchyardError('CIRCUIT_OPEN', message, {
    plugin,
    retryAfterMs,
    details: { guard: 'breaker', sent: false, deployment },
  })
}

function cooling(call: Call, plugin: string, { deployment }: Lane, retryAfterMs: number): SwitchyardError {
  const message = `${call.operation}: ${deployment} asked for a pause that lasts another ${retryAfterMs} ms; wait, or use another target`
  return new SwitchyardError('RATE_LIMITED', message, {
    plugin,
    retryAfterMs,
    details: { guard: 'cooldown', sent: false, deployment },
  })
}
