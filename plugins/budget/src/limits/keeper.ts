import type { Clock, Logger } from '@switchyard/contract'
import type { Attempt } from '../attempt/attempt.ts'
import type { Slices } from './slices.ts'
import { type Store, StoreAway } from './store.ts'

export interface KeeperOptions {
  readonly store: Store
  readonly slices: Slices
  readonly live: Iterable<Attempt>
  readonly clock: Pick<Clock, 'now'>
  readonly leaseMs: number
  readonly graceMs: number
  readonly lateSettleMs: number
  readonly log: Logger
}

/** Prolongs the leases of attempts that live on, streams above all. One pass over what is under way; call it thrice a lease. */
export async function keepLeases(options: KeeperOptions): Promise<void> {
  const { store, slices, live, clock, leaseMs, graceMs, lateSettleMs, log } = options
  try {
    const now = clock.now()
    for (const attempt of live) {
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
