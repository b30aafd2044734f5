import type { LogLevel } from '../../src/config/settings.ts'
import { createLog, type ServerLog } from '../../src/log.ts'

export interface RecordedLog {
  readonly log: ServerLog
  /** Lines written so far, parsed. */
  lines(): readonly Record<string, unknown>[]
}

/** The gateway's own log, its lines kept for the test. */
export function recordedLog(level: LogLevel = 'debug'): RecordedLog {
  const written: string[] = []
  return {
    log: createLog(level, { write: (line: string) => void written.push(line) }),
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}
