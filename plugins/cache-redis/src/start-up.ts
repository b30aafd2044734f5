import { type Logger, SwitchyardError } from '@switchyard/contract'
import type { Client, Connection } from './connection.ts'
import type { Guard } from './guard.ts'
import type { RedisLog } from './log/redis-log.ts'
import { checkServer } from './server-check.ts'

export interface StartUpParts {
  readonly client: Client
  readonly connect: Connection['connect']
  readonly guard: Guard
  readonly events: Pick<RedisLog, 'start'>
  readonly log: Pick<Logger, 'warn' | 'debug'>
  readonly instance: string
  /** Whether the start waits for Redis, and fails without it. */
  readonly waits: boolean
}

/**
 * Connects, looks at the server and begins to follow the log. Where it does not wait, all of that goes on by itself.
 * @throws SwitchyardError CONFIG_INVALID for what the server will not have, which at start is a matter of the options.
 */
export async function startUp(parts: StartUpParts, signal: AbortSignal): Promise<void> {
  const { client, connect, guard, events, log, instance, waits } = parts
  if (!waits) {
    connect(signal).catch(() => {})
    events.start().catch(() => {})
    return
  }
  try {
    await connect(signal)
    await guard.run(() => checkServer(client, log), { signal })
    await guard.run(() => events.start(), { signal })
  } catch (error) {
    if (!SwitchyardError.is(error, 'UPSTREAM_REJECTED')) throw error
    throw new SwitchyardError('CONFIG_INVALID', error.message, { cause: error, plugin: instance })
  }
}
