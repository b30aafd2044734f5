import type { Client } from '../connection.ts'
import { FIRST_ID, isOlder, type LogId } from '../log/ids.ts'
import { fieldsOf, lastOfFields, type Stamp, tagField } from '../log/tag-table.ts'

/** The state as the server has it now, of one entry. For nodes that do not follow the log at the moment. */
export interface RemoteState {
  /** Undefined where the server has no state: nothing is alive, and nothing can be stored. */
  readonly genesis: string | undefined
  readonly position: LogId
  lastOf(tags: readonly string[]): LogId
  isAlive(stamp: Stamp): boolean
}

/** Reads it, in one command. Rejects with what the client throws. */
export async function readState(
  client: Client,
  stateKey: string,
  of: { readonly key: string; readonly tags: readonly string[] },
): Promise<RemoteState> {
  const fields = fieldsOf(of)
  const [genesis, floor, last, ...ids] = await client.hmget(stateKey, '!genesis', '!floor', '!last', ...fields)
  const known = new Map(fields.map((field, at) => [field, ids[at]]))
  const newest = (some: readonly string[]): LogId => lastOfFields(some, (field) => known.get(field), floor ?? FIRST_ID)
  return {
    genesis: genesis ?? undefined,
    position: last ?? FIRST_ID,
    lastOf: (tags) => newest(tags.map(tagField)),
    isAlive: (stamp) => stamp.genesis === genesis && !isOlder(stamp.position, newest(fieldsOf(stamp))),
  }
}
