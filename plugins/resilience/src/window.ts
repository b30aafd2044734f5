/**
 * Counts of the last `lengthMs`, of several kinds at once, in slices worked out from the time of each event: idle time empties it
 * without a timer. What it holds is between `lengthMs` less one slice and `lengthMs` old.
 */
export class SlidingWindow {
  private readonly sliceMs: number
  private readonly slices: number
  private readonly kinds: number
  private readonly counts: Float64Array
  private readonly sums: Float64Array
  private slice = Number.NEGATIVE_INFINITY

  constructor(lengthMs: number, slices: number, kinds: number) {
    this.sliceMs = lengthMs / slices
    this.slices = slices
    this.kinds = kinds
    this.counts = new Float64Array(slices * kinds)
    this.sums = new Float64Array(kinds)
  }

  add(kind: number, now: number): void {
    this.advance(now)
    const at = (this.slice % this.slices) * this.kinds + kind
    this.counts[at] = (this.counts[at] as number) + 1
    this.sums[kind] = (this.sums[kind] as number) + 1
  }

  count(kind: number, now: number): number {
    this.advance(now)
    return this.sums[kind] as number
  }

  clear(): void {
    this.counts.fill(0)
    this.sums.fill(0)
  }

  /** A clock that went back leaves the newest slice the present one. */
  private advance(now: number): void {
    const slice = Math.floor(now / this.sliceMs)
    if (slice <= this.slice) return
    if (slice - this.slice >= this.slices) this.clear()
    else for (let passed = this.slice + 1; passed <= slice; passed++) this.drop((passed % this.slices) * this.kinds)
    this.slice = slice
  }

  private drop(from: number): void {
    for (let kind = 0; kind < this.kinds; kind++) {
      this.sums[kind] = (this.sums[kind] as number) - (this.counts[from + kind] as number)
      this.counts[from + kind] = 0
    }
  }
}
