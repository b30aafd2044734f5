/** How a family's tokens relate to our estimates, learned from what providers report. One for each assembly: it is the caller's state. */
export interface TokenMultipliers {
  /** The factor for a family's estimates, in [0.5, 2.5]; a start value before anything was learned. */
  of(family: string): number
  /**
   * Takes in one reply: `unscaled` of its estimate and the input tokens that its provider reported. Small requests, and counts that are no
   * positive numbers, teach nothing.
   */
  learn(family: string, unscaled: number, reported: number): void
}

const LEAST = 0.5
const MOST = 2.5
/** Each reply leaves this much of what was known: the last fifty replies or so decide. */
const KEPT = 0.98
/** Below this, the frame of the request outweighs its text. */
const SMALLEST = 32
/** One long request must not outweigh all before it. */
const HEAVIEST = 4_000
const PRIOR_TOKENS = 8_000
const MAX_FAMILIES = 256

interface Learned {
  estimated: number
  reported: number
}

/** Multipliers that know the start values only (Claude 1.1, all others 1) until they are taught. */
export function tokenMultipliers(): TokenMultipliers {
  const learned = new Map<string, Learned>()
  return {
    of(family) {
      const known = learned.get(family)
      return known === undefined ? startOf(family) : bounded(known.reported / known.estimated)
    },
    learn(family, unscaled, reported) {
      if (!(unscaled >= SMALLEST && unscaled < Infinity && reported > 0 && reported < Infinity)) return
      const known = learned.get(family) ?? { estimated: PRIOR_TOKENS, reported: PRIOR_TOKENS * startOf(family) }
      const weight = Math.min(unscaled, HEAVIEST)
      known.estimated = known.estimated * KEPT + weight
      known.reported = known.reported * KEPT + weight * bounded(reported / unscaled)
      if (!learned.has(family) && learned.size >= MAX_FAMILIES) return
      learned.set(family, known)
    },
  }
}

/** For callers that learn nothing: never taught, so it may be shared. */
export const START_MULTIPLIERS: Pick<TokenMultipliers, 'of'> = { of: startOf }

/** Claude's older vocabulary took 1.1 times as many tokens as o200k on prose. */
function startOf(family: string): number {
  return family.startsWith('claude') ? 1.1 : 1
}

function bounded(ratio: number): number {
  return Math.min(MOST, Math.max(LEAST, ratio))
}
