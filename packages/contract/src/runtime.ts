/** Structured logging, object first as pino has it. Objects never hold secrets in clear. */
export interface Logger {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
}

/** Time as it is injected: plugins and policies call no other. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Milliseconds from an arbitrary origin; never goes back. */
  monotonic(): number
  /** Resolves after `ms`; rejects with the signal's reason at its abort, its timer cleared. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Runs `callback` once after `ms`. Returns its cancel, which may be called at any time, also twice. */
  schedule(ms: number, callback: () => void): () => void
}

export interface CallOptions {
  /** Once it has aborted, a call does nothing and rejects with `ABORTED`, or with the reason where that is a SwitchyardError. */
  readonly signal?: AbortSignal
}
