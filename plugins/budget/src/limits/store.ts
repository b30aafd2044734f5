import {
  type CallOptions,
  type Clock,
  type CounterRow,
  type Counters,
  type ExpiredLease,
  type Lease,
  type LeaseRenewal,
  type Reservation,
  type Settlement,
  SwitchyardError,
} from '@switchyard/contract'

/** Thrown where the store gave no answer: it could not be reached, or not in time. */
export class StoreAway extends Error {
  override readonly name: string = 'StoreAway'
}

export interface StoreOptions {
  readonly counters: Counters
  readonly clock: Pick<Clock, 'schedule'>
  /** After so long a shared store counts as away. */
  readonly timeoutMs: number
  /** Told when it goes, with why, and when it comes back. */
  readonly onAway: (error: unknown) => void
  readonly onBack: () => void
}

/** Errors by which the store has answered: the request is wrong, not the store away. */
const ANSWERED: ReadonlySet<string> = new Set(['CONFLICT', 'INVALID_REQUEST'])

/** The counters, bounded in time, and whether they can be asked. */
export class Store {
  readonly counters: Counters
  readonly #options: StoreOptions
  #away = false

  constructor(options: StoreOptions) {
    this.counters = options.counters
    this.#options = options
  }

  get isShared(): boolean {
    return this.counters.capabilities.shared
  }

  /** True from the first failure until the next answer. */
  get isAway(): boolean {
    return this.#away
  }

  /** Rejects `StoreAway`. A grant that comes too late is given back. */
  reserve(rows: readonly CounterRow[], lease: Lease): Promise<Reservation> {
    return this.#ask(this.counters.reserve(rows, lease), (late) => {
      if (late.granted) this.counters.settle(lease.id, {}).catch(() => {})
    })
  }

  /** Rejects `StoreAway`. */
  settle(leaseId: string, amounts: Readonly<Record<string, bigint>>): Promise<Settlement> {
    return this.#ask(this.counters.settle(leaseId, amounts))
  }

  /** Rejects `StoreAway`. */
  renew(leaseId: string, renewal: LeaseRenewal): Promise<{ readonly renewed: boolean }> {
    return this.#ask(this.counters.renew(leaseId, renewal))
  }

  /** Rejects `StoreAway`. */
  read(keys: readonly string[]): Promise<readonly bigint[]> {
    return this.#ask(this.counters.read(keys))
  }

  /** Rejects `StoreAway`. */
  expired(): Promise<readonly ExpiredLease[]> {
    return this.#ask(this.counters.expired())
  }

  /** Rejects `StoreAway`. */
  acknowledge(leaseIds: readonly string[], options?: CallOptions): Promise<void> {
    return this.#ask(this.counters.acknowledge(leaseIds, options))
  }

  #ask<T>(answer: Promise<T>, onLate?: (late: T) => void): Promise<T> {
    const given = this.isShared ? this.#inTime(answer, onLate) : answer
    return given.then(this.#answered as (given: T) => T, this.#failed)
  }

  // Made once, not for every question.
  readonly #answered = <T>(given: T): T => {
    if (this.#away) {
      this.#away = false
      this.#options.onBack()
    }
    return given
  }

  readonly #failed = (error: unknown): never => {
    if (SwitchyardError.is(error) && ANSWERED.has(error.code)) throw error
    if (!this.#away) {
      this.#away = true
      this.#options.onAway(error)
    }
    throw new StoreAway('the counters cannot be asked', { cause: error })
  }

  #inTime<T>(answer: Promise<T>, onLate: ((late: T) => void) | undefined): Promise<T> {
    const { clock, timeoutMs } = this.#options
    return new Promise<T>((resolve, reject) => {
      let late = false
      const cancel = clock.schedule(timeoutMs, () => {
        late = true
        reject(new SwitchyardError('TIMEOUT', `the counters gave no answer within ${timeoutMs} ms (storeTimeoutMs)`))
      })
      answer.then(
        (given) => {
          cancel()
          if (late) onLate?.(given)
          else resolve(given)
        },
        (error: unknown) => {
          cancel()
          reject(error)
        },
      )
    })
  }
}
