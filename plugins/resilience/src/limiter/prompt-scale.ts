/** Prompt lengths by the power of two above them. */
const CLASSES = 24
/** Share of a new time in an average: some six hundred count. */
const SMOOTHING = 2 / 601
/** Times that a class needs before it is believed. */
const LEAST = 20

/**
 * How much longer than usual a prompt of that length takes at a target, so that long prompts are not taken for load. Load itself
 * raises both averages alike and falls out of their ratio.
 */
export class PromptScale {
  private readonly means = new Float64Array(CLASSES)
  private readonly counts = new Uint32Array(CLASSES)
  private overall = 0
  private all = 0

  /** Learns `ms` and returns it divided by what is usual for `inputTokens`, in ms of a prompt of usual length. */
  scaled(ms: number, inputTokens: unknown): number {
    if (typeof inputTokens !== 'number' || !(inputTokens > 0)) return ms
    const length = Math.min(CLASSES - 1, Math.ceil(Math.log2(inputTokens + 1)))
    const count = (this.counts[length] as number) + 1
    this.counts[length] = count
    this.means[length] = moved(this.means[length] as number, ms, count)
    this.overall = moved(this.overall, ms, ++this.all)
    const usual = this.means[length] as number
    return count < LEAST || usual === 0 ? ms : (ms * this.overall) / usual
  }
}

function moved(mean: number, value: number, count: number): number {
  return mean + (value - mean) * Math.max(1 / count, SMOOTHING)
}
