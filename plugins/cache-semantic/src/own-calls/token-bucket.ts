import type { Clock } from '@switchyard/contract'

/** Room for so many uses in a time, refilled steadily. */
export interface TokenBucket {
  /** Takes one; false where there is none. */
  take(): boolean
  /** What is left, in [0, 1]. */
  filled(): number
}

/** A full bucket of `size`, which is filled anew within `perMs`. */
export function tokenBucket(clock: Pick<Clock, 'monotonic'>, size: number, perMs: number): TokenBucket {
  let tokens = size
  let at = clock.monotonic()
  const refill = (): void => {
    const now = clock.monotonic()
    tokens = Math.min(size, tokens + ((now - at) * size) / perMs)
    at = now
  }
  return {
    take() {
      refill()
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
    filled() {
      refill()
      return tokens / size
    },
  }
}
