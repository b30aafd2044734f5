export { type BackoffBounds, backoffMs, type RetryVerdict, retryVerdict } from './backoff.ts'
export { deadlinePolicy } from './deadline.ts'
export {
  type DeadlineInput,
  type OperationInput,
  type ResilienceInput,
  type ResilienceOptions,
  type RetryInput,
  resilienceOptions,
} from './options.ts'
export { resilience } from './plugin.ts'
export { retryPolicy } from './retry.ts'
export { type DeadlineSettings, type RetrySettings, type Settings, settingsFor } from './settings.ts'
