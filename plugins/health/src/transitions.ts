import type { Clock, HealthChange, Logger } from '@switchyard/contract'
import { beginLife, type Deployment } from './deployment.ts'
import { type Standing, type StandingEvent, type StandingRules, step, weightOf } from './standing.ts'

export interface TransitionsOptions {
  readonly rules: StandingRules
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly historySize: number
  readonly log: Pick<Logger, 'info' | 'warn'>
  /** Told of each change of state, after it is done. */
  readonly onChange: (deployment: Deployment, change: HealthChange) => void
}

/** Moves deployments from state to state, and keeps the record. */
export interface Transitions {
  /** Does what is due by time alone. */
  settle(deployment: Deployment, now: number): void
  /** Settles, then applies an event. `by` is the person behind it. */
  apply(deployment: Deployment, event: StandingEvent, now: number, by?: string): void
  /** Weight by its standing here. */
  own(deployment: Deployment, now: number): number
  /** The same, lowered by what other nodes hint. */
  weight(deployment: Deployment, now: number): number
}

const PASSED: StandingEvent = { type: 'passed' }

/** What hints together can lower a weight to. */
const LEAST_FACTOR = 0.1

/** @see Transitions */
export function transitions({ rules, clock, historySize, log, onChange }: TransitionsOptions): Transitions {
  function settle(deployment: Deployment, now: number): void {
    const { standing } = deployment
    // The common case costs two comparisons.
    if (now < standing.until && standing.ejections === 0) return
    for (let before = standing; ; ) {
      const after = step(before, PASSED, now, rules)
      if (after === before) return
      move(deployment, before, after, now, undefined)
      before = after
    }
  }

  function move(deployment: Deployment, from: Standing, to: Standing, now: number, by: string | undefined): void {
    deployment.standing = to
    if (from.state === to.state) return
    if ((to.state === 'ejected' && !to.cooling) || to.state === 'recovering') beginLife(deployment)
    const at = clock.now() - (now - to.since)
    deployment.changedAt = at
    const change: HealthChange = {
      deployment: deployment.name,
      from: from.state,
      to: to.state,
      reason: to.reason,
      at,
      ...(by === undefined ? {} : { by }),
    }
    deployment.history = [change, ...deployment.history.slice(0, historySize - 1)]
    const worse = to.state === 'ejected' || to.state === 'disabled'
    log[worse ? 'warn' : 'info'](change, `${deployment.name} is ${to.state}: ${to.reason}`)
    onChange(deployment, change)
  }

  return {
    settle,

    apply(deployment, event, now, by) {
      settle(deployment, now)
      const before = deployment.standing
      const after = step(before, event, now, rules)
      if (after === before) return
      move(deployment, before, after, now, by)
      if (event.type === 'enabled') beginLife(deployment)
    },

    own: (deployment, now) => weightOf(deployment.standing, now, rules),

    weight(deployment, now) {
      const own = weightOf(deployment.standing, now, rules)
      return deployment.hints === undefined || own === 0 ? own : own * hinted(deployment, now)
    },
  }
}

function hinted(deployment: Deployment, now: number): number {
  const { hints } = deployment
  if (hints === undefined) return 1
  let factor = 1
  for (const [node, hint] of hints) {
    if (hint.until > now) factor *= hint.factor
    else hints.delete(node)
  }
  if (hints.size === 0) deployment.hints = undefined
  return Math.max(LEAST_FACTOR, factor)
}
