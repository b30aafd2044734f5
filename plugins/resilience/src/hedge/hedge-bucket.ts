/** Hedges that may be saved up: a target that turns slow all at once is not sent everything twice. */
const MOST = 10

/** Which share of calls may be hedged: each call pays in its share of a token, a hedge takes a whole one. */
export class HedgeBucket {
  private readonly ratio: number
  private tokens = 0

  /** `ratio` is in (0, 1]. */
  constructor(ratio: number) {
    this.ratio = ratio
  }

  /** A call that could be hedged went out. */
  pay(): void {
    this.tokens = Math.min(MOST, this.tokens + this.ratio)
  }

  /** Takes a token if there is one. */
  take(): boolean {
    // A sum of shares such as 0.05 may fall short of 1 by its rounding.
    if (this.tokens < 1 - 1e-9) return false
    this.tokens = Math.max(0, this.tokens - 1)
    return true
  }
}
