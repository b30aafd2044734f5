import type { Call } from './call.ts'
import type { ErrorCode } from './error.ts'

/** Events are `noun:verbed` and for observers only: a throwing listener is logged once and changes nothing. */
export interface KernelEvents {
  'plugin:ready': { readonly plugin: string; readonly instance: string; readonly durationMs: number }
  'plugin:closed': { readonly plugin: string; readonly instance: string; readonly error?: unknown }
  'assembly:swapped': { readonly added: readonly string[]; readonly removed: readonly string[] }
  /** At the end of the call, which for a stream is its last byte. `durationMs` is by the monotonic clock. */
  'call:ended': { readonly call: Call; readonly durationMs: number; readonly outcome: 'ok' | ErrorCode }
}
