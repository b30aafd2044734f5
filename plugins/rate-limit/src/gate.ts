import { type Clock, type Logger, SwitchyardError } from '@switchyard/contract'
import { type LimitCounters, localCounters } from './local-counters.ts'
import type { WhenStoreAway } from './options.ts'

/** What the gate needs from the plugin. */
export interface GateContext {
  /** Instance name, stated in errors and logs. */
  readonly plugin: string
  readonly counters: LimitCounters
  readonly clock: Pick<Clock, 'now'>
  readonly log: Logger
  readonly whenStoreAway: WhenStoreAway
  readonly storeRetryMs: number
}

/** Where calls are counted: at the store, and by the option while it is away. After a failure one call at a time tries it again. */
export class Gate {
  private readonly context: GateContext
  private readonly local: LimitCounters
  private away = false
  private triesAt = 0

  constructor(context: GateContext) {
    this.context = context
    this.local = localCounters(context.clock)
  }

  /** Counters to ask now; undefined = let the call through uncounted. Throws `OVERLOADED` where such calls are refused. */
  at(now: number): LimitCounters | undefined {
    const { counters, whenStoreAway, storeRetryMs } = this.context
    if (!this.away) return counters
    if (now >= this.triesAt) {
      this.triesAt = now + storeRetryMs
      return counters
    }
    if (whenStoreAway === 'closed') throw this.closed(this.triesAt - now)
    return whenStoreAway === 'local' ? this.local : undefined
  }

  /** Counters to look at now, with no side effect; undefined = none. */
  counters(now: number): LimitCounters | undefined {
    const { counters, whenStoreAway } = this.context
    if (!this.away || now >= this.triesAt) return counters
    return whenStoreAway === 'local' ? this.local : undefined
  }

  isLocal(counters: LimitCounters): boolean {
    return counters === this.local
  }

  /** The store answered. */
  answered(): void {
    if (!this.away) return
    this.away = false
    this.context.log.info({ plugin: this.context.plugin }, 'the counters of rate limits answer again')
  }

  /** The store did not do what it was asked. */
  failed(error: unknown): void {
    const { plugin, clock, log, storeRetryMs, whenStoreAway } = this.context
    this.triesAt = clock.now() + storeRetryMs
    if (this.away) return
    this.away = true
    log.warn({ plugin, err: error, whenStoreAway }, 'the counters of rate limits cannot be reached')
  }

  private closed(retryAfterMs: number): SwitchyardError {
    const { plugin } = this.context
    const message = `the counters of ${plugin} cannot be reached, and whenStoreAway is "closed"; bring them back, or set it to "local" or "open"`
    const details = { guard: 'rate-limit', reason: 'store-away', sent: false }
    return new SwitchyardError('OVERLOADED', message, { plugin, retryAfterMs, details })
  }
}
