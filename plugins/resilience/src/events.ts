import type { CredentialFault } from './quarantine/credential-fault.ts'
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

/** What is told of a credential: an alert, since a person has to mend it. */
export interface CredentialEvent extends GuardEvent {
  /** Plugin instance, and the upstream provider where the model's name has one, such as `provider-portkey/openai`. */
  readonly credential: string
  /** All that the credential is used for, or this one deployment, where it serves others. */
  readonly scope: 'credential' | 'deployment'
}

declare module '@switchyard/contract' {
  interface KernelEvents {
    'breaker:opened': GuardEvent & { readonly reason: string; readonly until: number }
    'breaker:half-opened': GuardEvent
    'breaker:closed': GuardEvent
    /** Calls that need it are not sent there until `until`, or until a probe was served. */
    'credential:quarantined': CredentialEvent & { readonly reason: CredentialFault; readonly until: number }
    'credential:released': CredentialEvent
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
