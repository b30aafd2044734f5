import type { Client } from '../connection.ts'
import { runScriptOfBytes, type Script, scriptOf } from '../run-script.ts'

/** Runs scripts of the log. Rejects with what the client throws. */
export type RunLogScript = (script: Script, args: readonly (string | Buffer)[], keys: number) => Promise<unknown>

/** Redis 7 and later let a script say that it may write although memory is full. */
const ALLOWED = '#!lua flags=allow-oom\n'

/**
 * Makes what runs them. Leases and deletions are a few bytes, and must go on where a full Redis refuses entries: a deletion
 * that cannot be made would leave what it deletes. A server before 7 does not know the words and is given the script without them.
 */
export function logScripts(client: Client): RunLogScript {
  const flagged = new Map<Script, Script>()
  let plain = false
  return async (script, args, keys) => {
    if (plain) return runScriptOfBytes(client, script, args, keys)
    let own = flagged.get(script)
    if (own === undefined) {
      own = scriptOf(ALLOWED + script.text)
      flagged.set(script, own)
    }
    try {
      return await runScriptOfBytes(client, own, args, keys)
    } catch (error) {
      if (!(error instanceof Error) || !/compiling script/i.test(error.message)) throw error
      plain = true
      return runScriptOfBytes(client, script, args, keys)
    }
  }
}
