export type { CredentialEvent, GuardEvent } from './events.ts'
export {
  type FleetSettings,
  type Given,
  type OperationInput,
  type ResilienceInput,
  type ResilienceOptions,
  resilienceOptions,
} from './options.ts'
export { resilience } from './plugin.ts'
export type { CredentialFault } from './quarantine/credential-fault.ts'
export type {
  AttemptSettings,
  BreakerSettings,
  BulkheadSettings,
  DeadlineSettings,
  DegradeRung,
  DegradeSettings,
  FallbackSettings,
  HedgeSettings,
  LimiterSettings,
  QuarantineSettings,
  RetrySettings,
  Settings,
  ShedSettings,
} from './settings.ts'
export type { PressureLevel } from './shed/pressure.ts'
export type { PressureSettings } from './shed/pressure-options.ts'
export type { Refused } from './shed/refusal-tally.ts'
