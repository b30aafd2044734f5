import type { AdaptiveLimit } from '../limiter/adaptive-limit.ts'
import type { BulkheadSettings } from '../settings.ts'
import { FairQueue, type Waiter } from './fair-queue.ts'
import { QueueControl } from './queue-control.ts'

/** One who waits for a slot, and what is told to it: exactly one of the four, once. */
export interface SlotWaiter extends Waiter {
  /** It has a slot now. */
  granted(): void
  /** It was displaced by one of a tenant that holds less of the queue. */
  displaced(): void
  /** The queue stands, and it was given up for those who can still be served in time. */
  shed(): void
  /** The breaker opened while it waited. */
  broken(): void
}

/** Share of a new time in the moving average of how long a slot is held. */
const SMOOTHING = 0.1

/**
 * The slots of one target, a state machine without timers. A slot goes straight from who gives it back to who waits next. With an
 * adaptive limit the number of slots is what that says, at most `slots`.
 */
export class Bulkhead {
  private readonly slots: number
  private readonly adaptive: AdaptiveLimit | undefined
  private readonly queue: FairQueue<SlotWaiter>
  private readonly control: QueueControl
  private taken = 0
  private heldMs = 0
  private stated = Number.POSITIVE_INFINITY

  constructor(settings: BulkheadSettings, adaptive?: AdaptiveLimit) {
    const { slots, queueSize, tenantWeights } = settings
    this.control = new QueueControl(settings)
    this.slots = slots === false ? Number.POSITIVE_INFINITY : slots
    this.adaptive = adaptive
    const weightOf = (tenant: string): number => (Object.hasOwn(tenantWeights, tenant) ? (tenantWeights[tenant] ?? 1) : 1)
    this.queue = new FairQueue(queueSize, weightOf)
  }

  get inUse(): number {
    return this.taken
  }

  get waiting(): number {
    return this.queue.size
  }

  /** Whether the queue stands, so that some of those who wait are given up and the newest are served first. */
  get over(): boolean {
    return this.control.over
  }

  /** Slots there are now, whole and >= 1. */
  get limit(): number {
    return this.adaptive === undefined ? this.slots : Math.min(this.slots, this.adaptive.limit, this.stated)
  }

  /**
   * What the target's last reply said of how many more attempts it has room for, undefined for nothing: bounds an adaptive limit until
   * the next reply. One slot is always left, since without a reply nothing new would be learned.
   */
  cap(room: number | undefined): void {
    this.stated = room === undefined ? Number.POSITIVE_INFINITY : Math.max(1, this.taken + room)
  }

  get hasFreeSlot(): boolean {
    return this.taken < this.limit && this.queue.size === 0
  }

  /** A slot if one is free and nobody waits for it. Whoever has one calls `leave` exactly once. */
  enter(): boolean {
    if (!this.hasFreeSlot) return false
    this.taken++
    return true
  }

  /** How long one who joins the queue now is likely to wait, by how long slots were held lately, in ms. */
  expectedWaitMs(): number {
    return ((this.queue.size + 1) * this.heldMs) / this.limit
  }

  /** Joins the queue; false if it is full. `now` is of a clock that never goes back, here and below. */
  wait(waiter: SlotWaiter, now: number): boolean {
    const pushed = this.queue.push(waiter, now)
    if (typeof pushed === 'boolean') return pushed
    pushed.displaced()
    return true
  }

  /** Leaves the queue at once; false if it was not in it. */
  giveUp(waiter: SlotWaiter): boolean {
    return this.queue.remove(waiter)
  }

  /** Gives a slot back that was held for `heldMs`. */
  leave(heldMs: number, now: number): void {
    this.heldMs = this.heldMs === 0 ? heldMs : this.heldMs + (heldMs - this.heldMs) * SMOOTHING
    this.taken--
    this.grant(now)
  }

  /** Everybody who waits is sent away: the target is broken. */
  breakUp(): void {
    for (let waiter = this.queue.shift(); waiter !== undefined; waiter = this.queue.shift()) waiter.broken()
  }

  /** Lets in who fits; also called when the limit may have grown. */
  grant(now: number): void {
    while (this.taken < this.limit) {
      this.shedSome(now)
      const waiter = this.queue.shift(this.control.over)
      if (waiter === undefined) return
      this.taken++
      waiter.granted()
    }
  }

  private shedSome(now: number): void {
    for (;;) {
      const since = this.queue.oldestSince
      if (!this.control.drop(since === undefined ? undefined : now - since, this.heldMs / this.limit, now)) return
      this.queue.sacrifice()?.shed()
    }
  }
}
