import type { Logger } from '@switchyard/contract'
import { destination, type Logger as Pino, pino } from 'pino'
import { batchedLines, type LineSink } from './batched-lines.ts'
import type { LogLevel } from './config/settings.ts'
import { flatMembers } from './flat-line.ts'
import { redact } from './redact.ts'

export interface ServerLog extends Logger {
  /** Least level that is written from now on. */
  setLevel(level: LogLevel): void
  /** Writes what is buffered; for the moment before an exit. */
  flush(): void
}

/** Lines of warnings and errors go out at once, others after this at the latest. */
const MAX_DELAY_MS = 100

/** JSON lines on standard error, or on `sink`. Secrets by field name and by type are `[redacted]`. */
export function createLog(level: LogLevel, sink: LineSink = standardError()): ServerLog {
  const lines = batchedLines(sink, MAX_DELAY_MS)
  const log: Pino = pino(
    {
      level,
      base: null,
      timestamp,
      // Not pino's own `redact`: it knows only paths written out in full, and copies every object whole.
      formatters: { level: (label) => ({ level: label }), log: (fields) => redact(fields) as Record<string, unknown> },
      serializers: { err: (error: unknown) => error },
    },
    lines,
  )
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => {
      if (!log.isLevelEnabled('info')) return
      const members = message === undefined ? undefined : flatMembers(fields)
      if (members === undefined) log.info(fields, message)
      else lines.write(`{"level":"info"${timestamp()}${members},"msg":${JSON.stringify(message)}}\n`)
    },
    warn: (fields, message) => {
      log.warn(fields, message)
      lines.flush()
    },
    error: (fields, message) => {
      log.error(fields, message)
      lines.flush()
    },
    setLevel: (next) => {
      log.level = next
    },
    flush: () => lines.flush(),
  }
}

/** Bytes held for a reader of standard error that has stopped reading; beyond them lines are dropped, since requests must go on. */
const MAX_HELD_BYTES = 16_777_216

function standardError(): LineSink {
  return destination({ fd: 2, sync: false, maxLength: MAX_HELD_BYTES })
}

let lastMs = 0
let lastText = ''

/** Pino's member for the time, made once a millisecond. */
function timestamp(): string {
  const now = Date.now()
  if (now !== lastMs) {
    lastMs = now
    lastText = `,"time":"${new Date(now).toISOString()}"`
  }
  return lastText
}
