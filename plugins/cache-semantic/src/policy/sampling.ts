/** Audits and the window, chosen together. */
export interface Sampling {
  /** Least share of hits that is audited, in (0, 1]. */
  readonly auditFloor: number
  /** Look-ups whose truth is remembered for the cut. */
  readonly window: number
}

/** What one failed audit of weight 1 adds to the bound: (1 + 1.3 sqrt 2). */
const COST_OF_A_FAILURE = 2.84
const COARSE: Sampling = { auditFloor: 0.04, window: 4_000 }
const FINE: Sampling = { auditFloor: 0.08, window: 8_000 }

/**
 * The audits and the window that go with a bound: the lightest pair under which one unlucky audit does not shut the level down, which
 * it does where 2.84 / floor is more than epsilon x window. `epsilon` in (0, 1).
 */
export function samplingFor(epsilon: number): Sampling {
  for (const sampling of [COARSE, FINE])
    if (COST_OF_A_FAILURE / sampling.auditFloor < epsilon * sampling.window) return sampling
  return { auditFloor: Math.min(1, (1.2 * COST_OF_A_FAILURE) / (epsilon * FINE.window)), window: FINE.window }
}
