export type ErrorCode =
  // assembly
  | 'CONFIG_INVALID'
  | 'CONTRACT_UNSUPPORTED'
  | 'DEPENDENCY_MISSING'
  | 'DEPENDENCY_CYCLE'
  | 'STARTUP_FAILED'
  | 'CLOSED'
  // the caller's
  | 'INVALID_REQUEST'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'TOO_LARGE'
  | 'UNSUPPORTED'
  // control
  | 'RATE_LIMITED'
  | 'BUDGET_EXCEEDED'
  | 'CIRCUIT_OPEN'
  | 'OVERLOADED'
  | 'TIMEOUT'
  | 'ABORTED'
  | 'POLICY_REFUSED'
  // the remote's, and our own bugs
  | 'UPSTREAM_UNAVAILABLE'
  | 'UPSTREAM_REJECTED'
  | 'UPSTREAM_INVALID'
  | 'UPSTREAM_TRUNCATED'
  | 'INTERNAL'

/** Codes after which the same call may succeed if it is sent again, where the thrower does not say otherwise. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'RATE_LIMITED',
  'OVERLOADED',
  'CIRCUIT_OPEN',
  'TIMEOUT',
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_INVALID',
  'UPSTREAM_TRUNCATED',
])

const BRAND = Symbol.for('@switchyard/error')

export interface ErrorOptions {
  /** Default: by code. */
  readonly retryable?: boolean
  /** Milliseconds from now after which a repeat makes sense; finite and >= 0. */
  readonly retryAfterMs?: number
  /** Name of the plugin instance it comes from. */
  readonly plugin?: string
  readonly cause?: unknown
  /** Facts for programs: `status`, `vendorCode`, `param`, `sent: false` when no byte left. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * The one error that crosses a plugin's border. `message` says what was wrong, where, and what to do; it never holds a secret.
 * Recognised by brand (`SwitchyardError.is`), not by `instanceof`, so that two copies of this package agree.
 */
export class SwitchyardError extends Error {
  override readonly name: string = 'SwitchyardError'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly plugin: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? RETRYABLE.has(code)
    this.retryAfterMs = options.retryAfterMs
    this.plugin = options.plugin
    this.details = options.details
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** True for an error of any copy of this package, and of the given code where one is given. */
  static is(error: unknown, code?: ErrorCode): error is SwitchyardError {
    if (typeof error !== 'object' || error === null || (error as Record<symbol, unknown>)[BRAND] !== true) return false
    return code === undefined || (error as SwitchyardError).code === code
  }
}
