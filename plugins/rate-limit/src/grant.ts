import {
  type Call,
  type Clock,
  type CounterRow,
  type Ending,
  type ModelEnding,
  type Operation,
  type Reply,
  SwitchyardError,
} from '@switchyard/contract'
import type { LimitCounters } from './local-counters.ts'
import { counterRows, type Group } from './plan.ts'
import { RENEWALS_A_LEASE, type SlotHolder, type Slots } from './slots.ts'
import { type TokenNeed, takenOf } from './tokens.ts'

/** A lease that a call holds, and what its rows sum up to with it. */
export interface GrantedLease {
  readonly group: Group
  id: string
  readonly sums: readonly bigint[]
}

const NOTHING_USED: ModelEnding = Object.freeze({
  outcome: 'complete',
  usage: Object.freeze({ inputTokens: 0, outputTokens: 0 }),
  usageSource: 'reported',
})

/** What grants need from the policy that makes them. */
export interface GrantContext {
  readonly slots: Slots
  readonly clock: Pick<Clock, 'now'>
  readonly concurrencyLeaseMs: number
  newLeaseId(group: Group): string
  /** The store did not do what it was asked; the call goes on. */
  failed(error: unknown): void
}

/**
 * What was reserved for one call. Leases of windows stay to their expiry, which is what slides the window; their tokens are corrected when
 * the call ends. Slots are given back in every ending. A class, since every counted call makes one.
 */
export class Grant implements SlotHolder {
  readonly call: Call
  readonly counters: LimitCounters
  /** Counted against this node's share. */
  readonly local: boolean
  readonly leases: GrantedLease[] = []
  private readonly context: GrantContext
  private readonly need: TokenNeed | undefined
  private renewedAt = 0
  private holdsSlots = false
  private over = false
  private fromCache = false

  constructor(context: GrantContext, call: Call, counters: LimitCounters, local: boolean, need: TokenNeed | undefined) {
    this.context = context
    this.call = call
    this.counters = counters
    this.local = local
    this.need = need
  }

  /** All was granted at `now`: slots are kept up from here on. */
  begin(now: number): void {
    this.renewedAt = now
    this.holdsSlots = this.leases.some(({ group }) => group.kind === 'slot')
    if (this.holdsSlots) this.context.slots.add(this)
  }

  /** Gives everything back, as if the call had never been. Never rejects. */
  async giveBack(): Promise<void> {
    this.leave()
    await Promise.all(this.leases.map(({ id }) => this.settle(id)))
  }

  /** The rest of the pipeline threw. */
  threw(error: unknown): void {
    if (neverLeft(this.call, error)) {
      void this.giveBack()
      return
    }
    this.endSlots()
    if (this.need === undefined) return
    // A model that was cut off may have read the request; one that refused it has not been charged for.
    const cutOff = this.call.signal.aborted || SwitchyardError.is(error, 'TIMEOUT') || SwitchyardError.is(error, 'ABORTED')
    const input = cutOff ? this.need.input : 0
    const usage = { inputTokens: input, outputTokens: 0 }
    this.correct({ outcome: 'error', usage, usageSource: 'estimated' })
  }

  /** A reply came: whole, or one that goes on. */
  replied(reply: Reply<Operation>): void {
    if (this.need === undefined && !this.holdsSlots) return
    const { ended, headers } = (reply ?? {}) as {
      readonly ended?: Promise<Ending>
      readonly headers?: Readonly<Record<string, unknown>>
    }
    this.fromCache = headers?.['x-switchyard-cache'] === 'hit'
    if (typeof ended?.then === 'function') ended.then(this.ended, this.ended)
    else this.endSlots()
  }

  renewSlots(now: number): void {
    const { concurrencyLeaseMs } = this.context
    // A handler that does not end after an abort must not hold its slot for ever.
    if (this.call.signal.aborted || now - this.renewedAt < concurrencyLeaseMs / (RENEWALS_A_LEASE + 1)) return
    this.renewedAt = now
    for (const lease of this.leases) if (lease.group.kind === 'slot') void this.renewSlot(lease, now + concurrencyLeaseMs)
  }

  private readonly ended = (ending: unknown): void => {
    this.endSlots()
    if (this.need === undefined || typeof ending !== 'object' || ending === null) return
    // No model read or wrote a token of a reply from the cache, whatever usage it repeats.
    this.correct(this.fromCache ? NOTHING_USED : (ending as ModelEnding))
  }

  private correct(ending: ModelEnding): void {
    for (const { group, id } of this.leases) {
      if (group.fixed !== undefined) continue
      const amounts: Record<string, bigint> = {}
      let known = false
      for (const { key, quota } of group.rows) {
        const taken = takenOf(quota, ending)
        if (taken === undefined) continue
        amounts[key] = taken
        known = true
      }
      if (known) this.correctLease(group, id, amounts).catch(this.context.failed)
    }
  }

  /** A call that outlives its window has what it took beyond its reservation counted when it ends, or long answers would be free. */
  private async correctLease(group: Group, id: string, amounts: Readonly<Record<string, bigint>>): Promise<void> {
    const { renewed } = await this.counters.renew(id, { amounts })
    if (renewed) return
    const rows: CounterRow[] = []
    for (const { key, amount } of counterRows(group, this.need, this.local)) {
      const beyond = (amounts[key] ?? 0n) - amount
      if (beyond > 0n) rows.push({ key, amount: beyond })
    }
    if (rows.length === 0) return
    const lease = { id: this.context.newLeaseId(group), expiresAt: this.context.clock.now() + group.windowMs }
    await this.counters.reserve(rows, lease)
  }

  private endSlots(): void {
    if (!this.holdsSlots || this.over) return
    this.leave()
    for (const { group, id } of this.leases) if (group.kind === 'slot') void this.settle(id)
  }

  private leave(): void {
    this.over = true
    if (this.holdsSlots) this.context.slots.delete(this)
  }

  private async settle(id: string): Promise<void> {
    try {
      await this.counters.settle(id, {})
    } catch (error) {
      this.context.failed(error)
    }
  }

  /** A slot that was lost while this process stood still is taken again, above the limit if need be: the call is under way. */
  private async renewSlot(lease: GrantedLease, expiresAt: number): Promise<void> {
    try {
      const { renewed } = await this.counters.renew(lease.id, { expiresAt })
      if (renewed || this.over) return
      const id = this.context.newLeaseId(lease.group)
      const rows = lease.group.rows.map(({ key }) => ({ key, amount: 1n }))
      lease.id = id
      await this.counters.reserve(rows, { id, expiresAt })
      if (this.over) await this.settle(id)
    } catch (error) {
      this.context.failed(error)
    }
  }
}

/** Measure in which the innermost guard of resilience counts attempts. */
const ATTEMPTS = 'attemptCount'
const OURS: ReadonlySet<string> = new Set(['BUDGET_EXCEEDED', 'POLICY_REFUSED', 'FORBIDDEN', 'UNAUTHENTICATED'])

/** Whether a call was refused inside this process, by a guard or a budget. One that found its target unreachable was a try all the same. */
function neverLeft(call: Call, error: unknown): boolean {
  if (!SwitchyardError.is(error) || (call.trace.measures.get(ATTEMPTS) ?? 0) > 1) return false
  return OURS.has(error.code) || error.details?.guard !== undefined
}
