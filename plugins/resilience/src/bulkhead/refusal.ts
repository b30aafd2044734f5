import { type Call, SwitchyardError, type WellKnownAttributes } from '@switchyard/contract'
import type { Lane } from '../lane.ts'
import { isStreamed } from '../reply.ts'
import type { Rank } from './fair-queue.ts'

/** First replies that must be known before a wait is called hopeless by them. */
const LEAST_TIMES = 20
/** Least delay that a refusal asks for: a queue that is full is not empty a moment later. */
const LEAST_DELAY_MS = 100

/** Why a call got no slot. */
export type NoSlot = 'queue-full' | 'queue-timeout' | 'displaced' | 'overload' | 'deadline-too-near'

/** The rank of the call's class; a class that is none is `normal`. */
export function rankOf(call: Pick<Call, 'attributes'>): Rank {
  const { priority } = call.attributes as WellKnownAttributes
  return priority === 'high' ? 0 : priority === 'low' ? 2 : 1
}

/** Whether the call's deadline will have passed before it could be answered. */
export function hopeless(lane: Lane, call: Call, now: number): boolean {
  if (call.deadline === undefined) return false
  const reply = lane.timesOf(isStreamed(call)).p50(now, LEAST_TIMES) ?? 0
  return now + lane.bulkhead.expectedWaitMs() + reply >= call.deadline
}

/** `OVERLOADED` with the time after which a slot is likely. */
export function overloaded({ bulkhead, deployment }: Lane, call: Call, plugin: string, reason: NoSlot): SwitchyardError {
  const retryAfterMs = Math.max(LEAST_DELAY_MS, Math.ceil(bulkhead.expectedWaitMs()))
  const message = `${call.operation}: no slot for ${deployment} (${reason}): ${bulkhead.inUse} of ${bulkhead.limit} in use, ${bulkhead.waiting} waiting; try again later, or raise bulkhead.slots of ${plugin}`
  const details = { guard: 'bulkhead', reason, sent: false, deployment }
  return new SwitchyardError('OVERLOADED', message, { plugin, retryAfterMs, details })
}
