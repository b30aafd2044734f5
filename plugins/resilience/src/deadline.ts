import { type Call, type Clock, type Lasting, type Next, type Policy, type Reply, SwitchyardError } from '@switchyard/contract'
import type { DeadlineSettings } from './settings.ts'

/** What the policy needs from the plugin that places it. */
export interface DeadlineContext {
  readonly name: string
  /** Instance name of the plugin, stated in the error. */
  readonly plugin: string
  readonly clock: Pick<Clock, 'now' | 'schedule'>
  readonly settings: (operation: string) => DeadlineSettings
}

/**
 * Bounds a call from here to its last byte. A call whose own deadline is not later passes untouched, with no timer. Otherwise what is
 * inside gets the earlier `deadline` and a signal that aborts with `TIMEOUT`; the call rejects with it at once, whether what is inside
 * heeds the signal or not. A reply with `ended` stays under the same timer until it settles. Timer and listener go in every ending.
 */
export function deadlinePolicy(context: DeadlineContext): Policy {
  const { name, clock, settings } = context
  return {
    name,
    stage: 'resilience',
    operations: '*',
    around(call, next) {
      const { totalMs } = settings(call.operation)
      if (totalMs === false) return next(call)
      const deadline = clock.now() + totalMs
      if (call.deadline !== undefined && call.deadline <= deadline) return next(call)
      return bounded(context, call, next, totalMs, deadline)
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

function bounded(
  { clock, plugin }: DeadlineContext,
  call: Call,
  next: Next,
  totalMs: number,
  deadline: number,
): Promise<Reply<Call['operation']>> {
  const { signal } = call
  if (signal.aborted) return next(call)
  const controller = new AbortController()
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      release()
      controller.abort(signal.reason)
    }
    const cancel = clock.schedule(totalMs, () => {
      release()
      const error = timedOut(call, plugin, totalMs)
      controller.abort(error)
      reject(error)
    })
    const release = (): void => {
      cancel()
      signal.removeEventListener('abort', onAbort)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    const onReply = (reply: Reply<Call['operation']>): void => {
      const ended = (reply as Partial<Lasting> | null | undefined)?.ended
      if (typeof ended?.then === 'function') ended.then(release, release)
      else release()
      resolve(reply)
    }
    const onError = (error: unknown): void => {
      release()
      reject(error)
    }
    try {
      next({ ...call, signal: controller.signal, deadline }).then(onReply, onError)
    } catch (error) {
      onError(error)
    }
  })
}

function timedOut(call: Call, plugin: string, totalMs: number): SwitchyardError {
  const message = `${call.operation} at ${call.target} was not over after ${totalMs} ms (deadline.totalMs of ${plugin}); ask for less, or raise the limit`
  return new SwitchyardError('TIMEOUT', message, { plugin, details: { totalMs } })
}
