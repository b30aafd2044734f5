import { type Call, type Clock, type Policy, SwitchyardError } from '@switchyard/contract'
import { type Bound, boundedCall } from '../deadline/bounded-call.ts'
import type { Lane } from '../lane.ts'
import type { Lanes } from '../lanes.ts'
import { type AnyReply, ATTEMPTS, isStreamed, send } from '../reply.ts'
import { givesUp, patienceOf } from './patience.ts'

/** First replies of a target that must be known before their median refuses a call. */
const LEAST_TIMES = 20

/** What the policy needs from the plugin that places it. */
export interface AttemptContext {
  readonly name: string
  /** Instance name of the plugin, stated in errors. */
  readonly plugin: string
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'schedule'>
  readonly lanes: Lanes
}

/**
 * The innermost guard: counts each attempt in the call's ledger, bounds its time to the first reply, and keeps how long that took. An
 * attempt that is over before the target's median time cannot be in time and is refused with `TIMEOUT` without being dialled; one that
 * waits far beyond what is usual at a target that answers nobody is given up, where another target is free.
 */
export function attemptPolicy({ name, plugin, clock, lanes }: AttemptContext): Policy {
  const bound: Bound = { clock, until: 'reply', late }

  function late(call: Call, waitedMs: number): SwitchyardError | number {
    const now = clock.now()
    const lane = lanes.of(call, now)
    const limit = limitOf(lane, isStreamed(call))
    if (waitedMs >= limit) return noReply(call, plugin, waitedMs)
    if (givesUp(lanes, lane, call, waitedMs, now)) {
      call.trace.decide(name, 'given-up', { deployment: lane.deployment, afterMs: waitedMs })
      return stalled(call, plugin, waitedMs)
    }
    return Math.min(waitedMs, limit - waitedMs)
  }

  return {
    name,
    stage: 'resilience',
    operations: '*',
    around(call, next) {
      const now = clock.now()
      const lane = lanes.of(call, now)
      const streamed = isStreamed(call)
      const left = call.deadline === undefined ? Number.POSITIVE_INFINITY : call.deadline - now
      const usual = lane.timesOf(streamed).p50(now, LEAST_TIMES)
      if (usual !== undefined && left < usual) return Promise.reject(tooNear(call, plugin, left, usual))
      call.trace.measure(ATTEMPTS, 1)
      const startedAt = clock.monotonic()
      const ms = Math.min(limitOf(lane, streamed), patienceOf(lane, call, now))
      const reply = left <= ms || call.signal.aborted ? send(call, next) : boundedCall(bound, call, next, ms, call.deadline)
      return reply.then((given: AnyReply) => {
        lane.answered(streamed, clock.monotonic() - startedAt, clock.now())
        return given
      })
    },
    async explain(call) {
      const lane = lanes.of(call, clock.now())
      const streamed = isStreamed(call)
      const firstReplyMs = limitOf(lane, streamed)
      const usualMs = lane.timesOf(streamed).p50(clock.now(), LEAST_TIMES)
      const lateMs = patienceOf(lane, call, clock.now())
      const because = {
        deployment: lane.deployment,
        firstReplyMs: Number.isFinite(firstReplyMs) && firstReplyMs,
        usualMs,
        ...(Number.isFinite(lateMs) && { lateMs }),
      }
      return { decisions: [{ decision: 'attempt', because }] }
    },
  }
}

function limitOf({ settings: { attempts } }: Lane, streamed: boolean): number {
  const limit = streamed ? attempts.streamFirstMs : attempts.wholeReplyMs
  return limit === false ? Number.POSITIVE_INFINITY : limit
}

function noReply(call: Call, plugin: string, ms: number): SwitchyardError {
  const option = isStreamed(call) ? 'streamFirstMs' : 'wholeReplyMs'
  const message = `${call.operation} at ${call.target} gave no reply within ${ms} ms (attempts.${option} of ${plugin}); raise it if the target is that slow`
  return new SwitchyardError('TIMEOUT', message, { plugin, details: { phase: 'first', sent: true, firstReplyMs: ms } })
}

function stalled(call: Call, plugin: string, ms: number): SwitchyardError {
  const message = `${call.operation} at ${call.target} gave no reply within ${Math.round(ms)} ms, nor to any attempt since, and another target is free (attempts.lateFactor of ${plugin})`
  return new SwitchyardError('TIMEOUT', message, { plugin, details: { phase: 'first', sent: true, firstReplyMs: ms } })
}

function tooNear(call: Call, plugin: string, left: number, usual: number): SwitchyardError {
  const message = `${call.operation} at ${call.target} has ${Math.round(left)} ms left, and a reply takes ${Math.round(usual)} ms there; allow it more time`
  return new SwitchyardError('TIMEOUT', message, { plugin, details: { phase: 'too-near', sent: false } })
}
