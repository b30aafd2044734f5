import { type Clock, type CounterChange, type CounterRow, type Logger, SwitchyardError } from '@switchyard/contract'
import type { Claim } from './claim.ts'
import { aliveKey, tenantTag } from './keys.ts'
import type { Slices } from './slices.ts'
import { type Store, StoreAway } from './store.ts'

/** A settlement that the store has not heard of. */
export interface Debt {
  readonly tenant: string
  readonly lease: string
  /** Other ids that it may be held under. */
  readonly aliases?: readonly string[]
  readonly claims: readonly Claim[]
  /** Nano-USD at every claim. */
  readonly nano: bigint
  /** Epoch ms at which the attempt began. */
  readonly at: number
  /** Epoch ms at which its row was in the ledger; undefined before. */
  bookedAt(): number | undefined
}

export interface DebtOptions {
  readonly store: Store
  readonly slices: Slices
  readonly clock: Pick<Clock, 'now' | 'schedule'>
  readonly node: string
  readonly log: Logger
  /** Brings the rows of this node into the ledger. */
  readonly flush: () => Promise<void>
  readonly onChanges: (changes: readonly CounterChange[]) => void
}

const RETRY_MS = 1_000
const MOST_DEBTS = 100_000
/** How long a charge that is told again is known for the same one. */
const KNOWN_MS = 86_400_000

/** Spending without a lease at the store. */
export type Owed = Omit<Debt, 'lease'>

/** Settlements that wait for the store to come back, and spending that it has to be told of afresh. */
export class Debts {
  readonly #options: DebtOptions
  #settles: Debt[] = []
  #owed: Owed[] = []
  /** Charges on their way, by lease: told under one id until the store has answered, so that none counts twice. */
  readonly #charges = new Map<string, ReadonlyMap<Claim, bigint>>()
  #running: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #count = 0
  #closed = false

  constructor(options: DebtOptions) {
    this.#options = options
  }

  /** What waits to be told. */
  get size(): number {
    return this.#settles.length + this.#owed.length + this.#charges.size + (this.#options.slices.owes ? 1 : 0)
  }

  /** A lease at the store that could not be settled. */
  settleLater(debt: Debt): void {
    if (this.#settles.length >= MOST_DEBTS) {
      // Its lease will be charged as expected, and the sweep sets it right by the ledger.
      this.#options.log.error({ lease: this.#settles.shift()?.lease }, 'too many settlements wait for the counters')
    }
    this.#settles.push(debt)
    this.#arm()
  }

  /** Spending that no lease at the store stands for. */
  chargeLater(owed: Owed): void {
    if (this.#owed.length >= MOST_DEBTS) {
      const { tenant, nano } = this.#owed.shift() as Owed
      this.#options.log.error({ tenant, nano }, 'too much spending waits for the counters; the ledger has it')
    }
    this.#owed.push(owed)
    this.#arm()
  }

  /**
   * A lease that the store does not know, or has settled. Where the store was emptied and filled again since the attempt began, without
   * its row, it is charged afresh; where it is empty, the rebuild will count the row; else it was settled before. Rejects `StoreAway`, and
   * as the ledger does.
   */
  async lost(debt: Debt): Promise<void> {
    // What was never sent and is held nowhere is owed by nobody.
    if (debt.nano === 0n) return
    const filledAt = await this.#filledAt(debt.tenant)
    // Filled before it began, it was settled before.
    if (filledAt === 0 || filledAt <= debt.at || this.#isCounted(debt, filledAt)) return
    await this.#charge(`${debt.lease}~again`, new Map(debt.claims.map((claim) => [claim, debt.nano])))
  }

  /** Pays now, where the store is back. */
  pay(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.size > 0) this.#arm()
    })
    return this.#running
  }

  /** Tries once more, then stops. */
  async close(): Promise<void> {
    this.#cancel?.()
    await this.pay()
    this.#closed = true
    this.#cancel?.()
  }

  #arm(): void {
    if (this.#cancel !== undefined || this.#closed) return
    this.#cancel = this.#options.clock.schedule(RETRY_MS, () => {
      this.#cancel = undefined
      void this.pay()
    })
  }

  async #run(): Promise<void> {
    const { slices, log } = this.#options
    try {
      for (let debt = this.#settles[0]; debt !== undefined; debt = this.#settles[0]) {
        await this.#settle(debt)
        this.#settles.shift()
      }
      await slices.tell()
      for (const [tenant, owed] of Map.groupBy(this.#owed, (one) => one.tenant)) await this.#gather(tenant, owed)
      for (const [id, amounts] of this.#charges) {
        await this.#charge(id, amounts)
        this.#charges.delete(id)
      }
    } catch (error) {
      if (!(error instanceof StoreAway))
        log.warn({ error }, 'a settlement could not be told to the counters; it is tried again')
    }
  }

  async #settle(debt: Debt): Promise<void> {
    const { store, log, onChanges } = this.#options
    try {
      for (const id of [debt.lease, ...(debt.aliases ?? [])]) {
        const settlement = await store.settle(id, amountsOf(debt))
        if (settlement.settled) return onChanges(settlement.changes)
      }
      await this.lost(debt)
    } catch (error) {
      // It would be refused for ever, and those behind it would wait as long.
      if (!SwitchyardError.is(error, 'INVALID_REQUEST')) throw error
      log.error({ error, lease: debt.lease }, 'the counters refuse a settlement; the ledger has it')
    }
  }

  /** Makes one charge of what a tenant owes. What stood in the ledger when the store was filled from it is counted there already. */
  async #gather(tenant: string, owed: readonly Owed[]): Promise<void> {
    const filledAt = await this.#filledAt(tenant)
    const amounts = new Map<Claim, bigint>()
    for (const one of owed) {
      if (filledAt === 0 || this.#isCounted(one, filledAt)) continue
      for (const claim of one.claims) amounts.set(claim, (amounts.get(claim) ?? 0n) + one.nano)
    }
    const gone = new Set(owed)
    this.#owed = this.#owed.filter((one) => !gone.has(one))
    if (amounts.size === 0) return
    const id = `${tenantTag(tenant)}:owed-${this.#options.node}-${(this.#count++).toString(36)}`
    this.#charges.set(id, amounts)
  }

  /** Epoch ms at which the store was filled from the ledger; 0 where it is empty. What this node has spent is in the ledger then. */
  async #filledAt(tenant: string): Promise<number> {
    await this.#options.flush()
    const [mark = 0n] = await this.#options.store.read([aliveKey(tenant)])
    return Number(mark)
  }

  #isCounted({ at, bookedAt }: Owed, filledAt: number): boolean {
    return at < filledAt && (bookedAt() ?? this.#options.clock.now()) <= filledAt
  }

  async #charge(leaseId: string, amounts: ReadonlyMap<Claim, bigint>): Promise<void> {
    const { store, clock, onChanges } = this.#options
    const rows: CounterRow[] = []
    const settled: Record<string, bigint> = {}
    for (const [{ key, expiresAt }, nano] of amounts) {
      rows.push({ key, amount: nano, expected: nano, ...(expiresAt !== undefined && { expiresAt }) })
      settled[key] = nano
    }
    try {
      await store.reserve(rows, { id: leaseId, expiresAt: clock.now() + KNOWN_MS })
    } catch (error) {
      // An earlier try got so far, and expects all of it.
      if (!SwitchyardError.is(error, 'CONFLICT')) throw error
    }
    const settlement = await store.settle(leaseId, settled)
    if (settlement.settled) onChanges(settlement.changes)
  }
}

/** The true amounts of a lease, by key. */
export function amountsOf({ claims, nano }: Pick<Debt, 'claims' | 'nano'>): Record<string, bigint> {
  const amounts: Record<string, bigint> = {}
  for (const { key } of claims) amounts[key] = nano
  return amounts
}
