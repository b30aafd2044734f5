import type { Call, Clock, CounterRow, Lease, Reservation } from '@switchyard/contract'
import type { Attempt } from '../attempt/attempt.ts'
import { AT, type Cell } from '../ledger/columns.ts'
import type { Claim } from './claim.ts'
import type { Rebuild } from './rebuild.ts'
import { exceeded, storeAway } from './refusal.ts'
import type { Slices } from './slices.ts'
import { type Store, StoreAway } from './store.ts'
import type { WaitingRoom } from './waiting-room.ts'

export interface AdmissionOptions {
  readonly plugin: string
  readonly store: Store
  readonly slices: Slices
  readonly rebuild: Rebuild
  readonly room: WaitingRoom
  readonly clock: Pick<Clock, 'now'>
  readonly leaseMs: number
  readonly graceMs: number
  readonly lateSettleMs: number
  readonly waitMs: number
  readonly onRefused: (claim: Claim) => void
}

const LONGEST_NOTE = 4_096
/** A store that is empty again after so many rebuilds is not to be trusted with a budget. */
const MOST_REBUILDS = 3

/** Holds what an attempt may cost at all its claims, or at none. */
export class Admission {
  readonly #options: AdmissionOptions

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /**
   * Resolves once the hold is taken: at the store, or, while that is away, as each budget allows. Rejects `BUDGET_EXCEEDED`,
   * `UPSTREAM_UNAVAILABLE`, or with the reason of the call's signal.
   */
  async admit(attempt: Attempt, call: Call<'model.invoke'>, expected: bigint): Promise<void> {
    const { store, slices, rebuild, clock, waitMs } = this.#options
    const { claims, subject } = attempt
    const rows = this.#rows(attempt, expected)
    const until = clock.now() + waitMs
    let rebuilds = 0
    try {
      for (let tries = 0; ; tries++) {
        const lease = this.#lease(attempt, call, tries)
        const reservation = await store.reserve(rows, lease)
        if (!reservation.granted) {
          await this.#refusal(attempt, call, reservation, until, tries)
          continue
        }
        if (reservation.sums[0] === 0n) {
          await store.settle(lease.id, {})
          if (++rebuilds > MOST_REBUILDS) throw new StoreAway('the counters stay empty')
          await rebuild.of(subject.principal.tenant).catch((cause: unknown) => {
            throw new StoreAway('the counters are empty and cannot be filled from the ledger', { cause })
          })
          continue
        }
        attempt.lease = lease.id
        attempt.leaseUntil = lease.expiresAt
        for (let index = 0; index < claims.length; index++) {
          const claim = claims[index] as Claim
          claim.used = reservation.sums[index + 1] as bigint
          claim.holds += 1
        }
        if (tries > 0) for (const claim of claims) this.#options.room.wake(claim)
        slices.ensure(claims)
        return
      }
    } catch (error) {
      if (!(error instanceof StoreAway)) throw error
      this.#withoutStore(attempt, error.cause ?? error)
    }
  }

  #rows({ claims, held, subject }: Attempt, expected: bigint): readonly CounterRow[] {
    const rows: CounterRow[] = [{ key: subject.aliveKey, amount: 0n }]
    for (const { key, limit, budget, expiresAt } of claims) {
      const row: { -readonly [K in keyof CounterRow]: CounterRow[K] } = { key, amount: held, expected }
      if (budget.hard) row.limit = limit
      if (expiresAt !== undefined) row.expiresAt = expiresAt
      rows.push(row)
    }
    return rows
  }

  #lease({ id, json, subject }: Attempt, call: Call, tries: number): Lease {
    const { clock, leaseMs, graceMs, lateSettleMs } = this.#options
    const now = clock.now()
    const ends = now + leaseMs
    const expiresAt = (call.deadline === undefined || call.deadline > ends ? ends : Math.max(now, call.deadline)) + graceMs + 1
    return {
      id: tries === 0 ? `${subject.tenantTag}:${id}` : `${subject.tenantTag}:${id}~${tries}`,
      expiresAt,
      settleUntil: expiresAt + lateSettleMs,
      note: json.length <= LONGEST_NOTE ? json : shortNote(json),
    }
  }

  /** Waits for room where holds alone are in the way; throws where waiting cannot help. */
  async #refusal(
    attempt: Attempt,
    call: Call,
    { key, available }: Extract<Reservation, { granted: false }>,
    until: number,
    tries: number,
  ): Promise<void> {
    const { plugin, store, room, clock, onRefused } = this.#options
    const claim = attempt.claims.find((one) => one.key === key) as Claim
    claim.used = claim.limit - available
    const left = until - clock.now()
    // Holds of calls that ask at this moment are counted once they were answered, so the first look may be too early.
    const mayFit = claim.settled + attempt.held <= claim.limit && (claim.holds > 0 || store.isShared || tries === 0)
    if (left <= 0 || !mayFit || (call.deadline !== undefined && clock.now() >= call.deadline)) {
      onRefused(claim)
      throw exceeded(claim, available, attempt.held, plugin)
    }
    await room.wait(claim, left, call.signal)
    if (call.signal.aborted) throw call.signal.reason
  }

  #withoutStore(attempt: Attempt, cause: unknown): void {
    const { plugin, slices } = this.#options
    const closed = attempt.claims.find(({ budget }) => budget.whenStoreAway === 'closed')
    if (closed !== undefined) throw storeAway(closed, plugin, cause)
    const short = slices.hold(attempt.claims, attempt.held)
    if (short !== undefined) throw storeAway(short, plugin, cause)
    attempt.local = true
  }
}

/** The note of an attempt that says too much of itself: without its tags. */
function shortNote(json: string): string {
  const cells = JSON.parse(json) as Cell[]
  cells[AT.tags] = null
  const short = JSON.stringify(cells)
  return short.length <= LONGEST_NOTE ? short : ''
}
