import type { Deployment } from './deployment.ts'
import type { Deployments } from './deployments.ts'
import type { Findings } from './findings.ts'
import type { Fleet } from './fleet.ts'
import { type Lane, overdue } from './latency.ts'
import type { Transitions } from './transitions.ts'

export interface ReviewParts {
  readonly deployments: Deployments
  readonly transitions: Transitions
  readonly findings: Findings
  readonly fleet: Fleet
  /** Whether there are other nodes to tell. */
  readonly shared: boolean
  readonly windowMs: number
}

/** Makes the review of all deployments that each round does: what time alone shows. True while another one is needed. */
export function reviewer({
  deployments,
  transitions,
  findings,
  fleet,
  shared,
  windowMs,
}: ReviewParts): (now: number) => boolean {
  let comparedAt = Number.NEGATIVE_INFINITY

  function look(deployment: Deployment, lane: Lane, now: number): void {
    if (overdue(lane, now)) findings.waits(deployment, lane, now)
  }

  function needsMore({ standing, calledAt, streamed, whole }: Deployment, now: number): boolean {
    if (standing.state === 'disabled') return shared
    if (standing.state !== 'healthy' || now - calledAt < 2 * windowMs) return true
    return streamed.oldest !== undefined || whole.oldest !== undefined
  }

  return (now) => {
    let more = false
    for (const deployment of deployments.values()) {
      transitions.settle(deployment, now)
      look(deployment, deployment.streamed, now)
      look(deployment, deployment.whole, now)
      if (needsMore(deployment, now)) more = true
    }
    if (now - comparedAt >= windowMs) {
      comparedAt = now
      findings.peers(now)
    }
    void fleet.round(now)
    return more
  }
}
