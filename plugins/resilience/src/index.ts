export type { GuardEvent } from './events.ts'
export {
  type Given,
  type OperationInput,
  type PressureSettings,
  type ResilienceInput,
  type ResilienceOptions,
  resilienceOptions,
} from './options.ts'
export { resilience } from './plugin.ts'
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
  RetrySettings,
  Settings,
  ShedSettings,
} from './settings.ts'
export type { PressureLevel } from './shed/pressure.ts'
