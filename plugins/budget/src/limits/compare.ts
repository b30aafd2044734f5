import { type Clock, type CounterChange, type CounterRow, type Logger, SwitchyardError } from '@switchyard/contract'
import type { BudgetDrift } from '../events.ts'
import type { Budget } from './budget.ts'
import type { BudgetBook } from './budget-book.ts'
import { type Claim, claimOf } from './claim.ts'
import type { Debts } from './debts.ts'
import { aliveKey, tenantTag } from './keys.ts'
import type { Spent } from './spent.ts'
import { type Store, StoreAway } from './store.ts'

export interface CompareOptions {
  readonly plugin: string
  readonly book: BudgetBook
  readonly store: Store
  readonly debts: Pick<Debts, 'size'>
  readonly spent: Spent
  readonly clock: Pick<Clock, 'now'>
  readonly random: () => number
  readonly log: Logger
  readonly longestLeaseMs: number
  /** Brings the rows of this node into the ledger first. */
  readonly flush: () => Promise<void>
  readonly onChanges: (changes: readonly CounterChange[]) => void
  readonly onDrift: (drift: BudgetDrift) => void
}

interface Found {
  readonly claim: Claim
  /** Nano-USD by the ledger. */
  readonly ledger: bigint
  /** Nano-USD settled at the store. */
  settled: bigint
  /** Nano-USD settled and held there. */
  total: bigint
}

/** Counters that one question to the store is about. */
const AT_ONCE = 200
const LEASE_MS = 60_000
/** A look may take so small a part of the time: with many rows it comes less often. */
const MOST_OF_TIME = 50
/** Nano-USD that a counter may be ahead: rows of other nodes are on their way to the ledger. */
const ON_THE_WAY = 10_000_000n

/**
 * Compares the counters of the windows that hold now with the ledger. What a counter lacks at two looks running is added to it, once over
 * all nodes; what it has too much is told and left, since it refuses early rather than late.
 */
export class Compare {
  readonly #options: CompareOptions
  #lacking = new Map<string, bigint>()
  #ahead = new Set<string>()
  /** Counters that are ahead, and were told of. */
  readonly #told = new Set<string>()
  #restsUntil = 0

  constructor(options: CompareOptions) {
    this.#options = options
  }

  /** One look. Never rejects: what cannot be asked is looked at next time. */
  async run(): Promise<void> {
    const { book, store, debts, clock, log, flush } = this.#options
    const began = clock.now()
    // What this node has not told yet is no drift.
    if (book.isEmpty || store.isAway || debts.size > 0 || began < this.#restsUntil) return
    const before = { lacking: this.#lacking, ahead: this.#ahead }
    this.#lacking = new Map()
    this.#ahead = new Set()
    try {
      await flush()
      for (const tenant of book.tenants) {
        for (const budget of book.all()) if (budget.forTenant(tenant)) await this.#look(budget, tenant, before)
      }
    } catch (error) {
      if (!(error instanceof StoreAway)) log.warn({ error }, 'the counters of budgets could not be compared with the ledger')
    }
    for (const key of this.#told) if (!this.#ahead.has(key)) this.#told.delete(key)
    const now = clock.now()
    this.#restsUntil = now + (now - began) * MOST_OF_TIME
  }

  async #look(budget: Budget, tenant: string, before: { lacking: Map<string, bigint>; ahead: Set<string> }): Promise<void> {
    const { book, spent, clock, longestLeaseMs } = this.#options
    const window = book.windowOf(budget, clock.now())
    // The ledger first: what is settled meanwhile makes a counter larger, never smaller.
    const found: Found[] = []
    for (const [value, ledger] of await spent.byValue(budget, tenant, window.startsAt, window.endsAt)) {
      found.push({ claim: claimOf(budget, tenant, value, window, longestLeaseMs), ledger, settled: 0n, total: 0n })
    }
    for (let from = 0; from < found.length; from += AT_ONCE) {
      const some = found.slice(from, from + AT_ONCE)
      if (!(await this.#ask(tenant, some))) return
      for (const one of some) await this.#judge(one, before)
    }
  }

  /** Fills in what the store says; false where it is empty, and the next call will have it filled. */
  async #ask(tenant: string, found: readonly Found[]): Promise<boolean> {
    const { store, clock, random } = this.#options
    const id = `${tenantTag(tenant)}:look-${clock.now().toString(36)}-${Math.floor(random() * 36 ** 8).toString(36)}`
    const rows: CounterRow[] = [{ key: aliveKey(tenant), amount: 0n }]
    for (const { claim } of found) rows.push(rowOf(claim, 0n))
    const reservation = await store.reserve(rows, { id, expiresAt: clock.now() + LEASE_MS })
    const settlement = await store.settle(id, {})
    if (!reservation.granted || !settlement.settled || reservation.sums[0] === 0n) return false
    const settled = new Map(settlement.changes.map(({ key, after }) => [key, after]))
    for (const [index, one] of found.entries()) {
      one.total = reservation.sums[index + 1] as bigint
      // A window that ended meanwhile is nobody's business any more.
      one.settled = settled.get(one.claim.key) ?? one.ledger
    }
    return true
  }

  async #judge(found: Found, before: { lacking: Map<string, bigint>; ahead: Set<string> }): Promise<void> {
    const { claim, ledger, settled } = found
    const lacking = ledger - settled
    if (lacking > 0n) {
      this.#lacking.set(claim.key, lacking)
      const last = before.lacking.get(claim.key) ?? 0n
      const lasting = last < lacking ? last : lacking
      if (lasting > 0n && (await this.#add(found, lasting))) {
        this.#lacking.delete(claim.key)
        this.#tell(found, lasting)
      }
    } else if (-lacking > ON_THE_WAY && -lacking > ledger / 100n) {
      this.#ahead.add(claim.key)
      // Told at the second look, and not again while it lasts.
      if (!before.ahead.has(claim.key)) return
      if (!this.#told.has(claim.key)) this.#tell(found, 0n)
      this.#told.add(claim.key)
    }
  }

  /** Adds what is missing, unless the counter has grown since it was read, or another node was first: then it is looked at again. */
  async #add({ claim, total }: Found, amount: bigint): Promise<boolean> {
    const { store, clock, onChanges } = this.#options
    const now = clock.now()
    const id = `${claim.key}:mend-${Math.floor(now / LEASE_MS).toString(36)}`
    try {
      const row = { ...rowOf(claim, amount), expected: amount, limit: total + amount }
      const { granted } = await store.reserve([row], { id, expiresAt: now + LEASE_MS })
      if (!granted) return false
      const settlement = await store.settle(id, { [claim.key]: amount })
      if (settlement.settled) onChanges(settlement.changes)
      return true
    } catch (error) {
      if (SwitchyardError.is(error, 'CONFLICT')) return false
      throw error
    }
  }

  #tell({ claim, ledger, settled }: Found, added: bigint): void {
    const { plugin, log, onDrift } = this.#options
    const { budget, tenant, value, window } = claim
    const drift = {
      plugin,
      budget: budget.name,
      level: budget.level,
      tenant,
      value,
      windowId: window.id,
      ledger,
      settled,
      added,
    }
    const facts = { ...drift, ledger: `${ledger}`, settled: `${settled}`, added: `${added}` }
    log.warn(facts, added > 0n ? 'a budget had counted too little; it was added' : 'a budget has counted more than the ledger')
    onDrift(drift)
  }
}

function rowOf({ key, expiresAt }: Claim, amount: bigint): CounterRow {
  return { key, amount, ...(expiresAt !== undefined && { expiresAt }) }
}
