import { SwitchyardError } from '@switchyard/contract'
import type { LogLevel, Settings } from '../config/settings.ts'

export interface Flags {
  readonly port?: number
  readonly host?: string
  readonly logLevel?: LogLevel
}

/**
 * The settings with what the command line and, for the port, `PORT` say: both win over the file.
 * Throws `CONFIG_INVALID` for a `PORT` that counts and is no port.
 */
export function withFlags(settings: Settings, { port, host, logLevel }: Flags, env: NodeJS.ProcessEnv): Settings {
  const { server, log } = settings
  return {
    ...settings,
    server: { ...server, port: port ?? fromEnvironment(env.PORT) ?? server.port, host: host ?? server.host },
    log: { level: logLevel ?? log.level },
  }
}

/** A port as a person writes it, or undefined where the text is none: a whole number from 0 to 65535. */
export function parsePort(text: string): number | undefined {
  const value = Number(text)
  return /^\d+$/.test(text) && value <= 65_535 ? value : undefined
}

function fromEnvironment(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const port = parsePort(text)
  if (port !== undefined) return port
  throw new SwitchyardError(
    'CONFIG_INVALID',
    `the environment variable PORT is ${JSON.stringify(text)}: set a whole number from 0 to 65535, or unset it`,
  )
}
