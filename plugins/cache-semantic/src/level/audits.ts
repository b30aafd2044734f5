/** An audit's outcome, and 1 / the probability with which its hit was audited. */
export interface Audit {
  readonly right: boolean
  readonly weight: number
}

/** A share with its interval. */
export interface Interval {
  readonly share: number
  readonly low: number
  readonly high: number
}

/** The last audits, and what they say of all hits. */
export interface Audits {
  add(audit: Audit): void
  readonly count: number
  readonly failed: number
  /** Of the hits that the audits were drawn from; undefined before the first. */
  errorOfHits(): Interval | undefined
  /** Oldest first. */
  readonly oldestFirst: readonly Audit[]
}

/** The normal deviate of 95 %. */
const Z = 1.96

/** At most `most` audits, of which the oldest go. */
export function auditsOf(most: number, saved: readonly Audit[] = []): Audits {
  const held: Audit[] = saved.slice(-most)
  return {
    oldestFirst: held,
    add(audit) {
      held.push(audit)
      if (held.length > most) held.shift()
    },
    get count() {
      return held.length
    },
    get failed() {
      return held.reduce((sum, { right }) => sum + Number(!right), 0)
    },
    errorOfHits: () => weightedError(held),
  }
}

/**
 * The share of wrong hits by audits that were drawn with unequal probabilities: each stands for `weight` hits (Hajek's estimator), and the
 * interval is Wilson's (1927) over the effective number of audits, which is (sum of weights)^2 / sum of squared weights (Kish 1965).
 */
export function weightedError(audits: readonly Audit[]): Interval | undefined {
  let total = 0
  let squares = 0
  let wrong = 0
  for (const { right, weight } of audits) {
    total += weight
    squares += weight * weight
    if (!right) wrong += weight
  }
  return total === 0 ? undefined : wilson(wrong / total, (total * total) / squares)
}

/** Wilson's interval of 95 % for a share seen in `count` draws, which need not be whole. */
export function wilson(share: number, count: number): Interval {
  const spread = (Z * Z) / count
  const middle = (share + spread / 2) / (1 + spread)
  const reach = (Z / (1 + spread)) * Math.sqrt((share * (1 - share)) / count + spread / (4 * count))
  return { share, low: Math.max(0, Math.min(share, middle - reach)), high: Math.min(1, Math.max(share, middle + reach)) }
}

/** An interval of hits, of all requests. */
export function ofAll({ share, low, high }: Interval, hitShare: number): Interval {
  return { share: share * hitShare, low: low * hitShare, high: high * hitShare }
}
