import type { Clock } from '@switchyard/contract'

/** A clock that stands still until it is told to move. */
export interface VirtualClock extends Clock {
  /**
   * Moves time on by `ms` (>= 0), firing due timers in order of time, then of arming. Promise chains settle before the first timer,
   * after each one, and at the end. Rejects with what a timer's callback throws. Calls that overlap add up.
   */
  advance(ms: number): Promise<void>
  /** Timers that are armed now: 0 after a clean close. */
  pending(): number
  /** Fires timers until none is armed. Rejects after 10,000, which a timer that re-arms itself for ever would reach. */
  runAll(): Promise<void>
}

interface Timer {
  readonly due: number
  readonly callback: () => void
}

/** Where a virtual clock starts unless told otherwise: 2026-01-01T00:00:00Z. */
const START = Date.UTC(2026, 0, 1)
const RUN_ALL_LIMIT = 10_000

// Taken at load, so that a test which fakes the global timers does not stop the clock.
const nextTurn = setImmediate

/** Lets every promise chain that can move without time or I/O come to rest. */
function settle(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve))
}

function checked(ms: number, call: string): number {
  if (!Number.isFinite(ms)) throw new TypeError(`virtualClock: ${call}(${ms}) needs a finite number of milliseconds`)
  return ms
}

/** Makes a clock that starts at `start`, in epoch ms, and moves only by `advance` and `runAll`. */
export function virtualClock(start: number = START): VirtualClock {
  checked(start, 'start')
  const timers: Timer[] = []
  let time = start
  let target = start

  function arm(ms: number, callback: () => void): Timer {
    const timer = { due: time + Math.max(0, ms), callback }
    let low = 0
    let high = timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((timers[middle] as Timer).due <= timer.due) low = middle + 1
      else high = middle
    }
    timers.splice(low, 0, timer)
    return timer
  }

  function disarm(timer: Timer): void {
    const at = timers.indexOf(timer)
    if (at >= 0) timers.splice(at, 1)
  }

  async function fireNext(until: number): Promise<boolean> {
    const timer = timers[0]
    if (timer === undefined || timer.due > until) return false
    timers.shift()
    time = Math.max(time, timer.due)
    timer.callback()
    await settle()
    return true
  }

  return {
    now: () => time,
    monotonic: () => time - start,
    schedule(ms, callback) {
      const timer = arm(checked(ms, 'schedule'), callback)
      return () => disarm(timer)
    },
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const timer = arm(checked(ms, 'sleep'), () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        })
        function onAbort(): void {
          disarm(timer)
          reject(signal?.reason)
        }
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
    async advance(ms) {
      if (checked(ms, 'advance') < 0) throw new TypeError(`virtualClock: advance(${ms}) cannot turn time back`)
      target = Math.max(time, target) + ms
      const until = target
      await settle()
      while (await fireNext(until));
      time = Math.max(time, until)
      await settle()
    },
    pending: () => timers.length,
    async runAll() {
      await settle()
      for (let fired = 0; fired < RUN_ALL_LIMIT; fired += 1) {
        if (!(await fireNext(Number.POSITIVE_INFINITY))) return
      }
      throw new Error(
        `virtualClock: ${RUN_ALL_LIMIT} timers fired and ${timers.length} are still armed; use advance(ms) instead`,
      )
    },
  }
}
