import type { Clock } from '@switchyard/contract'

/** A call that holds slots. */
export interface SlotHolder {
  /** Extends its leases if they need it. */
  renewSlots(now: number): void
}

/** A lease is renewed when a third of it is over: two renewals may fail before a slot is lost. */
export const RENEWALS_A_LEASE = 3

/** Renews the slots of calls under way, by one timer for all, which runs only while there are some. */
export class Slots {
  private readonly clock: Pick<Clock, 'now' | 'schedule'>
  private readonly everyMs: number
  private readonly live = new Set<SlotHolder>()
  private cancel: (() => void) | undefined = undefined
  private closed = false

  constructor(clock: Pick<Clock, 'now' | 'schedule'>, leaseMs: number) {
    this.clock = clock
    this.everyMs = leaseMs / RENEWALS_A_LEASE
  }

  add(holder: SlotHolder): void {
    this.live.add(holder)
    if (!this.closed) this.cancel ??= this.clock.schedule(this.everyMs, this.renew)
  }

  delete(holder: SlotHolder): void {
    this.live.delete(holder)
  }

  close(): void {
    this.closed = true
    this.cancel?.()
  }

  private readonly renew = (): void => {
    const now = this.clock.now()
    for (const holder of this.live) holder.renewSlots(now)
    this.cancel = this.live.size > 0 && !this.closed ? this.clock.schedule(this.everyMs, this.renew) : undefined
  }
}
