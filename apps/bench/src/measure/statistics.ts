/** The middle value; of an even count, the mean of the two. NaN for none. */
export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** Linear interpolation between closest ranks, `rank` in [0, 100]. NaN for no values. */
export function percentile(values: readonly number[], rank: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const position = ((sorted.length - 1) * rank) / 100
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}
