import type { Client } from '../connection.ts'
import { FIRST_ID, isOlder, type LogId, newer } from '../log/ids.ts'
import { keyField, type Stamp, tagField } from '../log/tag-table.ts'

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
  const fields = [keyField(of.key), ...of.tags.map(tagField)]
  const [genesis, floor, position, ...ids] = await client.hmget(stateKey, '!genesis', '!floor', '!last', ...fields)
  const known = new Map(fields.map((field, at) => [field, ids[at] ?? FIRST_ID]))
  const lastOf = (tags: readonly string[]): LogId =>
    tags.reduce((last, tag) => newer(last, known.get(tagField(tag)) ?? FIRST_ID), floor ?? FIRST_ID)
  return {
    genesis: genesis ?? undefined,
    position: position ?? FIRST_ID,
    lastOf,
    isAlive: ({ genesis: made, position: at, key, tags }) =>
      made === genesis && !isOlder(at, known.get(keyField(key)) ?? FIRST_ID) && !isOlder(at, lastOf(tags)),
  }
}
