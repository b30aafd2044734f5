import type { GuessingOptions } from './options.ts'
import { networkOf } from './sources.ts'

interface Count {
  failures: number
  readonly until: number
}

/** Counts failed attempts, by address and by claimed id. */
export interface Guesses {
  /**
   * Milliseconds until the address, or the id, may try again; 0 = now. An address that did not fail itself is not made to wait for an id:
   * whoever knows one, and ids are public, would shut its owner out.
   */
  waitMs(source: string | undefined, id: string | undefined): number
  failed(source: string | undefined, id: string | undefined): void
  /** Addresses and ids that are counted. */
  readonly tracked: number
}

/**
 * Windows that begin at the first failure. What is counted is bounded: beyond `maxTracked` the oldest window goes.
 * @param now Monotonic milliseconds.
 */
export function guesses({ perSource, perKey, windowMs, maxTracked }: GuessingOptions, now: () => number): Guesses {
  const counts = new Map<string, Count>()

  function wait(name: string, limit: number): number {
    const count = counts.get(name)
    if (count === undefined || count.failures < limit) return 0
    return Math.max(0, count.until - now())
  }

  function count(name: string): void {
    const at = now()
    const known = counts.get(name)
    if (known !== undefined && known.until > at) {
      known.failures += 1
      return
    }
    counts.delete(name)
    counts.set(name, { failures: 1, until: at + windowMs })
    // In order of their beginning, so that the first is the oldest.
    if (counts.size > maxTracked) for (const oldest of counts.keys()) return void counts.delete(oldest)
  }

  function hasFailed(name: string): boolean {
    return (counts.get(name)?.until ?? Number.NEGATIVE_INFINITY) > now()
  }

  return {
    waitMs(source, id) {
      const place = source === undefined ? undefined : `s${networkOf(source)}`
      const bySource = perSource === 0 || place === undefined ? 0 : wait(place, perSource)
      const byKey = perKey === 0 || id === undefined || (place !== undefined && !hasFailed(place)) ? 0 : wait(`k${id}`, perKey)
      return Math.max(bySource, byKey)
    },
    failed(source, id) {
      if ((perSource > 0 || perKey > 0) && source !== undefined) count(`s${networkOf(source)}`)
      if (perKey > 0 && id !== undefined) count(`k${id}`)
    },
    get tracked() {
      return counts.size
    },
  }
}
