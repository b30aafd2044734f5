import { type Clock, type Health, SwitchyardError, type TargetHealth } from '@switchyard/contract'
import type { Deployment } from './deployment.ts'
import type { Deployments } from './deployments.ts'
import { invalid } from './errors.ts'
import type { Fleet } from './fleet.ts'
import { tally } from './sample-window.ts'
import type { Transitions } from './transitions.ts'

export interface HealthPortParts {
  readonly shared: boolean
  readonly deployments: Deployments
  readonly transitions: Transitions
  readonly fleet: Fleet
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
}

/** Port `health` over what was observed. `disable` rejects `OVERLOADED` where `maxDeployments` are disabled already. */
export function healthPort({ shared, deployments, transitions, fleet, clock }: HealthPortParts): Health {
  const began = clock.now()

  function known(deployment: Deployment, now: number): TargetHealth {
    transitions.settle(deployment, now)
    const { name, standing, changedAt, inFlight, streamed, whole, samples } = deployment
    const { good, bad } = tally(samples, now)
    return {
      deployment: name,
      state: standing.state,
      since: changedAt,
      reason: standing.reason,
      weight: transitions.weight(deployment, now),
      inFlight,
      firstTokenMs: streamed.peakMs ?? whole.peakMs,
      successRate: good + bad === 0 ? undefined : good / (good + bad),
    }
  }

  async function decide(
    name: string,
    disabled: boolean,
    given: { readonly by: string; readonly reason: string },
  ): Promise<void> {
    const { by, reason } = given
    if (name === '') throw invalid('name the deployment, as health().list() does')
    if (by.trim() === '') throw invalid(`say in \`by\` who changes ${name}`)
    if (reason.trim() === '') throw invalid(`say in \`reason\` why ${name} is changed`)
    const deployment = deployments.obtain(name, clock.monotonic())
    if (deployment === undefined) {
      throw new SwitchyardError('OVERLOADED', `${deployments.size} deployments are disabled, which is maxDeployments; raise it`)
    }
    await fleet.decide(deployment, { disabled, by, reason })
  }

  return {
    capabilities: Object.freeze({ shared }),
    of(name) {
      const deployment = deployments.get(name)
      if (deployment === undefined) return unknown(name, began)
      const now = clock.monotonic()
      deployment.usedAt = now
      return known(deployment, now)
    },
    list() {
      const now = clock.monotonic()
      const all = Array.from(deployments.values(), (deployment) => known(deployment, now))
      return all.sort((a, b) => (a.deployment < b.deployment ? -1 : 1))
    },
    history(name) {
      const deployment = deployments.get(name)
      if (deployment === undefined) return []
      transitions.settle(deployment, clock.monotonic())
      return deployment.history
    },
    disable: (name, change) => decide(name, true, change),
    enable: (name, change) => decide(name, false, change),
  }
}

function unknown(deployment: string, since: number): TargetHealth {
  return {
    deployment,
    state: 'healthy',
    since,
    reason: '',
    weight: 1,
    inFlight: 0,
    firstTokenMs: undefined,
    successRate: undefined,
  }
}
