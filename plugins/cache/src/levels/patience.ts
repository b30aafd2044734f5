import { type Clock, SwitchyardError } from '@switchyard/contract'

export interface PatienceOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'schedule'>
  readonly timeoutMs: number
}

/** Waits so long for a store and no longer, and stops asking it where it keeps failing. */
export interface Patience {
  /** Rejects as `ask` does, `TIMEOUT` where it took too long, and `CIRCUIT_OPEN` at once while the store counts as away. */
  run<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>
  isOpen(): boolean
}

/** So many failures in a row, and the store counts as away. */
const FAILURES = 5
/** So long nobody asks then, doubled with each probe that fails. */
const PAUSE_MS = 250
const MAX_PAUSE_MS = 5_000

/** Makes one. A single look-up probes the store after each pause; those beside it do not wait for it. */
export function patience({ clock, timeoutMs }: PatienceOptions): Patience {
  let failures = 0
  let pauseMs = PAUSE_MS
  let until = 0
  let probing = false

  const isOpen = (): boolean => failures >= FAILURES && (probing || clock.monotonic() < until)

  function failed(): void {
    failures += 1
    if (failures < FAILURES) return
    until = clock.monotonic() + pauseMs
    pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)
  }

  return {
    isOpen,
    async run(ask, signal) {
      if (isOpen()) throw away()
      const isProbe = failures >= FAILURES
      if (isProbe) probing = true
      const controller = new AbortController()
      let cancel = (): void => {}
      const onAbort = (): void => controller.abort(signal.reason)
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
      try {
        const late = new Promise<never>((_resolve, reject) => {
          const fail = (error: SwitchyardError): void => {
            controller.abort(error)
            reject(error)
          }
          // Behind a pause of the event loop the reply may be there already: it gets one more turn.
          cancel = clock.schedule(timeoutMs, () => {
            cancel = clock.schedule(0, () => fail(tooSlow(timeoutMs)))
          })
        })
        const value = await Promise.race([ask(controller.signal), late])
        failures = 0
        pauseMs = PAUSE_MS
        return value
      } catch (error) {
        if (!signal.aborted) failed()
        throw error
      } finally {
        cancel()
        signal.removeEventListener('abort', onAbort)
        if (isProbe) probing = false
      }
    },
  }
}

function tooSlow(timeoutMs: number): SwitchyardError {
  return new SwitchyardError('TIMEOUT', `cache: the store did not answer within lookupTimeoutMs, ${timeoutMs} ms`)
}

function away(): SwitchyardError {
  return new SwitchyardError('CIRCUIT_OPEN', 'cache: the store failed again and again and is not asked for a moment')
}
