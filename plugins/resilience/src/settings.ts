import type { ResilienceOptions } from './options.ts'

/** How long a call of one operation may take, from its admission to its last byte. */
export interface DeadlineSettings {
  /** Whole milliseconds >= 1; false = no limit. */
  readonly totalMs: number | false
}

/** What bounds the attempts of one call. */
export interface AttemptSettings {
  /** In all, at every target and by every guard, the first one included; >= 1. */
  readonly maxAttempts: number
  /** From dialling to the first content of a streamed reply; false = no limit. */
  readonly streamFirstMs: number | false
  /** From dialling to a whole reply; false = the deadline alone. */
  readonly wholeReplyMs: number | false
  /** Times the target's 95th percentile after which a first reply is late, > 1; false = none is. */
  readonly lateFactor: number | false
  readonly lateMinMs: number
}

/** Whether and when a failed call of one operation is sent again to the same target. */
export interface RetrySettings {
  /** At one target, the first one included; >= 1. */
  readonly maxAttempts: number
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
  readonly retryAfterMaxMs: number
  /** Retries that each first attempt pays for. */
  readonly budgetRatio: number
  /** Retries a second that need nobody's payment. */
  readonly budgetFloor: number
}

/** Whether a call that failed at its target is tried at the next. */
export interface FallbackSettings {
  readonly enabled: boolean
  /** Also where the provider refused what was asked or answered. */
  readonly onContentRefused: boolean
}

/** When a target is left alone. */
export interface BreakerSettings {
  readonly enabled: boolean
  /** Share of failures in a window that opens, in (0, 1]. */
  readonly failureRate: number
  /** Samples below which a window says nothing. */
  readonly minSamples: number
  /** Failures in a row that open it where both windows have fewer samples than that. */
  readonly consecutiveFailures: number
  /** First replies that take longer count as slow; false = none does. */
  readonly slowMs: number | false
  /** Share of slow ones in a window that opens, in (0, 1]. */
  readonly slowRate: number
  readonly openMs: number
  readonly openMaxMs: number
  /** Attempts let through at a time while half-open, and successes that close it. */
  readonly probes: number
}

/** When a credential is left alone that was refused. */
export interface QuarantineSettings {
  readonly enabled: boolean
  /** At first; it doubles while probes are refused. */
  readonly forMs: number
  readonly maxMs: number
}

/** How many attempts a target carries at once, and who waits. */
export interface BulkheadSettings {
  /** false = no limit. */
  readonly slots: number | false
  readonly queueSize: number
  readonly queueWaitMs: number
  /** A queue whose oldest waits longer at every departure of an interval is cut down; false = none is. */
  readonly queueTargetMs: number | false
  readonly queueIntervalMs: number
  /** Turns of a tenant in each round of the queue; 1 where it is not named. */
  readonly tenantWeights: Readonly<Record<string, number>>
}

/** Whether the slots follow what the target carries. */
export interface LimiterSettings {
  readonly algorithm: 'off' | 'gradient' | 'aimd'
  readonly start: number
  readonly min: number
  readonly max: number
}

/** Whether a second copy is sent to another target when the first is late. */
export interface HedgeSettings {
  readonly enabled: boolean
  /** Share of calls that may be hedged, in (0, 1]. */
  readonly ratio: number
  /** First replies that must be known before the first hedge. */
  readonly minSamples: number
}

/** When calls are refused to keep the node alive. */
export interface ShedSettings {
  readonly enabled: boolean
}

/** What is answered when nothing serves. */
export interface DegradeSettings {
  readonly ladder: readonly DegradeRung[]
  readonly staticAnswer: string
  /** Stated by the rung `fail` where the error states none. */
  readonly retryAfterMs: number
}

/** `cache-stale` and `cheaper-model` take an alternative whose attribute `degrade` names the rung. */
export type DegradeRung = 'cache-stale' | 'cheaper-model' | 'static-answer' | 'fail'

/** What every guard goes by for one operation. */
export interface Settings {
  readonly deadline: DeadlineSettings
  readonly attempts: AttemptSettings
  readonly retry: RetrySettings
  readonly fallback: FallbackSettings
  readonly breaker: BreakerSettings
  readonly quarantine: QuarantineSettings
  readonly bulkhead: BulkheadSettings
  readonly limiter: LimiterSettings
  readonly hedge: HedgeSettings
  readonly shed: ShedSettings
  readonly degrade: DegradeSettings
}

/** What holds where no option is given. */
export const DEFAULTS: Settings = Object.freeze({
  deadline: { totalMs: 600_000 },
  attempts: { maxAttempts: 4, streamFirstMs: 60_000, wholeReplyMs: false, lateFactor: 10, lateMinMs: 1_000 },
  retry: {
    maxAttempts: 3,
    backoffBaseMs: 250,
    backoffMaxMs: 8_000,
    retryAfterMaxMs: 30_000,
    budgetRatio: 0.2,
    budgetFloor: 10,
  },
  fallback: { enabled: true, onContentRefused: false },
  breaker: {
    enabled: true,
    failureRate: 0.5,
    minSamples: 20,
    consecutiveFailures: 5,
    slowMs: false,
    slowRate: 0.8,
    openMs: 15_000,
    openMaxMs: 300_000,
    probes: 3,
  },
  quarantine: { enabled: true, forMs: 300_000, maxMs: 3_600_000 },
  bulkhead: { slots: 1_000, queueSize: 100, queueWaitMs: 2_000, queueTargetMs: 20, queueIntervalMs: 200, tenantWeights: {} },
  limiter: { algorithm: 'off', start: 20, min: 20, max: 200 },
  hedge: { enabled: false, ratio: 0.05, minSamples: 100 },
  shed: { enabled: true },
  degrade: { ladder: [], staticAnswer: '', retryAfterMs: 5_000 },
} as const)

/** What holds for operations that are not expected to stream for minutes. */
const BY_OPERATION: Readonly<Record<string, { readonly [G in keyof Settings]?: Partial<Settings[G]> }>> = {
  'sql.query': { deadline: { totalMs: 30_000 } },
}

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
  const builtIn = Object.hasOwn(BY_OPERATION, operation) ? BY_OPERATION[operation] : undefined
  const group = <G extends keyof Settings>(name: G): Settings[G] =>
    ({ ...DEFAULTS[name], ...builtIn?.[name], ...given(options[name]), ...given(own?.[name]) }) as Settings[G]
  return {
    deadline: group('deadline'),
    attempts: group('attempts'),
    retry: group('retry'),
    fallback: group('fallback'),
    breaker: group('breaker'),
    quarantine: group('quarantine'),
    bulkhead: group('bulkhead'),
    limiter: group('limiter'),
    hedge: group('hedge'),
    shed: group('shed'),
    degrade: group('degrade'),
  }
}

/** Without the fields that stand there as undefined: those are not given. */
function given(fields: object | undefined): object {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined))
}

/** Whether something holds for any operation: one that is named in the options, one with built-in settings, or all the others. */
export function anywhere(options: ResilienceOptions, holds: (settings: Settings) => boolean): boolean {
  const named = [...Object.keys(options.operations), ...Object.keys(BY_OPERATION), '']
  return named.some((operation) => holds(resolve(options, operation)))
}
