import { type Call, type Clock, type Next, type Policy, SwitchyardError } from '@switchyard/contract'
import { dispositionOf } from '../disposition.ts'
import type { Lane } from '../lane.ts'
import type { Lanes } from '../lanes.ts'
import { type AnyReply, attemptsOf, send } from '../reply.ts'
import { retryVerdict } from './backoff.ts'
import { paid } from './payment.ts'
import type { RetryBudget } from './retry-budget.ts'

/** What the policy needs from the plugin that places it. */
export interface RetryContext {
  readonly name: string
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly lanes: Lanes
}

/**
 * Repeats an attempt that failed before its reply resolved, at the same target, as `retryVerdict` judges and as far as the budgets of
 * target and tenant go. Each repeat carries `attempt + 1`. An abort ends the wait at once with the signal's reason; otherwise the last
 * attempt's error is passed on as it is. Notes each verdict on an error that could be retried in the call's trace.
 */
export function retryPolicy(context: RetryContext): Policy {
  const { name, clock, lanes } = context
  return {
    name,
    stage: 'resilience',
    operations: '*',
    around(call, next) {
      const now = clock.now()
      const lane = lanes.of(call, now)
      lane.budget.pay(now)
      const budget = lanes.budgetOf(call, now)
      // A call counts once for its tenant, however many targets it is tried at.
      if (call.attempt === 1) budget.pay(now)
      return send(call, next).then(undefined, (error: unknown) => repeat(context, lane, budget, call, next, error))
    },
    async explain(call) {
      const now = clock.now()
      const { budget, settings } = lanes.of(call, now)
      const { maxAttempts, backoffBaseMs, backoffMaxMs, retryAfterMaxMs } = settings.retry
      if (maxAttempts === 1) return { decisions: [{ decision: 'no-retry', because: { maxAttempts } }] }
      const retriesLeft = Math.floor(Math.min(budget.balance(now), lanes.budgetOf(call, now).balance(now)))
      const because = { maxAttempts, backoffBaseMs, backoffMaxMs, retryAfterMaxMs, retriesLeft, onlyIfUnsent: !call.idempotent }
      return { decisions: [{ decision: 'may-retry', because }] }
    },
  }
}

async function repeat(
  { name, clock, random }: RetryContext,
  lane: Lane,
  tenantBudget: RetryBudget,
  call: Call,
  next: Next,
  firstError: unknown,
): Promise<AnyReply> {
  const { retry, attempts, fallback } = lane.settings
  const others = fallback.enabled ? (call.alternatives?.length ?? 0) : 0
  let cutBefore = false
  let error = firstError
  for (let retries = 0; ; retries++) {
    call.signal.throwIfAborted()
    const now = clock.now()
    const tried = { retries, cutBefore, others, attemptsLeft: attempts.maxAttempts - attemptsOf(call) }
    const verdict = retryVerdict(call, error, tried, retry, now, random)
    const attempt = call.attempt + retries
    const note = (reason: string): void =>
      call.trace.decide(name, 'no-retry', { reason, attempt, code: SwitchyardError.is(error) ? error.code : 'INTERNAL' })
    if (!verdict.retry) {
      if (verdict.reason !== 'not-retryable') note(verdict.reason)
      throw error
    }
    if (!paid(lane, tenantBudget, now)) {
      note('budget-dry')
      throw error
    }
    const { reason, waitMs } = verdict
    call.trace.decide(name, 'retry', { reason, attempt: attempt + 1, waitMs, code: (error as SwitchyardError).code })
    call.trace.measure('retryCount', 1)
    call.trace.measure('retryWaitMs', waitMs)
    cutBefore ||= dispositionOf(error).same === 'once'
    if (waitMs > 0) await clock.sleep(waitMs, call.signal)
    try {
      return await next({ ...call, attempt: attempt + 1 })
    } catch (failed) {
      error = failed
    }
  }
}
