import type { Call, Clock, ErrorCode, Next, Policy, Reply, SwitchyardError } from '@switchyard/contract'
import { retryVerdict } from './backoff.ts'
import type { RetrySettings } from './settings.ts'

/** What the policy needs from the plugin that places it. */
export interface RetryContext {
  readonly name: string
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly settings: (operation: string) => RetrySettings
}

/**
 * Repeats an attempt that failed before its reply resolved, at the same target, as `retryVerdict` judges. Each repeat carries
 * `attempt + 1`. An abort ends the wait at once with the signal's reason; otherwise the last attempt's error is passed on as it is.
 * Notes each verdict on a retryable error, and the measures `retryCount` and `retryWaitMs`, in the call's trace.
 */
export function retryPolicy(context: RetryContext): Policy {
  const { name, settings } = context
  return {
    name,
    stage: 'resilience',
    operations: '*',
    async around(call, next) {
      try {
        return await next(call)
      } catch (error) {
        return await repeat(context, call, next, error)
      }
    },
    async explain(call) {
      const { maxAttempts, ...bounds } = settings(call.operation)
      if (maxAttempts === 1) return { decisions: [{ decision: 'no-retry', because: { maxAttempts } }] }
      return { decisions: [{ decision: 'may-retry', because: { maxAttempts, ...bounds, onlyIfUnsent: !call.idempotent } }] }
    },
  }
}

async function repeat(context: RetryContext, call: Call, next: Next, firstError: unknown): Promise<Reply<Call['operation']>> {
  const { name, clock, random } = context
  const settings = context.settings(call.operation)
  let error = firstError
  for (let retries = 0; ; retries++) {
    call.signal.throwIfAborted()
    const verdict = retryVerdict(call, error, retries, settings, clock.now(), random)
    const attempt = call.attempt + retries
    if (!verdict.retry) {
      if (verdict.reason !== 'not-retryable')
        call.trace.decide(name, 'no-retry', { reason: verdict.reason, attempt, code: codeOf(error) })
      throw error
    }
    call.trace.decide(name, 'retry', {
      reason: verdict.reason,
      attempt: attempt + 1,
      waitMs: verdict.waitMs,
      code: codeOf(error),
    })
    call.trace.measure('retryCount', 1)
    call.trace.measure('retryWaitMs', verdict.waitMs)
    await clock.sleep(verdict.waitMs, call.signal)
    try {
      return await next({ ...call, attempt: attempt + 1 })
    } catch (next) {
      error = next
    }
  }
}

/** Only called for errors that were judged, and found, to be SwitchyardErrors. */
function codeOf(error: unknown): ErrorCode {
  return (error as SwitchyardError).code
}
