/** Buckets for each doubling of the time: a quantile is right to one part in eleven. */
const PER_OCTAVE = 8
/** Up to 2^20 ms, which is 17 minutes. */
const BUCKETS = 20 * PER_OCTAVE
/** Times are kept for one to two of these. */
const KEPT_MS = 60_000
/** Quantiles are worked out anew after so many times. */
const STALE_AFTER = 32

const P50 = 0
const P95 = 1
const QUANTILES = [0.5, 0.95] as const

/** How long one target took to its first reply, lately: counts by the logarithm of the time. */
export class FirstReplyTimes {
  private present: Uint32Array | undefined = undefined
  private former: Uint32Array | undefined = undefined
  private presentCount = 0
  private formerCount = 0
  private since = Number.NEGATIVE_INFINITY
  private stale = 0
  private readonly known: [number, number] = [0, 0]

  record(ms: number, now: number): void {
    this.turn(now)
    this.present ??= new Uint32Array(BUCKETS)
    const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log2(Math.max(0, ms) + 1) * PER_OCTAVE))
    this.present[bucket] = (this.present[bucket] as number) + 1
    this.presentCount++
    this.stale--
  }

  count(now: number): number {
    this.turn(now)
    return this.presentCount + this.formerCount
  }

  /** Upper bound of the median, in ms; undefined with fewer than `least` times. */
  p50(now: number, least: number): number | undefined {
    return this.quantile(P50, now, least)
  }

  /** Upper bound of the 95th percentile, in ms; undefined with fewer than `least` times. */
  p95(now: number, least: number): number | undefined {
    return this.quantile(P95, now, least)
  }

  private quantile(which: 0 | 1, now: number, least: number): number | undefined {
    const total = this.count(now)
    if (total < Math.max(1, least)) return undefined
    if (this.stale <= 0) {
      this.workOut(total)
      this.stale = STALE_AFTER
    }
    return this.known[which]
  }

  private workOut(total: number): void {
    let seen = 0
    let which = 0
    for (let bucket = 0; bucket < BUCKETS && which < QUANTILES.length; bucket++) {
      seen += (this.present?.[bucket] ?? 0) + (this.former?.[bucket] ?? 0)
      while (which < QUANTILES.length && seen >= total * (QUANTILES[which] as number)) {
        this.known[which as 0 | 1] = 2 ** ((bucket + 1) / PER_OCTAVE) - 1
        which++
      }
    }
  }

  private turn(now: number): void {
    const passed = now - this.since
    if (passed < KEPT_MS) return
    const kept = passed < 2 * KEPT_MS
    const emptied = this.former
    this.former = kept ? this.present : undefined
    this.formerCount = kept ? this.presentCount : 0
    this.present = kept ? emptied?.fill(0) : undefined
    this.presentCount = 0
    this.since = now
    this.stale = 0
  }
}
