import type { Clock } from '@switchyard/contract'

/** Longest delay that a Node timer holds; above it, it would fire at once. */
const LONGEST_MS = 2 ** 31 - 1

/** Real time, for subjects whose server keeps a clock of its own. Its timers keep the process alive. */
export function systemClock(): Clock {
  function schedule(ms: number, callback: () => void): () => void {
    const due = performance.now() + ms
    let timer: NodeJS.Timeout
    const arm = (): void => {
      timer = setTimeout(
        () => {
          // A Node timer may fire up to a millisecond early.
          if (performance.now() < due) arm()
          else callback()
        },
        Math.min(Math.max(0, due - performance.now()), LONGEST_MS),
      )
    }
    arm()
    return () => clearTimeout(timer)
  }
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    schedule,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const cancel = schedule(ms, () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        })
        function onAbort(): void {
          cancel()
          reject(signal?.reason)
        }
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
  }
}
