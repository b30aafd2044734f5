import type { Clock, CounterChange, CounterRow, Logger } from '@switchyard/contract'
import type { Claim } from './claim.ts'
import { aliveKey, tenantTag } from './keys.ts'
import type { Slices } from './slices.ts'
import { type Store, StoreAway } from './store.ts'

/** A settlement that the store has not heard of. */
export interface Debt {
  readonly tenant: string
  readonly lease: string
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
const LEASE_MS = 60_000

/** Settlements that wait for the store to come back, and spending that it has to be told of afresh. */
export class Debts {
  readonly #options: DebtOptions
  #settles: Debt[] = []
  readonly #charges = new Map<Claim, bigint>()
  #running: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #count = 0
  #closed = false

  constructor(options: DebtOptions) {
    this.#options = options
  }

  /** What waits to be told. */
  get size(): number {
    return this.#settles.length + this.#charges.size + (this.#options.slices.owes ? 1 : 0)
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

  /** Spending without a lease at the store. */
  chargeLater(claim: Claim, nano: bigint): void {
    this.#charges.set(claim, (this.#charges.get(claim) ?? 0n) + nano)
    this.#arm()
  }

  /**
   * A lease that the store does not know, or has settled. Where the store was emptied and filled again since the attempt began, without
   * its row, it is charged afresh; where it is empty, the rebuild will count the row; else it was settled before. Rejects `StoreAway`, and
   * as the ledger does.
   */
  async lost(debt: Debt): Promise<void> {
    const { store, clock, flush } = this.#options
    await flush()
    const [mark = 0n] = await store.read([aliveKey(debt.tenant)])
    const filledAt = Number(mark)
    if (filledAt === 0 || filledAt <= debt.at || (debt.bookedAt() ?? clock.now()) <= filledAt) return
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
    const { store, slices, log, onChanges } = this.#options
    try {
      for (let debt = this.#settles[0]; debt !== undefined; debt = this.#settles[0]) {
        const settled = await store.settle(debt.lease, amountsOf(debt))
        if (settled.settled) onChanges(settled.changes)
        else await this.lost(debt)
        this.#settles.shift()
      }
      await slices.tell()
      for (const [tenant, charges] of Map.groupBy(this.#charges, ([claim]) => claim.tenant)) {
        const id = `${tenantTag(tenant)}:owed-${this.#options.node}-${(this.#count++).toString(36)}`
        await this.#charge(id, new Map(charges))
        for (const [claim, nano] of charges) {
          const left = (this.#charges.get(claim) ?? 0n) - nano
          if (left > 0n) this.#charges.set(claim, left)
          else this.#charges.delete(claim)
        }
      }
    } catch (error) {
      if (!(error instanceof StoreAway))
        log.warn({ error }, 'a settlement could not be told to the counters; it is tried again')
    }
  }

  async #charge(leaseId: string, amounts: ReadonlyMap<Claim, bigint>): Promise<void> {
    const { store, clock, onChanges } = this.#options
    const rows: CounterRow[] = []
    const settled: Record<string, bigint> = {}
    for (const [{ key, expiresAt }, nano] of amounts) {
      rows.push({ key, amount: nano, expected: nano, ...(expiresAt !== undefined && { expiresAt }) })
      settled[key] = nano
    }
    await store.reserve(rows, { id: leaseId, expiresAt: clock.now() + LEASE_MS })
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
