import { isSecret, type Logger } from '@switchyard/contract'
import { type DestinationStream, destination, type Logger as Pino, pino, stdSerializers } from 'pino'

/** Field names that never reach a log in clear, at any of the first three levels. */
const REDACTED = ['authorization', 'apiKey', 'api_key', 'password', 'secret', 'token', 'cookie', '*-key'].flatMap((name) => {
  const field = name.startsWith('*') ? '["x-portkey-api-key"]' : `.${name}`
  return [field.replace(/^\./, ''), `*${field}`, `*.*${field}`]
})

export interface ServerLog extends Logger {
  /** Writes what is buffered; for the moment before an exit. */
  flush(): void
}

/** JSON lines on standard error, or on `stream`. Secrets by field name and by type are `[redacted]`. */
export function createLog(level: string, stream?: DestinationStream): ServerLog {
  const sink = stream ?? destination({ fd: 2, sync: false })
  const log: Pino = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED, censor: '[redacted]' },
      serializers: { err: (error: unknown) => (isSecret(error) ? '[redacted]' : stdSerializers.err(error as Error)) },
    },
    sink,
  )
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    flush: () => {
      if ('flushSync' in sink) (sink as { flushSync(): void }).flushSync()
    },
  }
}
