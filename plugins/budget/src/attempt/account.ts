import type { Trace } from '@switchyard/contract'
import type { Claim } from '../limits/claim.ts'

/** What the attempts of one call have cost so far. */
export class Account {
  /** Attempts that were made. */
  attempts = 0
  /** Pico-USD of those that have ended; undefined once one has no known price. */
  pico: bigint | undefined = 0n
  ended = 0
  /** Claims of the last attempt. */
  claims: readonly Claim[] = []

  add(pico: bigint | undefined): void {
    this.ended += 1
    this.pico = this.pico === undefined || pico === undefined ? undefined : this.pico + pico
  }
}

/** A trace that bears the account of its call. */
type Bearer = Trace & Record<symbol, Account | undefined>

/**
 * Accounts of the calls under way, each borne by the trace that all copies of a call share. A map of them costs the collector more: one
 * that many entries go through makes new tables all the time, each of which the one before holds on to.
 */
export class Accounts {
  readonly #key = Symbol('account')

  open(trace: Trace): Account {
    const account = new Account()
    ;(trace as Bearer)[this.#key] = account
    return account
  }

  of(trace: Trace): Account | undefined {
    return (trace as Bearer)[this.#key]
  }

  close(trace: Trace): void {
    ;(trace as Bearer)[this.#key] = undefined
  }
}
