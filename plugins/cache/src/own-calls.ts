import {
  type Budgets,
  type Call,
  type Clock,
  isUsedUp,
  type Operation,
  quietTrace,
  SwitchyardError,
  type WellKnownAttributes,
} from '@switchyard/contract'

export interface OwnCallOptions {
  readonly clock: Pick<Clock, 'now' | 'schedule'>
  readonly timeoutMs: number
  readonly maxInFlight: number
  readonly budgets?: Budgets | undefined
  /** Of each hard budget of the caller, used up to which such calls are made. */
  readonly maxBudgetShare: number
}

type Purpose = 'refresh' | 'audit'

/** Calls that the cache makes of its own accord, beside the caller's: each with a signal and a deadline of its own, of low priority. */
export interface OwnCalls {
  /**
   * Gives `work` a copy of the call to send on, and waits for it. Resolves with what `work` does, and with undefined where it was dropped, refused or
   * failed. Never rejects.
   */
  make<O extends Operation, T>(call: Call<O>, purpose: Purpose, work: (own: Call<O>) => Promise<T>): Promise<T | undefined>
  readonly counts: { readonly made: number; readonly dropped: number; readonly failed: number }
  /** Aborts those under way and makes none any more. */
  close(): void
}

/** Makes the maker of such calls. */
export function ownCalls({ clock, timeoutMs, maxInFlight, budgets, maxBudgetShare }: OwnCallOptions): OwnCalls {
  const underWay = new Set<AbortController>()
  const counts = { made: 0, dropped: 0, failed: 0 }
  let closed = false
  return {
    counts,
    async make(call, purpose, work) {
      if (closed || underWay.size >= maxInFlight || isUsedUp(budgets, call as unknown as Call, maxBudgetShare)) {
        counts.dropped += 1
        return undefined
      }
      counts.made += 1
      const controller = new AbortController()
      underWay.add(controller)
      const late = new SwitchyardError('TIMEOUT', `cache: a call of its own (${purpose}) did not end in time`, {
        retryable: false,
      })
      const cancel = clock.schedule(timeoutMs, () => controller.abort(late))
      const attributes: WellKnownAttributes = { ...call.attributes, purpose, priority: 'low' }
      const own = {
        ...call,
        id: `${call.id}-${purpose}`,
        attributes: attributes as typeof call.attributes,
        signal: controller.signal,
        deadline: clock.now() + timeoutMs,
        attempt: 1,
        // Neither retried nor hedged once it has left.
        idempotent: false,
        trace: quietTrace(),
      }
      // What is inside may heed no signal.
      const over = new Promise<never>((_, reject) => {
        controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true })
      })
      try {
        return await Promise.race([work(own), over])
      } catch {
        counts.failed += 1
        return undefined
      } finally {
        cancel()
        underWay.delete(controller)
      }
    },
    close() {
      closed = true
      const reason = new SwitchyardError('ABORTED', 'cache: the plugin closes', { retryable: false })
      for (const controller of underWay) controller.abort(reason)
    },
  }
}
