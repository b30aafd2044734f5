/** Bounds of a mean that hold at every moment at once, so that one may look after each observation. */
export interface Bounds {
  readonly lower: number
  readonly upper: number
}

const STEPS = 50

/**
 * Bounds of the mean of observations in [0, 1], of which `count` summed to `sum`, each wrong at any time with a chance of `risk` at
 * most: a uniform mixture of likelihood ratios (Robbins 1970), which by convexity holds for any bounded observations.
 */
export function boundsOf(sum: number, count: number, risk: number): Bounds {
  if (count === 0) return { lower: 0, upper: 1 }
  const limit = Math.log(1 / risk)
  const mixture = logBeta(sum + 1, count - sum + 1)
  const against = (mean: number): number =>
    mixture - (sum === 0 ? 0 : sum * Math.log(mean)) - (sum === count ? 0 : (count - sum) * Math.log1p(-mean))
  const middle = sum / count
  return {
    lower: sum === 0 ? 0 : bisect(0, middle, (mean) => against(mean) < limit),
    upper: sum === count ? 1 : bisect(1, middle, (mean) => against(mean) < limit),
  }
}

/** The mean nearest to `outside` that the observations do not speak against. */
function bisect(outside: number, inside: number, stands: (mean: number) => boolean): number {
  let out = outside
  let within = inside
  for (let step = 0; step < STEPS; step++) {
    const middle = (out + within) / 2
    if (stands(middle)) within = middle
    else out = middle
  }
  return out
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b)
}

/** For x >= 1: Stirling's series after a shift to x >= 8, exact to some 1e-12. */
function logGamma(x: number): number {
  let shift = 0
  let at = x
  for (; at < 8; at += 1) shift -= Math.log(at)
  const inverse = 1 / (at * at)
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / at
  return shift + (at - 0.5) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + series
}
