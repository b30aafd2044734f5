import type { LogLevel } from '../../src/config/settings.ts'
import { createLog, type ServerLog } from '../../src/log.ts'

export interface RecordedLog {
  readonly log: ServerLog
  /** Lines written so far, parsed. */
  lines(): readonly Record<string, unknown>[]
}

/** The gateway's own log, its lines kept for the test. */
export function recordedLog(level: LogLevel = 'debug'): RecordedLog {
  let written = ''
  const log = createLog(level, {
    write: (text) => {
      written += text
    },
  })
  return {
    log,
    lines: () => {
      log.flush()
      const lines = written.split('\n').filter((line) => line !== '')
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    },
  }
}
