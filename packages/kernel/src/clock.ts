import type { Clock } from '@switchyard/contract'

/** Longest delay a Node timer keeps; a longer one would fire at once (Node docs, `setTimeout`). */
const LONGEST_TIMER_MS = 2 ** 31 - 1

function schedule(ms: number, callback: () => void): () => void {
  const due = performance.now() + ms
  let timer: NodeJS.Timeout
  const onTimer = (): void => {
    const left = due - performance.now()
    // A Node timer may fire up to a millisecond early, and long delays go in steps.
    if (left > 0) arm(left)
    else callback()
  }
  const arm = (left: number): void => {
    timer = setTimeout(onTimer, Math.min(Math.max(0, Math.ceil(left)), LONGEST_TIMER_MS))
  }
  arm(ms)
  return () => clearTimeout(timer)
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = (): void => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = schedule(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** The machine's time: `Date.now`, `performance.now` and Node timers, never early, also for delays above 24.8 days. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep,
  schedule,
})
