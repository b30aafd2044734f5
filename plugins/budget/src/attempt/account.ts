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

/** Accounts of the calls under way, by the trace that all copies of a call share. A weak map would cost the collector more than this. */
export class Accounts {
  readonly #accounts = new Map<Trace, Account>()

  open(trace: Trace): Account {
    const account = new Account()
    this.#accounts.set(trace, account)
    return account
  }

  of(trace: Trace): Account | undefined {
    return this.#accounts.get(trace)
  }

  close(trace: Trace): void {
    this.#accounts.delete(trace)
  }
}
