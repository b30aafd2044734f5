import type { Call, Clock, CounterRow, Lease, Reservation } from '@switchyard/contract'
import type { Attempt } from '../attempt/attempt.ts'
import { AT, type Cell } from '../ledger/columns.ts'
import type { Claim } from './claim.ts'
import type { Rebuild } from './rebuild.ts'
import { exceeded, storeAway } from './refusal.ts'
import { QUIET_MS, type Rehold } from './rehold.ts'
import type { Slices } from './slices.ts'
import { type Store, StoreAway } from './store.ts'
import type { Place, WaitingRoom } from './waiting-room.ts'

export interface AdmissionOptions {
  readonly plugin: string
  readonly store: Store
  readonly slices: Slices
  readonly rebuild: Rebuild
  readonly rehold: Rehold
  readonly room: WaitingRoom
  readonly clock: Pick<Clock, 'now'>
  readonly leaseMs: number
  readonly graceMs: number
  readonly lateSettleMs: number
  readonly waitMs: number
  readonly onRefused: (claim: Claim) => void
  /** Told of a hold of which nobody knows whether the store took it: the attempt will not be sent. */
  readonly onUnsure: (attempt: Attempt, lease: string) => void
}

const LONGEST_NOTE = 4_096
/** A store that is empty again after so many rebuilds is not to be trusted with a budget. */
const MOST_REBUILDS = 3
/** Holds of one attempt that are given back, each under an id of its own: at an empty store, and at one that was filled just now. */
export const MOST_GIVEN_BACK: number = MOST_REBUILDS + 2

/** Where a cheaper target may be tried, it is not kept waiting for long. */
const DOWN_ROUTE_MS = 1_000
/** Before its deadline a call is told why it was not sent. */
const TO_SAY_SO_MS = 50
const LOOK_MS = 500
const LOOK_LEASE_MS = 5_000

/** How a call waits. */
interface Wait {
  /** Epoch ms. */
  readonly began: number
  place: Place | undefined
  looks: number
}

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
    const { store, slices, rebuild, rehold, clock, room } = this.#options
    const { claims, subject } = attempt
    const rows = this.#rows(attempt, expected)
    const wait: Wait = { began: clock.now(), place: undefined, looks: 0 }
    let rebuilds = 0
    let givenBack = 0
    let asked: Lease | undefined
    try {
      await this.#lineUp(attempt, call, wait)
      for (;;) {
        const lease = this.#lease(attempt, call, givenBack)
        asked = lease
        const reservation = await store.reserve(rows, lease)
        if (!reservation.granted) {
          asked = undefined
          await this.#refusal(attempt, call, reservation, wait)
          continue
        }
        const mark = reservation.sums[0] as bigint
        if (mark === 0n) {
          givenBack += 1
          await store.settle(lease.id, {})
          if (++rebuilds > MOST_REBUILDS) throw new StoreAway('the counters stay empty')
          await rebuild.of(subject.principal.tenant).catch((cause: unknown) => {
            throw new StoreAway('the counters are empty and cannot be filled from the ledger', { cause })
          })
          continue
        }
        rehold.seen(subject.aliveKey, mark)
        const quiet = store.isShared ? Number(mark) + QUIET_MS - clock.now() : 0
        if (quiet > 0 && givenBack < MOST_GIVEN_BACK) {
          givenBack += 1
          await store.settle(lease.id, {})
          asked = undefined
          await this.#quiet(Math.min(quiet, QUIET_MS), call)
          continue
        }
        attempt.mark = mark
        attempt.lease = lease.id
        attempt.leaseUntil = lease.expiresAt
        for (let index = 0; index < claims.length; index++) {
          const claim = claims[index] as Claim
          claim.used = reservation.sums[index + 1] as bigint
          claim.holds += 1
        }
        slices.ensure(claims)
        return
      }
    } catch (error) {
      if (!(error instanceof StoreAway)) throw error
      room.disperse()
      if (asked !== undefined) this.#options.onUnsure(attempt, asked.id)
      this.#withoutStore(attempt, error.cause ?? error)
    } finally {
      if (wait.place !== undefined) room.leave(wait.place)
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

  /** Waits until every node has held again what the store lost; throws where the call has no time for it. */
  async #quiet(ms: number, call: Call<'model.invoke'>): Promise<void> {
    const { clock, room } = this.#options
    const now = clock.now()
    if (call.deadline !== undefined && now + ms >= call.deadline)
      throw new StoreAway('the counters were lost, and are open again in a moment')
    await room.rest(ms, call.signal)
    if (call.signal.aborted) throw call.signal.reason
  }

  #lease({ id, json, subject }: Attempt, call: Call, givenBack: number): Lease {
    const { clock, leaseMs, graceMs, lateSettleMs } = this.#options
    const now = clock.now()
    const ends = now + leaseMs
    const expiresAt = (call.deadline === undefined || call.deadline > ends ? ends : Math.max(now, call.deadline)) + graceMs + 1
    return {
      // A refusal takes no id, a hold that was given back keeps it until its expiry.
      id: givenBack === 0 ? `${subject.tenantTag}:${id}` : `${subject.tenantTag}:${id}~${givenBack}`,
      expiresAt,
      settleUntil: expiresAt + lateSettleMs,
      note: json.length <= LONGEST_NOTE ? json : shortNote(json),
    }
  }

  /** Goes behind those who wait for the same budget already, unless waiting cannot help. */
  async #lineUp(attempt: Attempt, call: Call<'model.invoke'>, wait: Wait): Promise<void> {
    const { room } = this.#options
    const claim = room.busyOf(attempt.claims)
    if (claim === undefined || room.isFull || !mayFit(claim, attempt)) return
    const left = this.#left(claim, call, wait)
    if (left > 0) await this.#turn(claim, call, wait, left)
  }

  /** Waits for room where holds alone are in the way; throws where waiting cannot help. */
  async #refusal(
    attempt: Attempt,
    call: Call<'model.invoke'>,
    { key, available }: Extract<Reservation, { granted: false }>,
    wait: Wait,
  ): Promise<void> {
    const { plugin, room, onRefused } = this.#options
    const claim = attempt.claims.find((one) => one.key === key) as Claim
    claim.used = claim.limit - available
    if (wait.place?.claim === claim && mayFit(claim, attempt)) await this.#look(attempt, wait, wait.place)
    const left = this.#left(claim, call, wait)
    const isQueued = wait.place?.claim === claim
    if (left <= 0 || !mayFit(claim, attempt) || (!isQueued && room.isFull)) {
      onRefused(claim)
      throw exceeded(claim, available, attempt.held, plugin)
    }
    await this.#turn(claim, call, wait, left)
  }

  /** Milliseconds that a call may still wait for a claim; 0 or less where it may not. */
  #left({ budget: { downRoute } }: Claim, { deadline }: Call, { began }: Wait): number {
    const { clock, waitMs } = this.#options
    const most = downRoute ? Math.min(waitMs, DOWN_ROUTE_MS) : waitMs
    const until = began + most
    return (deadline === undefined ? until : Math.min(until, deadline - TO_SAY_SO_MS)) - clock.now()
  }

  async #turn(claim: Claim, call: Call<'model.invoke'>, wait: Wait, ms: number): Promise<void> {
    const { room } = this.#options
    if (wait.place?.claim !== claim) {
      if (wait.place !== undefined) room.leave(wait.place)
      wait.place = room.join(claim)
    }
    await room.turn(wait.place, ms, call.signal)
    if (call.signal.aborted) throw call.signal.reason
  }

  /** Sees now and then what is truly settled at a claim: this node knows of its own settlements only. */
  async #look({ id, subject }: Attempt, wait: Wait, place: Place): Promise<void> {
    const { store, clock } = this.#options
    const now = clock.now()
    if (now - place.lookedAt < LOOK_MS) return
    place.lookedAt = now
    const { key, expiresAt } = place.claim
    const lease = `${subject.tenantTag}:wait-${id}~${wait.looks++}`
    const row: CounterRow = { key, amount: 0n, ...(expiresAt !== undefined && { expiresAt }) }
    await store.reserve([row], { id: lease, expiresAt: now + LOOK_LEASE_MS })
    const settlement = await store.settle(lease, {})
    if (!settlement.settled) return
    for (const change of settlement.changes) if (change.key === key) place.claim.settled = change.after
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

/** Whether it fits once the holds of others are gone. */
function mayFit({ settled, limit }: Claim, { held }: Attempt): boolean {
  return settled + held <= limit
}
