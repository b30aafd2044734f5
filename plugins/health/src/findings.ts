import type { Clock, SwitchyardError } from '@switchyard/contract'
import type { Deployment } from './deployment.ts'
import { type Lane, slowness, waiting } from './latency.ts'
import type { HealthOptions } from './options.ts'
import { outliers } from './peers.ts'
import type { Pools } from './pools.ts'
import { leastQuota } from './quota.ts'
import { tally } from './sample-window.ts'
import type { Transitions } from './transitions.ts'

export interface FindingsOptions {
  readonly options: HealthOptions
  readonly pools: Pools
  readonly transitions: Transitions
  readonly clock: Pick<Clock, 'now'>
  readonly random: () => number
}

/** Judges what was observed, and hands findings to the state machine. Times are monotonic milliseconds. */
export interface Findings {
  /** After a failure. */
  failures(deployment: Deployment, now: number): void
  /** After a slow reply. */
  slow(deployment: Deployment, lane: Lane, now: number): void
  /** While calls wait longer than is usual. */
  waits(deployment: Deployment, lane: Lane, now: number): void
  /** After a refusal for a limit. */
  limited(deployment: Deployment, error: SwitchyardError, now: number): void
  /** After a reply with headers. */
  quota(deployment: Deployment, headers: Readonly<Record<string, string>>, now: number): void
  /** After a probe. */
  probed(deployment: Deployment, well: boolean, now: number): void
  /** Compares the deployments of each pool. */
  peers(now: number): void
}

/** @see Findings */
export function findings({ options, pools, transitions, clock, random }: FindingsOptions): Findings {
  const { failures, latency, rateLimit, degradedWeight, degradedHoldMs } = options
  const short = Math.max(1, Math.ceil(failures.consecutive / 2))

  function failed(deployment: Deployment, reason: string, now: number): void {
    const { state } = deployment.standing
    if (state === 'ejected' || state === 'disabled') return
    const spared = pools.spares(deployment, now, false)
    transitions.apply(deployment, { type: 'failed', reason, spared, jitter: random() }, now)
  }

  function cool(deployment: Deployment, reason: string, forMs: number, now: number): void {
    const spared = pools.spares(deployment, now, true)
    transitions.apply(deployment, { type: 'cooled', reason, forMs, spared }, now)
  }

  function burden(deployment: Deployment, reason: string, now: number): void {
    const event = { type: 'burdened', cause: 'slow', weight: degradedWeight, forMs: degradedHoldMs, reason } as const
    transitions.apply(deployment, event, now)
  }

  return {
    failures(deployment, now) {
      if (deployment.standing.state === 'ejected') {
        transitions.apply(deployment, { type: 'failed', reason: '', spared: undefined, jitter: 0 }, now)
        return
      }
      const bound = deployment.standing.state === 'recovering' ? short : failures.consecutive
      if (deployment.consecutive >= bound) return failed(deployment, `${deployment.consecutive} failures in a row`, now)
      const reason = rate(failures.shortMs) ?? rate(failures.windowMs)
      if (reason !== undefined) failed(deployment, reason, now)

      function rate(spanMs: number): string | undefined {
        const { good, bad } = tally(deployment.samples, now, spanMs)
        const all = good + bad
        if (all < failures.minSamples || bad < failures.share * all) return undefined
        return `${bad} of ${all} attempts failed within ${spanMs} ms`
      }
    },

    slow(deployment, lane, now) {
      const reason = slowness(lane, now, failures.windowMs, latency)
      if (reason === undefined) return
      const { ejectAfterMs } = latency
      const lasts = ejectAfterMs !== false && lane.slowSince !== undefined && now - lane.slowSince >= ejectAfterMs
      if (lasts) failed(deployment, `${reason}, for ${ejectAfterMs} ms`, now)
      else burden(deployment, reason, now)
    },

    waits(deployment, lane, now) {
      const found = waiting(lane, now, latency)
      if (found === undefined || lane.oldest === undefined) return
      const reason = `no reply for ${Math.round(now - lane.oldest.startedAt)} ms, while several calls wait`
      if (found === 'stalled') failed(deployment, reason, now)
      else burden(deployment, reason, now)
    },

    limited(deployment, error, now) {
      const { retryAfterMs: asked } = error
      if (asked === undefined || !(asked > 0)) {
        deployment.refusals += 1
        const { refusals } = deployment
        // One that refuses everything gets no better by a smaller share, and each of its refusals costs a call another attempt.
        if (refusals >= failures.consecutive) {
          const reason = `it refused ${refusals} attempts in a row for a limit and stated no delay`
          return cool(deployment, reason, rateLimit.withoutDelayMs, now)
        }
        const reason = 'it refused for a limit and stated no delay'
        const event = { type: 'burdened', cause: 'limited', weight: degradedWeight, reason } as const
        return transitions.apply(deployment, { ...event, forMs: rateLimit.withoutDelayMs }, now)
      }
      const forMs = Math.min(asked, rateLimit.maxCooldownMs)
      cool(deployment, `it refused for a limit and asked to wait ${Math.round(asked)} ms`, forMs, now)
    },

    quota(deployment, headers, now) {
      const quota = leastQuota(headers, clock.now(), rateLimit.maxCooldownMs)
      if (quota === undefined) return
      const { left, of, resetMs } = quota
      if (left >= rateLimit.lowShare) {
        if (!deployment.standing.burdens.some(({ cause }) => cause === 'quota')) return
        return transitions.apply(deployment, { type: 'relieved', cause: 'quota', reason: `${of} are left again` }, now)
      }
      const forMs = resetMs ?? rateLimit.withoutDelayMs
      if (forMs <= 0) return
      if (left === 0 && resetMs !== undefined)
        return cool(deployment, `no ${of} are left for ${Math.round(forMs)} ms`, forMs, now)
      const reason = `${percent(left)} of its ${of} are left`
      const weight = Math.max(degradedWeight / 10, degradedWeight * (left / rateLimit.lowShare))
      transitions.apply(deployment, { type: 'burdened', cause: 'quota', weight, forMs, reason }, now)
    },

    probed(deployment, well, now) {
      deployment.failedProbes = well ? 0 : deployment.failedProbes + 1
      if (deployment.standing.state === 'ejected') return transitions.apply(deployment, { type: 'probed', well }, now)
      if (deployment.failedProbes < options.probes.failures) return
      failed(deployment, `${deployment.failedProbes} probes failed in a row`, now)
    },

    peers(now) {
      for (const pool of pools.all()) {
        for (const { deployment, reason } of outliers(pool, now, options.peers)) failed(deployment, reason, now)
      }
    },
  }
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`
}
