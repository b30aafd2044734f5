import type { Clock } from '@switchyard/contract'
import { type Deployment, newDeployment } from './deployment.ts'

export interface DeploymentsOptions {
  readonly maxDeployments: number
  readonly windowMs: number
  readonly clock: Pick<Clock, 'now'>
  /** Told of each that goes. */
  readonly onForget: (deployment: Deployment) => void
}

/** Every deployment that is known, at most so many. */
export interface Deployments {
  readonly size: number
  get(name: string): Deployment | undefined
  /**
   * Finds it or makes it. Where there is no room the one used longest ago goes: first of those that never served, then of those that
   * are well. What a person disabled never goes: undefined where there is nothing else.
   */
  obtain(name: string, now: number): Deployment | undefined
  values(): Iterable<Deployment>
}

/** Makes an empty book of deployments. */
export function bookOfDeployments({ maxDeployments, windowMs, clock, onForget }: DeploymentsOptions): Deployments {
  const known = new Map<string, Deployment>()

  function makeRoom(): boolean {
    let victim: Deployment | undefined
    let victimTier = 4
    for (const deployment of known.values()) {
      const tier = tierOf(deployment)
      const sooner = victim === undefined || tier < victimTier || (tier === victimTier && deployment.usedAt < victim.usedAt)
      if (tier < 4 && sooner) {
        victim = deployment
        victimTier = tier
      }
    }
    if (victim === undefined) return false
    known.delete(victim.name)
    onForget(victim)
    return true
  }

  return {
    get size() {
      return known.size
    },
    get: (name) => known.get(name),
    obtain(name, now) {
      const found = known.get(name)
      if (found !== undefined) {
        found.usedAt = now
        return found
      }
      if (known.size >= maxDeployments && !makeRoom()) return undefined
      const deployment = newDeployment(name, now, clock.now(), windowMs)
      known.set(name, deployment)
      return deployment
    },
    values: () => known.values(),
  }
}

/** Lower goes first; 4 never. A client may invent names of models, which must not push out what is known of the real ones. */
function tierOf({ standing, proven, inFlight }: Deployment): number {
  if (standing.state === 'disabled') return 4
  if (standing.state !== 'healthy') return 3
  if (inFlight > 0) return 2
  return proven ? 1 : 0
}
