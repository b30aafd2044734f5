import { createHash } from 'node:crypto'
import type { Client } from './connection.ts'

/** A script with the name under which a server keeps it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

/** Prepares a text for {@link runScript}. */
export function scriptOf(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/**
 * Runs a script by its name, and by its text where the server does not know it: at first, after a restart, a failover or SCRIPT
 * FLUSH. A script that is not known has not run, so this sends nothing twice. Rejects with what the client threw.
 */
export async function runScript(
  client: Client,
  { text, sha }: Script,
  args: readonly string[],
  keys: number,
): Promise<unknown> {
  try {
    return await client.evalsha(sha, keys, ...args)
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return client.eval(text, keys, ...args)
  }
}

/** Like {@link runScript}, where arguments or replies are bytes: texts of the reply come as Buffer. */
export async function runScriptOfBytes(
  client: Client,
  { text, sha }: Script,
  args: readonly (string | Buffer)[],
  keys: number,
): Promise<unknown> {
  try {
    return await client.callBuffer('evalsha', sha, keys, ...args)
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return client.callBuffer('eval', text, keys, ...args)
  }
}
