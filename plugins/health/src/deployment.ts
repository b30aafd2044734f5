import type { HealthChange } from '@switchyard/contract'
import { emptyLane, type Lane, newLife } from './latency.ts'
import type { Pool } from './pools.ts'
import { emptyWindow, type SampleWindow, sampleWindow } from './sample-window.ts'
import { type Standing, wellSince } from './standing.ts'

/** What another node said of a deployment last. */
export interface Hint {
  readonly version: number
  /** Factor on the weight, in (0, 1]. */
  readonly factor: number
  /** Monotonic ms. */
  readonly until: number
}

/** What a person decided last; the newer one counts, and of two at once that of the greater node. */
export interface Verdict {
  readonly disabled: boolean
  readonly by: string
  readonly reason: string
  /** Epoch ms of the deciding node, later than any verdict that it knew. */
  readonly at: number
  readonly node: string
}

/** All that is known of one deployment at this node. */
export interface Deployment {
  readonly name: string
  standing: Standing
  /** Epoch ms. */
  changedAt: number
  /** Newest first. */
  history: readonly HealthChange[]
  inFlight: number
  /** Failures in a row. */
  consecutive: number
  /** Refusals for a limit, without a word on when, since the last success. */
  refusals: number
  /** Failed probes in a row. */
  failedProbes: number
  /** One call has ended well: it is no invention of a client. */
  proven: boolean
  /** Counted up where earlier attempts say nothing any more. */
  life: number
  readonly samples: SampleWindow
  readonly streamed: Lane
  readonly whole: Lane
  /** Monotonic ms of the last attempt; -Infinity before the first. */
  calledAt: number
  /** Monotonic ms of the last use of any kind, questions included. */
  usedAt: number
  readonly pools: Set<Pool>
  /** That of its last attempt. */
  pool: Pool | undefined
  /** By node. */
  hints: Map<string, Hint> | undefined
  verdict: Verdict | undefined
  /** Monotonic ms of its next probe; undefined while it is not to be probed. */
  probeAt: number | undefined
}

/** A deployment of which nothing is known yet. */
export function newDeployment(name: string, now: number, epochNow: number, windowMs: number): Deployment {
  return {
    name,
    standing: wellSince(now),
    changedAt: epochNow,
    history: [],
    inFlight: 0,
    consecutive: 0,
    refusals: 0,
    failedProbes: 0,
    proven: false,
    life: 0,
    samples: sampleWindow(windowMs),
    streamed: emptyLane(windowMs),
    whole: emptyLane(windowMs),
    calledAt: Number.NEGATIVE_INFINITY,
    usedAt: now,
    pools: new Set(),
    pool: undefined,
    hints: undefined,
    verdict: undefined,
    probeAt: undefined,
  }
}

/** Begins to judge anew; what is usual for it stays known. */
export function beginLife(deployment: Deployment): void {
  deployment.life += 1
  deployment.consecutive = 0
  deployment.refusals = 0
  deployment.failedProbes = 0
  emptyWindow(deployment.samples)
  newLife(deployment.streamed)
  newLife(deployment.whole)
}
