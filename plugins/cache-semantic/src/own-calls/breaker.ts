import type { Clock } from '@switchyard/contract'

/** Keeps off what fails too often, and lets one try through after a while. */
export interface Breaker {
  /** Whether it may be tried now; true for one caller at a time after a break. */
  admits(): boolean
  /** As `admits`, without trying. */
  mayAdmit(): boolean
  /** How a try went. */
  note(isGood: boolean): void
  /** The moving share of failures, in [0, 1]. */
  failing(): number
}

/** How much one outcome moves the failure rate: from nought, four failures running break it. */
const STEP = 0.2
const BREAKS_AT = 0.5

/** A breaker over the moving share of failures, which stays open for `openMs`. */
export function breaker(clock: Pick<Clock, 'monotonic'>, openMs: number): Breaker {
  let failing = 0
  let openUntil: number | undefined
  return {
    failing: () => failing,
    mayAdmit: () => openUntil === undefined || clock.monotonic() >= openUntil,
    admits() {
      if (openUntil === undefined) return true
      const now = clock.monotonic()
      if (now < openUntil) return false
      // One try; without an answer to it, another in due time.
      openUntil = now + openMs
      return true
    },
    note(isGood) {
      if (openUntil !== undefined) {
        if (isGood) {
          openUntil = undefined
          failing = 0
        } else openUntil = clock.monotonic() + openMs
        return
      }
      failing += STEP * (Number(!isGood) - failing)
      if (failing > BREAKS_AT) openUntil = clock.monotonic() + openMs
    },
  }
}
