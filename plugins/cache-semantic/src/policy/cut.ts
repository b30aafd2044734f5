/** One look-up whose truth came to be known. */
export interface Evidence {
  /** Probability that the scorer gave. */
  readonly score: number
  readonly right: boolean
  /** 1 / the probability with which it was looked at. */
  readonly weight: number
}

/** Least evidence for any cut. */
export const MIN_EVIDENCE = 100
/** Nothing below is served, whatever the evidence. */
export const MIN_SCORE = 0.5
/** Standard errors that the bound keeps off. */
const Z = 1.3

/**
 * The lowest score down to which the upper bound of the wrong answers served stays within `allowed`, a share of the look-ups that the
 * evidence is of; undefined where there is none, and then nothing is to be served. `sorted`: by `byScore`. The bound adds to the weighted
 * errors Z times the root of the squared weights of the errors and the square of the largest weight so far: without the last, few early
 * audits that found nothing would be taken for safety. `unseen`: the weight of hits that were to be looked at and were not; at least so much
 * may be wrong at once.
 */
export function cutOf(sorted: readonly Evidence[], allowed: number, unseen = 0): number | undefined {
  if (sorted.length < MIN_EVIDENCE) return undefined
  let total = 0
  for (const { weight } of sorted) total += weight
  let errors = 0
  let squares = 0
  let largest = unseen
  let cut: number | undefined
  for (let at = 0; at < sorted.length; at += 1) {
    const { score, right, weight } = sorted[at] as Evidence
    if (score < MIN_SCORE) break
    if (weight > largest) largest = weight
    if (!right) {
      errors += weight
      squares += weight * weight
    }
    // A cut serves every look-up of its score, so the bound is read at the last of them.
    if (sorted[at + 1]?.score === score) continue
    if ((errors + Z * Math.sqrt(squares + largest * largest)) / total <= allowed) cut = score
  }
  return cut
}

/** Highest score first, wrong before right. */
export function byScore(one: Evidence, other: Evidence): number {
  return other.score - one.score || Number(one.right) - Number(other.right)
}

/** The last `size` pieces of evidence, kept in order of age and of score, so that a cut costs one pass. */
export class EvidenceWindow {
  readonly #size: number
  readonly #byAge: Evidence[] = []
  readonly #byScore: Evidence[] = []

  constructor(size: number, saved: readonly Evidence[] = []) {
    this.#size = size
    for (const evidence of saved.slice(-size)) this.add(evidence)
  }

  get length(): number {
    return this.#byAge.length
  }

  /** Oldest first. */
  get oldestFirst(): readonly Evidence[] {
    return this.#byAge
  }

  /** Adds one, and drops the oldest beyond the size. */
  add(evidence: Evidence): void {
    this.#byAge.push(evidence)
    this.#byScore.splice(this.#placeOf(evidence), 0, evidence)
    if (this.#byAge.length <= this.#size) return
    const oldest = this.#byAge.shift() as Evidence
    this.#byScore.splice(this.#byScore.indexOf(oldest, this.#placeOf(oldest)), 1)
  }

  /** As `cutOf`, of the evidence held now. */
  cut(allowed: number, unseen?: number): number | undefined {
    return cutOf(this.#byScore, allowed, unseen)
  }

  /** Where the first that does not stand before it stands. */
  #placeOf(evidence: Evidence): number {
    let low = 0
    let high = this.#byScore.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (byScore(this.#byScore[middle] as Evidence, evidence) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
