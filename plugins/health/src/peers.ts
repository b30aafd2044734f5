import type { Deployment } from './deployment.ts'
import type { PeerOptions } from './options.ts'
import type { Pool } from './pools.ts'
import { tally } from './sample-window.ts'

/** A deployment that fails more than the others of its pool. */
export interface Outlier {
  readonly deployment: Deployment
  readonly reason: string
}

/**
 * Those whose success rate is both `deviations` standard deviations and `minGap` below the mean of their pool. Without the second
 * bound one of five at 99.9 % beside four at 100 % would be an outlier: it is two deviations away whatever its distance.
 */
export function outliers(pool: Pool, now: number, options: PeerOptions): readonly Outlier[] {
  if (pool.members.size < options.minTargets) return []
  const rates: { readonly deployment: Deployment; readonly rate: number }[] = []
  for (const deployment of pool.members) {
    const { state } = deployment.standing
    if (state === 'ejected' || state === 'disabled') continue
    const { good, bad } = tally(deployment.samples, now)
    if (good + bad >= options.minSamples) rates.push({ deployment, rate: good / (good + bad) })
  }
  if (rates.length < options.minTargets) return []
  const mean = rates.reduce((sum, { rate }) => sum + rate, 0) / rates.length
  const variance = rates.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / rates.length
  const bound = mean - Math.max(options.minGap, options.deviations * Math.sqrt(variance))
  return rates
    .filter(({ rate }) => rate < bound)
    .map(({ deployment, rate }) => ({
      deployment,
      reason: `${percent(rate)} of its attempts end well, ${percent(mean)} do in its pool`,
    }))
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`
}
