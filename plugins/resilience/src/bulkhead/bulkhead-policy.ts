import type { Call, Clock, Policy } from '@switchyard/contract'
import type { Lane } from '../lane.ts'
import type { Lanes } from '../lanes.ts'
import type { AnyReply } from '../reply.ts'
import { hopeless, overloaded, rankOf } from './refusal.ts'
import { SlotHold } from './slot-hold.ts'
import { SlotWait } from './slot-wait.ts'

/** What the policy needs from the plugin that places it. */
export interface BulkheadContext {
  readonly name: string
  /** Instance name of the plugin, stated in errors. */
  readonly plugin: string
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'schedule'>
  readonly lanes: Lanes
}

/**
 * Holds a slot of the target from before dialling until the reply has ended. Without a free one a call waits in a bounded queue that is
 * fair between tenants; `OVERLOADED` where that is full, the wait took too long, or could not end before the call's deadline.
 */
export function bulkheadPolicy(context: BulkheadContext): Policy {
  const { name, plugin, clock, lanes } = context
  return {
    name,
    stage: 'resilience',
    operations: '*',
    around(call, next) {
      const lane = lanes.of(call, clock.now())
      const { bulkhead, settings } = lane
      if (settings.bulkhead.slots === false && lane.adaptive === undefined) return next(call)
      if (bulkhead.enter()) return new SlotHold(clock, lane, call).send(next)
      if (call.signal.aborted) return Promise.reject(call.signal.reason)
      const now = clock.now()
      if (hopeless(lane, call, now)) return Promise.reject(overloaded(lane, call, plugin, 'deadline-too-near'))
      const wait = new SlotWait(clock, lane, call, plugin, () => new SlotHold(clock, lane, call).send(next))
      return wait.join() ? wait.answer : refuse(lane, call, plugin, now)
    },
    async explain(call) {
      const now = clock.now()
      const lane = lanes.of(call, now)
      const { bulkhead, settings, deployment } = lane
      if (settings.bulkhead.slots === false && lane.adaptive === undefined) return { decisions: [{ decision: 'no-bulkhead' }] }
      const because = {
        deployment,
        slots: bulkhead.limit,
        inUse: bulkhead.inUse,
        waiting: bulkhead.waiting,
        priority: rankOf(call),
      }
      if (bulkhead.hasFreeSlot) return { decisions: [{ decision: 'slot-free', because }] }
      if (hopeless(lane, call, now))
        return { decisions: [{ decision: 'refused', because: { ...because, reason: 'deadline-too-near' } }] }
      const full = bulkhead.waiting >= settings.bulkhead.queueSize
      return {
        decisions: [
          { decision: full ? 'refused' : 'would-wait', because: { ...because, expectedWaitMs: bulkhead.expectedWaitMs() } },
        ],
      }
    },
  }
}

function refuse(lane: Lane, call: Call, plugin: string, now: number): Promise<AnyReply> {
  lane.bulkheadRefused(now)
  return Promise.reject(overloaded(lane, call, plugin, 'queue-full'))
}
