import type { Clock, CounterRow, Counters, Logger } from '@switchyard/contract'
import type { BudgetBook } from './budget-book.ts'
import { claimOf } from './claim.ts'
import { aliveKey, tenantTag } from './keys.ts'
import { QUIET_MS } from './rehold.ts'
import type { Spent } from './spent.ts'

export interface RebuildOptions {
  readonly book: BudgetBook
  readonly counters: Counters
  readonly spent: Spent
  readonly clock: Pick<Clock, 'now'>
  readonly random: () => number
  readonly log: Logger
  readonly longestLeaseMs: number
  /** Brings the rows of this node into the ledger first. */
  readonly flush: () => Promise<void>
}

/** A rebuild that dies half-way keeps what it has put in, since it expects all of it. */
const LEASE_MS = 60_000

/**
 * Fills the counters of a tenant from the ledger, where the store has none: at its first start, or after it lost them. Of several nodes
 * one succeeds, since the marker can be put up once. Rejects with what the ledger or the store rejects with.
 */
export class Rebuild {
  readonly #options: RebuildOptions
  readonly #running = new Map<string, Promise<void>>()

  constructor(options: RebuildOptions) {
    this.#options = options
  }

  /** One at a time a tenant. */
  of(tenant: string): Promise<void> {
    let running = this.#running.get(tenant)
    if (running === undefined) {
      running = this.#run(tenant).finally(() => this.#running.delete(tenant))
      this.#running.set(tenant, running)
    }
    return running
  }

  async #run(tenant: string): Promise<void> {
    const { counters, clock, random, log, flush } = this.#options
    await flush()
    const now = clock.now()
    const rows = await this.#rows(tenant, now)
    // Where nothing was spent nothing was lost: there is no node to wait for.
    const mark = BigInt(rows.length > 0 ? now : now - QUIET_MS)
    const alive: CounterRow = { key: aliveKey(tenant), amount: mark, limit: mark, expected: mark }
    const id = `${tenantTag(tenant)}:rebuild-${now.toString(36)}-${Math.floor(random() * 36 ** 8).toString(36)}`
    const reserved = await counters.reserve([alive, ...rows], { id, expiresAt: now + LEASE_MS })
    // Another node was first: its sums stand.
    if (!reserved.granted) return
    const amounts: Record<string, bigint> = { [alive.key]: mark }
    for (const { key, amount } of rows) amounts[key] = amount
    await counters.settle(id, amounts)
    log.info({ tenant, counters: rows.length }, 'the counters of budgets were filled from the ledger')
  }

  async #rows(tenant: string, now: number): Promise<readonly CounterRow[]> {
    const { book, spent, longestLeaseMs } = this.#options
    const rows: CounterRow[] = []
    for (const budget of book.all()) {
      if (!budget.forTenant(tenant)) continue
      const window = book.windowOf(budget, now)
      for (const [value, sum] of await spent.byValue(budget, tenant, window.startsAt, window.endsAt)) {
        if (sum <= 0n) continue
        const { key, expiresAt } = claimOf(budget, tenant, value, window, longestLeaseMs)
        rows.push({ key, amount: sum, expected: sum, ...(expiresAt !== undefined && { expiresAt }) })
      }
    }
    return rows
  }
}
