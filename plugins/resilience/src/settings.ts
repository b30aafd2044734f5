import type { ResilienceOptions } from './options.ts'

/** How long a call of one operation may take. */
export interface DeadlineSettings {
  /** Whole milliseconds >= 1; false = no limit. */
  readonly totalMs: number | false
}

/** Whether and when a failed call of one operation is sent again. */
export interface RetrySettings {
  /** >= 1, the first one included. */
  readonly maxAttempts: number
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
  readonly retryAfterMaxMs: number
}

/** What both policies go by for one operation. */
export interface Settings {
  readonly deadline: DeadlineSettings
  readonly retry: RetrySettings
}

const DEFAULTS: Settings = {
  deadline: { totalMs: 600_000 },
  retry: { maxAttempts: 3, backoffBaseMs: 250, backoffMaxMs: 8_000, retryAfterMaxMs: 30_000 },
}

/** Total time of operations that are not expected to stream for minutes, in milliseconds. */
const TOTAL_BY_OPERATION: Readonly<Record<string, number>> = { 'sql.query': 30_000 }

/**
 * Settings by operation name, each worked out once. Field by field, the first that is given wins: the option for the operation,
 * the option for all, the built-in default for the operation, the built-in default.
 */
export function settingsFor(options: ResilienceOptions): (operation: string) => Settings {
  const known = new Map<string, Settings>()
  return (operation) => {
    let settings = known.get(operation)
    if (settings === undefined) {
      settings = resolve(options, operation)
      known.set(operation, settings)
    }
    return settings
  }
}

function resolve(options: ResilienceOptions, operation: string): Settings {
  const own = Object.hasOwn(options.operations, operation) ? options.operations[operation] : undefined
  const builtIn = Object.hasOwn(TOTAL_BY_OPERATION, operation) ? TOTAL_BY_OPERATION[operation] : undefined
  const total = own?.deadline?.totalMs ?? options.deadline.totalMs ?? builtIn ?? DEFAULTS.deadline.totalMs
  const pick = (field: keyof RetrySettings): number => own?.retry?.[field] ?? options.retry[field] ?? DEFAULTS.retry[field]
  return {
    deadline: { totalMs: total },
    retry: {
      maxAttempts: pick('maxAttempts'),
      backoffBaseMs: pick('backoffBaseMs'),
      backoffMaxMs: pick('backoffMaxMs'),
      retryAfterMaxMs: pick('retryAfterMaxMs'),
    },
  }
}
