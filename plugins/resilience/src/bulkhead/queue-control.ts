import type { BulkheadSettings } from '../settings.ts'

/** Departures that an interval holds at least: the least wait of a few says nothing. */
const LEAST_DEPARTURES = 10
/** Over again so many intervals after it was over, it goes on at about the rate at which it had to stop. */
const REMEMBERED_INTERVALS = 16

/**
 * Whether a queue stands instead of taking up a burst, a state machine asked at every departure. When its oldest has waited above the
 * target at every departure of an interval, the queue is over, and one after another is to be dropped, each a shorter time after the one
 * before, until the wait is below the target or nobody waits. Target and interval grow where slots become free so rarely that they
 * would mean nothing. Source: CoDel, RFC 8289.
 */
export class QueueControl {
  private readonly targetMs: number | false
  private readonly intervalMs: number
  private aboveSince: number | undefined = undefined
  private isOver = false
  private drops = 0
  private dropAt = 0

  constructor({ queueTargetMs, queueIntervalMs }: Pick<BulkheadSettings, 'queueTargetMs' | 'queueIntervalMs'>) {
    this.targetMs = queueTargetMs
    this.intervalMs = queueIntervalMs
  }

  /** Whether it is over: the newest are served first then, since the oldest are lost anyway. */
  get over(): boolean {
    return this.isOver
  }

  /**
   * Whether one is to be dropped now. Ask again after each drop. `oldestMs` is the wait of the oldest, undefined where nobody waits;
   * `gapMs` the usual time between two departures; `now` a clock's that never goes back.
   */
  drop(oldestMs: number | undefined, gapMs: number, now: number): boolean {
    if (this.targetMs === false) return false
    const intervalMs = Math.max(this.intervalMs, LEAST_DEPARTURES * gapMs)
    const targetMs = (this.targetMs * intervalMs) / this.intervalMs
    if (oldestMs === undefined || oldestMs < targetMs) {
      this.aboveSince = undefined
      this.isOver = false
      return false
    }
    this.aboveSince ??= now
    if (!this.isOver) {
      if (now - this.aboveSince < intervalMs) return false
      this.isOver = true
      const lately = now - this.dropAt < REMEMBERED_INTERVALS * intervalMs
      this.drops = lately && this.drops > 2 ? this.drops - 2 : 0
      this.dropAt = now
    }
    if (now < this.dropAt) return false
    this.drops++
    this.dropAt += intervalMs / Math.sqrt(this.drops)
    return true
  }
}
