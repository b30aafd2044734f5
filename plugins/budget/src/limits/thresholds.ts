import type { Clock, CounterChange, Logger, SqlDatabase } from '@switchyard/contract'
import type { BudgetCrossed } from '../events.ts'
import type { Dialect } from '../ledger/schema.ts'
import { placeholders } from '../ledger/statements.ts'
import { usdOfNano } from '../money.ts'
import type { BudgetBook } from './budget-book.ts'
import type { Claim } from './claim.ts'
import { readBudgetKey } from './keys.ts'

export interface ThresholdOptions {
  readonly plugin: string
  readonly book: BudgetBook
  readonly database: SqlDatabase
  readonly dialect: Dialect
  readonly clock: Pick<Clock, 'now' | 'schedule'>
  readonly log: Logger
  readonly onCrossed: (crossed: BudgetCrossed) => void
}

/** Alerts that wait for a database that is away; beyond it the oldest go, and the log says so. */
const MOST_WAITING = 10_000
const RETRY_MS = 1_000
const MILLION = 1_000_000

const NO_CLAIMS: readonly Claim[] = Object.freeze([])

/** Nano-USD of a part of a limit, rounded up: at a limit of 1 nano-USD, half of it is reached with all of it. */
function amountAt(limit: bigint, threshold: number): bigint {
  return (limit * BigInt(Math.round(threshold * MILLION)) + BigInt(MILLION - 1)) / BigInt(MILLION)
}

/** Whether a change may cross anything: most stay far below the first threshold, or beyond the last. */
function reaches({ budget: { thresholds }, limit }: Claim, before: bigint, after: bigint): boolean {
  const first = thresholds[0]
  const last = thresholds.at(-1)
  return first !== undefined && last !== undefined && after >= amountAt(limit, first) && before < amountAt(limit, last)
}

/**
 * Watches settled sums for thresholds and writes each crossing into the outbox, once for all nodes. Sums that a rebuild has put back are
 * none: what they crossed was told when it was crossed.
 */
export class Thresholds {
  readonly #options: ThresholdOptions
  readonly #text: string
  #waiting: BudgetCrossed[] = []
  #counterOf = new WeakMap<BudgetCrossed, string>()
  #sending: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #closed = false

  constructor(options: ThresholdOptions) {
    this.#options = options
    this.#text =
      'INSERT INTO switchyard_alerts (id, kind, budget, tenant, counter, threshold, payload, at_ms) ' +
      `VALUES (${placeholders(options.dialect, 8)}) ON CONFLICT DO NOTHING`
  }

  /** Looks at what a settlement changed; `claims` are those it was made for, where that is known. */
  note(changes: readonly CounterChange[], claims: readonly Claim[] = NO_CLAIMS): void {
    for (const { key, before, after } of changes) {
      if (after <= before) continue
      const claim = claims.find((one) => one.key === key) ?? this.#claimOf(key)
      if (claim !== undefined && reaches(claim, before, after)) this.#cross(claim, before, after)
    }
  }

  /** Resolves when every crossing noted before stands in the outbox, or could not be written. */
  async flush(): Promise<void> {
    this.#send()
    await this.#sending
  }

  /** Tries once more to write what waits, then stops. */
  async close(): Promise<void> {
    await this.flush()
    this.#closed = true
    this.#cancel?.()
  }

  #claimOf(key: string): Claim | undefined {
    const parts = readBudgetKey(key)
    return parts === undefined ? undefined : this.#options.book.ofKey(parts, this.#options.clock.now())
  }

  #cross(claim: Claim, before: bigint, after: bigint): void {
    const { budget, limit, tenant, value, window, key } = claim
    for (const threshold of budget.thresholds) {
      const at = amountAt(limit, threshold)
      if (before >= at || after < at) continue
      const crossed: BudgetCrossed = {
        plugin: this.#options.plugin,
        budget: budget.name,
        level: budget.level,
        tenant,
        value,
        windowId: window.id,
        threshold,
        limit,
        spent: after,
        resetsAt: window.endsAt,
      }
      this.#counterOf.set(crossed, key)
      if (this.#waiting.push(crossed) > MOST_WAITING) {
        this.#options.log.error(
          { crossed: this.#waiting.shift() },
          'an alert of a budget is lost: the database is away too long',
        )
      }
      this.#send()
    }
  }

  #send(): void {
    if (this.#sending !== undefined || this.#waiting.length === 0 || this.#closed) return
    this.#cancel?.()
    this.#cancel = undefined
    this.#sending = this.#run().finally(() => {
      this.#sending = undefined
    })
  }

  async #run(): Promise<void> {
    const { database, clock, log, onCrossed } = this.#options
    for (let crossed = this.#waiting[0]; crossed !== undefined; crossed = this.#waiting[0]) {
      try {
        const { rowCount } = await database.query(this.#text, this.#params(crossed))
        this.#waiting.shift()
        if (rowCount > 0) onCrossed(crossed)
      } catch (error) {
        log.warn({ error }, 'an alert of a budget cannot be written down; it is tried again')
        if (!this.#closed) this.#cancel = clock.schedule(RETRY_MS, () => this.#send())
        return
      }
    }
  }

  #params(crossed: BudgetCrossed): readonly unknown[] {
    const counter = this.#counterOf.get(crossed) as string
    const { limit, spent, plugin, ...rest } = crossed
    const payload = JSON.stringify({ ...rest, limitUsd: usdOfNano(limit), spentUsd: usdOfNano(spent) })
    const threshold = String(crossed.threshold)
    const id = `${counter}@${threshold}`
    return [id, 'threshold', crossed.budget, crossed.tenant, counter, threshold, payload, this.#options.clock.now()]
  }
}
