/** How the prompts that a router was fitted on look to it: mean and deviation of held-out evidence. */
export interface EvidenceNorm {
  readonly mean: number
  readonly deviation: number
}

/** What a guard promises and by what. */
export interface TrafficGuardOptions {
  /** Of the reference's quality. */
  readonly targetQuality: number
  readonly norm: EvidenceNorm
}

/** Watches traffic that a router was perhaps not fitted for. One per artefact and route; holds no prompt. */
export interface TrafficGuard {
  /** Notes a prompt's evidence, routed or not. */
  observe(evidence: number): void
  /** Notes a shadowed call, answered by the policy's arm and by the reference: both scores, 0 to 1. */
  pair(quality: number, referenceQuality: number): void
  /** Whether the policy may be used now; where not, the reference answers and the reason says why. */
  verdict(): GuardVerdict
}

/** Whether a policy may be used: `other-traffic` until shadows certify it, `below-target` once shadows show it. */
export type GuardVerdict = 'open' | 'other-traffic' | 'below-target'

const WINDOW = 100
const DRIFT_ERRORS = 4
const ERROR_RATE = 0.05
/** Pairs by which the confidence sequence is tightest. */
const TUNED_PAIRS = 400

/**
 * Two alarms. The first compares the mean evidence of the last 100 prompts with the fitted rows' (4 standard errors below: other
 * traffic), and needs no answers. The second holds a confidence sequence over shadowed pairs, valid at any time at 5 % (normal
 * mixture: Robbins 1970; Howard et al. 2021): it shuts the policy once its upper end is below the target, and opens other traffic
 * once its lower end is not. Deterministic; constant memory.
 */
export function trafficGuard({ targetQuality, norm }: TrafficGuardOptions): TrafficGuard {
  const recent = new Float64Array(WINDOW)
  const least = norm.mean - (DRIFT_ERRORS * norm.deviation) / Math.sqrt(WINDOW)
  let seen = 0
  let sum = 0
  let other = false
  let pairs = 0
  let differences = 0
  let squares = 0
  let below = false
  return {
    observe(evidence) {
      const slot = seen % WINDOW
      sum += evidence - (recent[slot] as number)
      recent[slot] = evidence
      seen += 1
      if (seen >= WINDOW && sum / WINDOW < least) other = true
    },
    pair(quality, referenceQuality) {
      const difference = quality - targetQuality * referenceQuality
      pairs += 1
      differences += difference
      squares += difference * difference
      const half = halfWidth(pairs, squares)
      if (differences / pairs + half < 0) below = true
      else if (differences / pairs - half >= 0) {
        below = false
        other = false
        seen = 0
        sum = 0
        recent.fill(0)
      }
    },
    verdict: () => (below ? 'below-target' : other ? 'other-traffic' : 'open'),
  }
}

/** Half the width of the confidence sequence of the mean after so many pairs. */
function halfWidth(pairs: number, squares: number): number {
  const variance = (squares + 1) / pairs
  const prior = TUNED_PAIRS / (2 * Math.log(1 / ERROR_RATE))
  return Math.sqrt(
    variance * ((pairs + prior) / (pairs * pairs)) * Math.log((pairs + prior) / (prior * ERROR_RATE * ERROR_RATE)),
  )
}
