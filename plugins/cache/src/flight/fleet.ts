import type { Clock, Flights, Lead, Listening, Logger } from '@switchyard/contract'
import { SwitchyardError } from '@switchyard/contract'

/** After so many failures in a row the fleet is left alone for a while, so that no call waits for it in vain. */
const FAILURES_IN_A_ROW = 3
const REST_MS = 2_000

/** The flights of all nodes, as one that may be away. */
export interface Fleet {
  readonly maxBytes: number
  /** Undefined where the call is to be led alone: there is no fleet, or it gave no answer in time. Never rejects. */
  join(key: string, signal: AbortSignal): Promise<Lead | Listening | undefined>
  /** Counts, and logs the first of a row. */
  failed(error: unknown): void
  /** Times that the fleet failed a call. */
  readonly failures: number
}

export interface FleetParts {
  readonly flights: Flights | undefined
  readonly clock: Pick<Clock, 'monotonic' | 'schedule'>
  readonly log: Pick<Logger, 'warn'>
  readonly remoteTimeoutMs: number
}

/** Gives back a place that nobody wants any more. */
export function release(joined: Lead | Listening | undefined): void {
  if (joined === undefined) return
  const left = joined.role === 'leader' ? joined.abandon() : joined.leave()
  left.catch(() => {})
}

/** Makes the fleet of a port; one that is not shared is none. */
export function fleetOf({ flights, clock, log, remoteTimeoutMs }: FleetParts): Fleet {
  const shared = flights?.capabilities.shared === true ? flights : undefined
  let failures = 0
  let inARow = 0
  let restsUntil = 0

  function failed(error: unknown): void {
    failures += 1
    inARow += 1
    if (inARow === 1) log.warn({ error }, 'calls are not shared with other nodes, as the flights failed')
    if (inARow >= FAILURES_IN_A_ROW) restsUntil = clock.monotonic() + REST_MS
  }

  return {
    maxBytes: shared?.capabilities.maxBytes ?? 0,
    failed,
    get failures() {
      return failures
    },
    join(key, signal) {
      if (shared === undefined || clock.monotonic() < restsUntil) return Promise.resolve(undefined)
      return new Promise((resolve) => {
        const ending = new AbortController()
        let over = false
        function end(joined: Lead | Listening | undefined): void {
          over = true
          cancel()
          signal.removeEventListener('abort', onAbort)
          resolve(joined)
        }
        function stop(reason: unknown): void {
          end(undefined)
          ending.abort(reason)
        }
        const onAbort = (): void => stop(signal.reason)
        const cancel = clock.schedule(remoteTimeoutMs, () => {
          const late = new SwitchyardError(
            'TIMEOUT',
            `the flights gave no answer within remoteTimeoutMs, ${remoteTimeoutMs} ms`,
          )
          failed(late)
          stop(late)
        })
        signal.addEventListener('abort', onAbort, { once: true })
        shared.join(key, { signal: ending.signal }).then(
          (joined) => {
            if (over) return release(joined)
            inARow = 0
            end(joined)
          },
          (error: unknown) => {
            if (over) return
            failed(error)
            end(undefined)
          },
        )
      })
    },
  }
}
