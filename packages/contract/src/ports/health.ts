import { definePort, type Port } from '../port.ts'

/**
 * `healthy` serves. `degraded` serves, below its usual. `ejected` is left out for a time. `recovering` is coming back, with a growing
 * weight. `disabled` was taken out by a person.
 */
export type HealthState = 'healthy' | 'degraded' | 'ejected' | 'recovering' | 'disabled'

/** What is known of one deployment now. */
export interface TargetHealth {
  /** As `deploymentOf` gives it. */
  readonly deployment: string
  readonly state: HealthState
  /** Epoch ms of the last change. */
  readonly since: number
  /** Why it is in that state, for people; empty while nothing has happened. */
  readonly reason: string
  /** Share of its usual traffic that it should get, in [0, 1]. */
  readonly weight: number
  /** Attempts under way, streams included, at this node. */
  readonly inFlight: number
  /** Peak-sensitive moving average of the time to the first content, in ms; undefined before the first sample. */
  readonly firstTokenMs: number | undefined
  /** Share of attempts that ended well in the present window, in [0, 1]; undefined without samples. */
  readonly successRate: number | undefined
}

export interface HealthChange {
  readonly deployment: string
  readonly from: HealthState
  readonly to: HealthState
  readonly reason: string
  /** Epoch ms. */
  readonly at: number
  /** Who did it, where a person or another node did. */
  readonly by?: string | undefined
}

/** What is known of each deployment, from live traffic and probes. Reads are synchronous: routing asks on every call. */
export interface Health {
  readonly capabilities: {
    /** Nodes tell each other. */
    readonly shared: boolean
  }
  /** As it is now; what is given does not change later. A deployment that nobody has called yet is `healthy` with weight 1. */
  of(deployment: string): TargetHealth
  /** All that were seen, in order of their names. */
  list(): readonly TargetHealth[]
  /** Newest first. */
  history(deployment: string): readonly HealthChange[]
  /** Takes a deployment out until `enable`, at every node. `INVALID_REQUEST` without a deployment, `by` or `reason`, here and below. */
  disable(deployment: string, change: { readonly by: string; readonly reason: string }): Promise<void>
  /** Lets it serve again, at full weight, also one that was ejected. Of one that is healthy nothing changes. */
  enable(deployment: string, change: { readonly by: string; readonly reason: string }): Promise<void>
}

export const health: Port<Health> = definePort<Health>('health', 1)
