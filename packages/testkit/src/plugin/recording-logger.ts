import type { Logger } from '@switchyard/contract'

export interface LogRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: object
  readonly message: string | undefined
}

/** A logger that keeps what it is told, for tests that look at it. */
export interface RecordingLogger extends Logger {
  /** In the order they were written. */
  readonly records: readonly LogRecord[]
  /** Every record as a line of JSON: what to search for a secret that must not be there. */
  text(): string
}

/** Makes a logger that records instead of writing. */
export function recordingLogger(): RecordingLogger {
  const records: LogRecord[] = []
  const at =
    (level: LogRecord['level']) =>
    (fields: object, message?: string): void => {
      records.push({ level, fields, message })
    }
  return {
    records,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    text: () => records.map((record) => JSON.stringify(record, plain)).join('\n'),
  }
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error) {
    return { ...value, name: value.name, message: value.message, stack: value.stack, cause: value.cause }
  }
  return typeof value === 'bigint' ? String(value) : value
}
