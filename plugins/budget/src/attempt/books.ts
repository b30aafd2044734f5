import type { Clock, CounterChange, Logger, ModelEnding, Usage } from '@switchyard/contract'
import { SwitchyardError } from '@switchyard/contract'
import type { Journal } from '../journal/journal.ts'
import { endedLine, openedLine, wholeLine } from '../journal/record.ts'
import type { LedgerWriter } from '../ledger/writer.ts'
import type { Claim } from '../limits/claim.ts'
import { amountsOf, type Debt, type Debts } from '../limits/debts.ts'
import type { Slices } from '../limits/slices.ts'
import { type Store, StoreAway } from '../limits/store.ts'
import type { WaitingRoom } from '../limits/waiting-room.ts'
import type { Account } from './account.ts'
import type { Attempt } from './attempt.ts'
import { type Charged, charge, chargeUncounted, type End, NOTHING } from './outcome.ts'
import { Roster } from './roster.ts'

export interface BooksOptions {
  readonly journal: Journal | undefined
  readonly whenJournalFails: 'refuse' | 'serve'
  readonly writer: LedgerWriter
  readonly maxBufferedRows: number
  readonly store: Store
  readonly slices: Slices
  readonly debts: Debts
  readonly room: WaitingRoom
  readonly clock: Pick<Clock, 'now'>
  readonly log: Logger
  /** Nano-USD that an attempt without a price is charged. */
  readonly unknownNano: bigint
  readonly onChanges: (changes: readonly CounterChange[], claims: readonly Claim[]) => void
}

/** Attempts from their beginning to their row: each is begun once, ended once, and booked once. */
export class Books {
  /** Attempts under way. */
  readonly live: Roster<Attempt> = new Roster()
  readonly #options: BooksOptions

  constructor(options: BooksOptions) {
    this.#options = options
  }

  /**
   * Writes the beginning down; undefined where there is no journal to wait for. Rejects, or throws, `UPSTREAM_UNAVAILABLE` where nothing
   * more can be kept.
   */
  begin(attempt: Attempt): Promise<void> | undefined {
    const { journal, writer, maxBufferedRows, whenJournalFails } = this.#options
    this.live.add(attempt)
    if (writer.failure !== undefined && writer.waiting >= maxBufferedRows) throw tooManyRows(writer.waiting, writer.failure)
    if (journal === undefined) return undefined
    const written = journal.opened(openedLine(attempt.json), attempt)
    return whenJournalFails === 'serve' ? written.catch(() => {}) : written
  }

  /** It will not be sent: gives its hold back and forgets it. */
  abandon(attempt: Attempt): void {
    this.live.delete(attempt)
    if (attempt.settled) return
    attempt.settled = true
    this.#settle(attempt, 0n)
  }

  /** Books an attempt whose reply has ended. Never throws. */
  ended(attempt: Attempt, ending: ModelEnding, account: Account | undefined): void {
    const { outcome, usage, usageSource, unreconciled, serviceTier } = ending
    const estimated = usageSource === 'none'
    this.#end(attempt, account, {
      at: this.#options.clock.now(),
      outcome,
      usage: estimated ? inputOf(attempt) : usage,
      usageSource: estimated ? 'estimated' : usageSource,
      unreconciled: unreconciled === true,
      serviceTier,
    })
    if (usageSource !== 'reported' || outcome !== 'complete') return
    const { outputTokens } = usage
    if (Number.isSafeInteger(outputTokens) && outputTokens >= 0) attempt.subject.lengths.add(outputTokens)
  }

  /**
   * Books an attempt that failed before any of its reply came. It cost nothing, unless the error tells what was used, or the request was
   * broken off: then its input is taken as read.
   */
  failed(attempt: Attempt, error: unknown, account: Account | undefined): void {
    const ours = SwitchyardError.is(error)
    const sent = ours && error.details?.sent !== false
    const told = sent ? usageIn(error.details?.usage) : undefined
    const brokenOff = sent && (error.code === 'ABORTED' || error.code === 'TIMEOUT')
    this.#end(attempt, account, {
      at: this.#options.clock.now(),
      outcome: ours && error.code === 'ABORTED' ? 'aborted' : 'error',
      usage: told ?? (brokenOff ? inputOf(attempt) : NOTHING),
      usageSource: told !== undefined ? 'reported' : brokenOff ? 'estimated' : 'none',
      unreconciled: false,
    })
  }

  #end(attempt: Attempt, account: Account | undefined, end: End): void {
    if (attempt.settled) return
    attempt.settled = true
    this.live.delete(attempt)
    const charged = this.#charge(attempt, end)
    account?.add(charged.pico)
    const { journal, writer } = this.#options
    const { outcome } = charged
    const row = attempt.opening.concat(outcome)
    if (journal !== undefined) {
      if (attempt.opened === undefined) journal.ended(wholeLine(row), attempt)
      else journal.ended(endedLine(attempt.id, outcome), attempt)
    }
    writer.add(row, () => {
      attempt.bookedAt = this.#options.clock.now()
      journal?.booked(attempt)
    })
    this.#settle(attempt, charged.nano)
  }

  #charge(attempt: Attempt, end: End): Charged {
    const { unknownNano, log } = this.#options
    try {
      return charge(attempt, end, unknownNano)
    } catch (error) {
      log.error(
        { error, attempt: attempt.id, usage: end.usage },
        'the usage of an attempt cannot be priced; its cost is unknown',
      )
      return chargeUncounted(attempt, end, unknownNano)
    }
  }

  #settle(attempt: Attempt, nano: bigint): void {
    const { claims, held, lease } = attempt
    if (claims.length === 0) return
    if (lease !== undefined) {
      for (const claim of claims) {
        claim.holds -= 1
        claim.used += nano - held
      }
      void this.#settleLease(attempt, lease, nano)
    } else if (attempt.local || nano > 0n) this.#settleLocally(attempt, nano)
  }

  async #settleLease(attempt: Attempt, lease: string, nano: bigint): Promise<void> {
    const { store, debts, room, log } = this.#options
    const { claims, at, subject } = attempt
    const debt: Debt = { tenant: subject.principal.tenant, lease, claims, nano, at, bookedAt: () => attempt.bookedAt }
    try {
      const settlement = await store.settle(lease, amountsOf(debt))
      if (settlement.settled) this.noteChanges(claims, settlement.changes)
      else await debts.lost(debt)
    } catch (error) {
      if (!(error instanceof StoreAway)) log.warn({ error, lease }, 'an attempt could not be settled; it is tried again')
      debts.settleLater(debt)
    }
    for (const claim of claims) room.wake(claim)
  }

  /** No lease at the store stands for it: the store was away, or it was taken to cost nothing. */
  #settleLocally(attempt: Attempt, nano: bigint): void {
    const { slices, debts } = this.#options
    const { claims, local, held, subject, at } = attempt
    const isOwed = (claim: Claim): boolean =>
      !(local && claim.budget.whenStoreAway === 'lease' && slices.end(claim, held, nano)) && nano > 0n
    const owed = claims.filter(isOwed)
    const { tenant } = subject.principal
    if (owed.length > 0) debts.chargeLater({ tenant, claims: owed, nano, at, bookedAt: () => attempt.bookedAt })
    void debts.pay()
  }

  /** Keeps what a settlement says of sums, and looks for thresholds. */
  noteChanges(claims: readonly Claim[], changes: readonly CounterChange[]): void {
    for (const { key, after } of changes) {
      for (const claim of claims) if (claim.key === key) claim.settled = after
    }
    this.#options.onChanges(changes, claims)
  }
}

/** What is known of a request that was read, and of whose answer nothing is. */
function inputOf({ inputTokens, bytes }: Attempt): Usage {
  return { inputTokens: inputTokens ?? Math.ceil(bytes / 4), outputTokens: 0 }
}

function usageIn(value: unknown): Usage | undefined {
  const usage = value as Partial<Usage> | null | undefined
  return typeof usage?.inputTokens === 'number' && typeof usage.outputTokens === 'number' ? (usage as Usage) : undefined
}

function tooManyRows(waiting: number, cause: unknown): SwitchyardError {
  const message = `budget: the ledger cannot be written and ${waiting} rows wait for it (maxBufferedRows); mend the database`
  return new SwitchyardError('UPSTREAM_UNAVAILABLE', message, {
    retryAfterMs: 5_000,
    cause,
    details: { sent: false, status: 503 },
  })
}
