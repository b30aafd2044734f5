import { type Call, type Clock, type Policy, SwitchyardError } from '@switchyard/contract'
import type { DeadlineSettings } from '../settings.ts'
import { type Bound, boundedCall } from './bounded-call.ts'

/** What the policy needs from the plugin that places it. */
export interface DeadlineContext {
  readonly name: string
  /** Instance name of the plugin, stated in the error. */
  readonly plugin: string
  readonly clock: Pick<Clock, 'now' | 'schedule'>
  readonly settings: (operation: string) => DeadlineSettings
}

/**
 * Bounds a call from its admission to its last byte. A call whose own deadline is not later passes untouched, with no timer. Otherwise
 * what is inside gets the earlier `deadline` and a signal that aborts with `TIMEOUT`; the call rejects with it at once, whether what is
 * inside heeds the signal or not. A reply with `ended` stays under the same timer until it settles.
 */
export function deadlinePolicy({ name, plugin, clock, settings }: DeadlineContext): Policy {
  const bound: Bound = { clock, until: 'end', late: (call, totalMs) => timedOut(call, plugin, totalMs) }
  return {
    name,
    stage: 'admit',
    operations: '*',
    around(call, next) {
      const { totalMs } = settings(call.operation)
      if (totalMs === false || call.signal.aborted) return next(call)
      const deadline = clock.now() + totalMs
      if (call.deadline !== undefined && call.deadline <= deadline) return next(call)
      return boundedCall(bound, call, next, totalMs, deadline)
    },
    async explain(call) {
      const { totalMs } = settings(call.operation)
      if (totalMs === false) return { decisions: [{ decision: 'no-deadline', because: { totalMs } }] }
      const now = clock.now()
      const deadline = now + totalMs
      if (call.deadline !== undefined && call.deadline <= deadline) {
        return { decisions: [{ decision: 'deadline-kept', because: { totalMs, leftMs: call.deadline - now } }] }
      }
      return { decisions: [{ decision: 'deadline-set', because: { totalMs, leftMs: totalMs } }], call: { ...call, deadline } }
    },
  }
}

function timedOut(call: Call, plugin: string, totalMs: number): SwitchyardError {
  const message = `${call.operation} at ${call.target} was not over after ${totalMs} ms (deadline.totalMs of ${plugin}); ask for less, or raise the limit`
  return new SwitchyardError('TIMEOUT', message, { plugin, details: { totalMs, phase: 'total' } })
}
