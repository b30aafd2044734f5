import type { Clock, Logger } from '@switchyard/contract'
import type { Attempt } from '../attempt/attempt.ts'
import type { Slices } from './slices.ts'
import { type Store, StoreAway } from './store.ts'

export interface KeeperOptions {
  readonly store: Store
  readonly slices: Slices
  readonly live: Iterable<Attempt> & { delete(attempt: Attempt): void }
  readonly clock: Pick<Clock, 'now'>
  readonly leaseMs: number
  readonly graceMs: number
  readonly lateSettleMs: number
  readonly log: Logger
}

/**
 * Whether a reply has not ended long after its call was broken off, and may never. Its lease is left to expire, which charges what was
 * expected; if it ends after all, that is settled late.
 */
function isForsaken(attempt: Attempt, now: number, leaseMs: number): boolean {
  if (attempt.signal?.aborted !== true) return false
  attempt.leftAt ??= now
  return now - attempt.leftAt > leaseMs
}

/** Prolongs the leases of attempts that live on, streams above all. One pass over what is under way; call it thrice a lease. */
export async function keepLeases(options: KeeperOptions): Promise<void> {
  const { store, slices, live, clock, leaseMs, graceMs, lateSettleMs, log } = options
  try {
    const now = clock.now()
    for (const attempt of live) {
      if (isForsaken(attempt, now, leaseMs)) {
        live.delete(attempt)
        continue
      }
      if (attempt.lease === undefined || attempt.settled || attempt.leaseUntil - graceMs - now > leaseMs / 2) continue
      const expiresAt = now + leaseMs + graceMs
      const { renewed } = await store.renew(attempt.lease, { expiresAt, settleUntil: expiresAt + lateSettleMs })
      if (renewed) attempt.leaseUntil = expiresAt
    }
    await slices.renew()
  } catch (error) {
    if (!(error instanceof StoreAway)) log.warn({ error }, 'holds of attempts under way could not be prolonged')
  }
}
