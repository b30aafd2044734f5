/** One look at the process, after a collection of garbage. */
export interface SoakSample {
  readonly calls: number
  readonly heapBytes: number
}

/** Bytes a call by which the heap grows: the slope of the least squares through the samples. NaN for fewer than two. */
export function heapSlope(samples: readonly SoakSample[]): number {
  const mean = (of: (sample: SoakSample) => number): number => samples.reduce((sum, each) => sum + of(each), 0) / samples.length
  const calls = mean((sample) => sample.calls)
  const heap = mean((sample) => sample.heapBytes)
  let covariance = 0
  let variance = 0
  for (const sample of samples) {
    covariance += (sample.calls - calls) * (sample.heapBytes - heap)
    variance += (sample.calls - calls) ** 2
  }
  return samples.length < 2 ? Number.NaN : covariance / variance
}
