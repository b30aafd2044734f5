import type { SetupContext } from '@switchyard/contract'
import { FirstReplyTimes } from './attempt/first-reply-times.ts'
import { Breaker, type BreakerChange } from './breaker/breaker.ts'
import { Cooldowns } from './breaker/cooldowns.ts'
import { Bulkhead } from './bulkhead/bulkhead.ts'
import type { GuardEvent } from './events.ts'
import { HedgeBucket } from './hedge/hedge-bucket.ts'
import type { Kept } from './keyed.ts'
import type { AdaptiveLimit } from './limiter/adaptive-limit.ts'
import { adaptiveLimit } from './limiter/choose-limit.ts'
import { PromptScale } from './limiter/prompt-scale.ts'
import { RetryBudget } from './retry/retry-budget.ts'
import type { Settings } from './settings.ts'

/** What lanes need from the plugin that holds them. */
export interface LaneContext {
  /** Plugin instance. */
  readonly plugin: string
  readonly random: () => number
  readonly emit: SetupContext<unknown, unknown>['emit']
  /** By plugin instance, headers by which a client picks the upstream itself. */
  readonly selectors?: ReadonlyMap<string, readonly string[]>
  /** Tells other nodes of a breaker that opened for so long, or closed by 0. */
  readonly tellNodes?: (operation: string, deployment: string, forMs: number) => void
}

/** What is known of one deployment at one operation: the state of all its guards. A class, its state is all it is. */
export class Lane implements Kept {
  used = false
  readonly operation: string
  readonly deployment: string
  readonly settings: Settings
  readonly breaker: Breaker
  readonly cooldowns: Cooldowns = new Cooldowns()
  readonly bulkhead: Bulkhead
  readonly adaptive: AdaptiveLimit | undefined
  readonly promptScale: PromptScale = new PromptScale()
  readonly budget: RetryBudget
  readonly hedges: HedgeBucket
  /** Times to the first content of streamed replies, and those to whole ones, which say another thing. */
  readonly streamTimes: FirstReplyTimes = new FirstReplyTimes()
  readonly wholeTimes: FirstReplyTimes = new FirstReplyTimes()
  /** Whether the bulkhead refused since its queue was last empty, and the budget since it last let one through. */
  filled = false
  drained = false
  private readonly context: LaneContext
  /** When the latest of the answered attempts began, streamed and whole ones apart. */
  private streamAnswered = Number.NEGATIVE_INFINITY
  private wholeAnswered = Number.NEGATIVE_INFINITY

  constructor(context: LaneContext, settings: Settings, operation: string, deployment: string) {
    this.context = context
    this.operation = operation
    this.deployment = deployment
    this.settings = settings
    this.breaker = new Breaker(settings.breaker, context.random, (change, now) => this.breakerChanged(change, now))
    this.adaptive = adaptiveLimit(settings.limiter)
    this.bulkhead = new Bulkhead(settings.bulkhead, this.adaptive)
    this.budget = new RetryBudget(settings.retry)
    this.hedges = new HedgeBucket(settings.hedge.ratio)
  }

  timesOf(streamed: boolean): FirstReplyTimes {
    return streamed ? this.streamTimes : this.wholeTimes
  }

  /** Notes the first reply to an attempt, `tookMs` after it began. */
  answered(streamed: boolean, tookMs: number, now: number): void {
    this.timesOf(streamed).record(tookMs, now)
    const beganAt = now - tookMs
    if (streamed) this.streamAnswered = Math.max(this.streamAnswered, beganAt)
    else this.wholeAnswered = Math.max(this.wholeAnswered, beganAt)
  }

  /** When the latest of those attempts began that have been answered, by the clock of `now`. */
  lastAnswered(streamed: boolean): number {
    return streamed ? this.streamAnswered : this.wholeAnswered
  }

  /** Nothing under way, nobody waiting, and nothing held against the target. */
  idle(now: number): boolean {
    const { bulkhead, breaker, cooldowns } = this
    return bulkhead.inUse === 0 && bulkhead.waiting === 0 && breaker.state === 'closed' && cooldowns.idle(now)
  }

  /** Whether it would take what waits at another target now. */
  canReplace(other: Lane): boolean {
    return this !== other && this.breaker.state === 'closed' && this.bulkhead.hasFreeSlot
  }

  bulkheadRefused(now: number): void {
    if (this.filled) return
    this.filled = true
    const { inUse, waiting } = this.bulkhead
    this.context.emit('bulkhead:filled', { ...this.event(now), inUse, waiting })
  }

  /** Tells of a queue that is empty again after it was full. */
  bulkheadMoved(now: number): void {
    if (!this.filled || this.bulkhead.waiting > 0) return
    this.filled = false
    this.context.emit('bulkhead:cleared', this.event(now))
  }

  budgetAnswered(enough: boolean, now: number): void {
    if (this.drained !== enough) return
    this.drained = !enough
    this.context.emit(enough ? 'retry-budget:refilled' : 'retry-budget:drained', this.event(now))
  }

  private breakerChanged({ to, reason, until }: BreakerChange, now: number): void {
    const { emit, tellNodes } = this.context
    if (to === 'closed') {
      emit('breaker:closed', this.event(now))
      tellNodes?.(this.operation, this.deployment, 0)
    } else if (to === 'half-open') emit('breaker:half-opened', this.event(now))
    else {
      emit('breaker:opened', { ...this.event(now), reason: reason ?? 'failure-rate', until: until ?? now })
      tellNodes?.(this.operation, this.deployment, (until ?? now) - now)
      this.bulkhead.breakUp()
    }
  }

  private event(at: number): GuardEvent {
    return { plugin: this.context.plugin, operation: this.operation, deployment: this.deployment, at }
  }
}
