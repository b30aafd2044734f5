import type { Logger } from '@switchyard/contract'
import { type DestinationStream, destination, type Logger as Pino, pino } from 'pino'
import type { LogLevel } from './config/settings.ts'
import { redact } from './redact.ts'

export interface ServerLog extends Logger {
  /** Least level that is written from now on. */
  setLevel(level: LogLevel): void
  /** Writes what is buffered; for the moment before an exit. */
  flush(): void
}

/** JSON lines on standard error, or on `stream`. Secrets by field name and by type are `[redacted]`. */
export function createLog(level: LogLevel, stream?: DestinationStream): ServerLog {
  const sink = stream ?? destination({ fd: 2, sync: false })
  const log: Pino = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      // Not pino's own `redact`: it knows only paths written out in full, and copies every object whole.
      formatters: { level: (label) => ({ level: label }), log: (fields) => redact(fields) as Record<string, unknown> },
      serializers: { err: (error: unknown) => error },
    },
    sink,
  )
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    setLevel: (next) => {
      log.level = next
    },
    flush: () => {
      if ('flushSync' in sink) (sink as { flushSync(): void }).flushSync()
    },
  }
}
