import type { PressureLevel } from './shed/pressure.ts'
import type { Refused } from './shed/refusal-tally.ts'

/** What a guard of one target tells of. */
export interface GuardEvent {
  /** Plugin instance. */
  readonly plugin: string
  readonly operation: string
  /** As `deploymentOf` gives it. */
  readonly deployment: string
  /** Epoch ms. */
  readonly at: number
}

declare module '@switchyard/contract' {
  interface KernelEvents {
    'breaker:opened': GuardEvent & { readonly reason: string; readonly until: number }
    'breaker:half-opened': GuardEvent
    'breaker:closed': GuardEvent
    /** A call was refused because slots and queue were full; again only after the queue has been empty. */
    'bulkhead:filled': GuardEvent & { readonly inUse: number; readonly waiting: number }
    'bulkhead:cleared': GuardEvent
    /** The retries of one target were used up; again only after one was let through. */
    'retry-budget:drained': GuardEvent
    'retry-budget:refilled': GuardEvent
    /** The node sheds more, or less, than before. */
    'shed:changed': { readonly plugin: string; readonly at: number; readonly from: PressureLevel; readonly to: PressureLevel }
    /** Calls that were shed since `since`, by class; once a second at most. */
    'shed:refused': { readonly plugin: string; readonly at: number; readonly since: number } & Refused
  }
}
