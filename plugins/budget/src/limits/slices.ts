import type { Clock } from '@switchyard/contract'
import type { Claim } from './claim.ts'
import { tenantTag } from './keys.ts'
import type { Store } from './store.ts'

interface Slice {
  readonly claim: Claim
  readonly leaseId: string
  /** Nano-USD that may be spent of it. */
  readonly amount: bigint
  /** Nano-USD spent and held of it while the store was away. */
  spent: bigint
  held: bigint
  /** Epoch ms. */
  expiresAt: number
  taken: boolean
}

export interface SliceOptions {
  readonly store: Store
  readonly clock: Pick<Clock, 'now'>
  /** Nodes of the fleet. */
  readonly nodes: number
  /** Unique to this start of this node. */
  readonly node: string
  readonly lateSettleMs: number
}

const SLICE_MS = 600_000

/**
 * What this node may spend of a budget while the store is away: a quarter of the limit over all nodes, reserved there beforehand, so
 * that all nodes together cannot pass the limit. A slice that was spent from is settled when the store is back.
 */
export class Slices {
  readonly #options: SliceOptions
  readonly #slices = new Map<string, Slice>()
  #count = 0

  constructor(options: SliceOptions) {
    this.#options = options
  }

  /** Whether something was spent of a slice that the store has not heard of. */
  get owes(): boolean {
    for (const { spent } of this.#slices.values()) if (spent > 0n) return true
    return false
  }

  /** Takes slices for claims of budgets that want them, where the store is there; nobody waits for it. */
  ensure(claims: readonly Claim[]): void {
    for (const claim of claims) {
      if (claim.budget.whenStoreAway !== 'lease' || this.#slices.has(claim.key)) continue
      void this.#take(claim).catch(() => this.#slices.delete(claim.key))
    }
  }

  /** Holds an amount of every slice, or of none: then the claim that has no room. */
  hold(claims: readonly Claim[], amount: bigint): Claim | undefined {
    const slices: Slice[] = []
    for (const claim of claims) {
      if (claim.budget.whenStoreAway !== 'lease') continue
      const slice = this.#slices.get(claim.key)
      if (slice === undefined || !slice.taken || slice.spent + slice.held + amount > slice.amount) return claim
      slices.push(slice)
    }
    for (const slice of slices) slice.held += amount
    return undefined
  }

  /** Ends a hold, with what was truly spent. Returns whether the slice stands for it, so that it is not charged otherwise. */
  end(claim: Claim, held: bigint, spent: bigint): boolean {
    const slice = this.#slices.get(claim.key)
    if (slice === undefined || !slice.taken) return false
    slice.held -= held
    slice.spent += spent
    return true
  }

  /** Tells the store what was spent of slices, now that it is back. Rejects `StoreAway`. */
  async tell(): Promise<void> {
    for (const [key, slice] of this.#slices) {
      if (slice.spent === 0n || slice.held > 0n) continue
      await this.#options.store.settle(slice.leaseId, { [key]: slice.spent })
      this.#slices.delete(key)
    }
  }

  /** Prolongs slices that are half over, and lets those of windows that have passed go. */
  async renew(): Promise<void> {
    const { store, clock, lateSettleMs } = this.#options
    const now = clock.now()
    for (const [key, slice] of this.#slices) {
      if (!slice.taken) continue
      const { endsAt } = slice.claim.window
      if (endsAt !== undefined && now >= endsAt && slice.held === 0n) {
        await store.settle(slice.leaseId, { [key]: slice.spent })
        this.#slices.delete(key)
      } else if (slice.expiresAt - now < SLICE_MS / 2) {
        const expiresAt = now + SLICE_MS
        const { renewed } = await store.renew(slice.leaseId, { expiresAt, settleUntil: expiresAt + lateSettleMs })
        if (renewed) slice.expiresAt = expiresAt
        else if (slice.spent === 0n && slice.held === 0n) this.#slices.delete(key)
      }
    }
  }

  /** Gives every slice back. */
  async close(): Promise<void> {
    for (const [key, slice] of this.#slices) {
      if (slice.taken) await this.#options.store.settle(slice.leaseId, { [key]: slice.spent }).catch(() => {})
    }
    this.#slices.clear()
  }

  async #take(claim: Claim): Promise<void> {
    const { store, clock, nodes, node, lateSettleMs } = this.#options
    const amount = claim.limit / (4n * BigInt(nodes))
    const now = clock.now()
    const leaseId = `${tenantTag(claim.tenant)}:slice-${node}-${(this.#count++).toString(36)}`
    const slice: Slice = { claim, leaseId, amount, spent: 0n, held: 0n, expiresAt: now + SLICE_MS, taken: false }
    this.#slices.set(claim.key, slice)
    const row = {
      key: claim.key,
      amount,
      limit: claim.limit,
      ...(claim.expiresAt !== undefined && { expiresAt: claim.expiresAt }),
    }
    const lease = { id: leaseId, expiresAt: slice.expiresAt, settleUntil: slice.expiresAt + lateSettleMs }
    const { granted } = await store.reserve([row], lease)
    if (granted) slice.taken = true
    // Not left untaken for good: the next call after a while tries again.
    else this.#slices.delete(claim.key)
  }
}
