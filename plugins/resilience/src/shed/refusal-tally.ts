import type { Clock } from '@switchyard/contract'

/** Calls refused, by class. */
export interface Refused {
  readonly low: number
  readonly normal: number
  readonly high: number
}

/** Refusals are told of together, this long after the first. */
const TOLD_AFTER_MS = 1_000

/** Counts refusals and tells of them once a second at most: an event for each would cost what shedding is to save. */
export class RefusalTally {
  private readonly clock: Pick<Clock, 'schedule' | 'now'>
  private readonly tell: (refused: Refused, since: number, now: number) => void
  private counts = { low: 0, normal: 0, high: 0 }
  private since = 0
  private cancel: (() => void) | undefined = undefined

  constructor(clock: Pick<Clock, 'schedule' | 'now'>, tell: (refused: Refused, since: number, now: number) => void) {
    this.clock = clock
    this.tell = tell
  }

  add(priority: keyof Refused, now: number): void {
    this.counts[priority]++
    if (this.cancel !== undefined) return
    this.since = now
    this.cancel = this.clock.schedule(TOLD_AFTER_MS, () => this.flush())
  }

  /** Tells of what was not told yet; no timer is left after it. */
  flush(): void {
    if (this.cancel === undefined) return
    this.cancel()
    this.cancel = undefined
    const { counts } = this
    this.counts = { low: 0, normal: 0, high: 0 }
    this.tell(counts, this.since, this.clock.now())
  }
}
