/** Buckets a doubling: a quantile read from them is at most a fifth too high. */
const PER_DOUBLING = 4
const BUCKETS = 24 * PER_DOUBLING
/** Answers after which all counts are halved, so that what is known follows what is asked. */
const HALVED_AT = 1_000
/** Answers that must be known before their quantiles are believed. */
const LEAST = 20

/** How many output tokens a model's answers to one key have: a decaying histogram in constant space. */
export class OutputLengths {
  #counts: Uint32Array | undefined
  #seen = 0
  #sum = 0
  #squares = 0
  #p90: number | undefined

  add(tokens: number): void {
    this.#counts ??= new Uint32Array(BUCKETS)
    const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log2(tokens + 1) * PER_DOUBLING))
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#seen += 1
    this.#sum += tokens
    this.#squares += tokens * tokens
    this.#p90 = undefined
    if (this.#seen < HALVED_AT) return
    this.#seen = 0
    for (let index = 0; index < BUCKETS; index++) {
      const half = (this.#counts[index] as number) >> 1
      this.#counts[index] = half
      this.#seen += half
    }
    this.#sum *= this.#seen / HALVED_AT
    this.#squares *= this.#seen / HALVED_AT
  }

  /**
   * Tokens that an answer has as a rule that is under way at a moment: more than the mean, since it is the long ones that a moment finds
   * under way. Rounded up; undefined before 20 were seen.
   */
  underWay(): number | undefined {
    if (this.#seen < LEAST) return undefined
    return this.#sum === 0 ? 0 : Math.ceil(this.#squares / this.#sum)
  }

  /** Tokens that nine answers of ten do not pass; undefined before 20 were seen. */
  p90(): number | undefined {
    if (this.#seen < LEAST || this.#counts === undefined) return undefined
    if (this.#p90 !== undefined) return this.#p90
    let left = Math.ceil(this.#seen * 0.9)
    let bucket = 0
    while (bucket < BUCKETS - 1) {
      left -= this.#counts[bucket] as number
      if (left <= 0) break
      bucket += 1
    }
    this.#p90 = Math.ceil(2 ** ((bucket + 1) / PER_DOUBLING) - 1)
    return this.#p90
  }
}
