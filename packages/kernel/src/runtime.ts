import { randomUUID } from 'node:crypto'
import type { Clock, Logger } from '@switchyard/contract'
import { systemClock } from './clock.ts'

export interface KernelOptions {
  /** Default: silent. */
  readonly log?: Logger
  readonly clock?: Clock
  /** Uniform in [0, 1). Default: `Math.random`. */
  readonly random?: () => number
  /** Ids of calls that bring none. Default: `crypto.randomUUID`. */
  readonly newId?: () => string
  /** For each plugin's `setup`. Default: 10,000 ms. */
  readonly startTimeoutMs?: number
  /** How long calls in flight may go on after `close` or a swap before they are aborted. Default: 20,000 ms. */
  readonly drainTimeoutMs?: number
  /** For each release that `ctx.onClose` registered. Default: 5,000 ms. */
  readonly closeTimeoutMs?: number
  /** How long an aborted call's handler, policies and stream may take to end before the call counts as over. Default: 5,000 ms. */
  readonly unwindTimeoutMs?: number
  /** For each health probe. Default: 5,000 ms. */
  readonly healthTimeoutMs?: number
  /** Gives up starting: what was acquired is released and `startKernel` rejects. Without effect once the kernel is ready. */
  readonly signal?: AbortSignal
}

/** Options with their defaults. */
export type Runtime = Required<Omit<KernelOptions, 'signal'>>

const ignore = (): void => {}
const SILENT: Logger = Object.freeze({ debug: ignore, info: ignore, warn: ignore, error: ignore })

export function runtimeOf(options: KernelOptions): Runtime {
  return {
    log: options.log ?? SILENT,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    newId: options.newId ?? randomUUID,
    startTimeoutMs: options.startTimeoutMs ?? 10_000,
    drainTimeoutMs: options.drainTimeoutMs ?? 20_000,
    closeTimeoutMs: options.closeTimeoutMs ?? 5_000,
    unwindTimeoutMs: options.unwindTimeoutMs ?? 5_000,
    healthTimeoutMs: options.healthTimeoutMs ?? 5_000,
  }
}

/** A logger that adds the instance's name to every line. */
export function instanceLog(log: Logger, plugin: string): Logger {
  return {
    debug: (fields, message) => log.debug({ plugin, ...fields }, message),
    info: (fields, message) => log.info({ plugin, ...fields }, message),
    warn: (fields, message) => log.warn({ plugin, ...fields }, message),
    error: (fields, message) => log.error({ plugin, ...fields }, message),
  }
}
