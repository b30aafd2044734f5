import { FIRST_ID, isOlder, type LogId, newer } from './ids.ts'

/** Where in the log an entry of the cache was made, and what it hangs on. */
export interface Stamp {
  readonly genesis: string
  readonly position: LogId
  readonly tags: readonly string[]
}

/** When each tag was last deleted, as of a position in the log. */
export interface TagTable {
  /** Of the table: another one means that everything stored before is void. */
  readonly genesis: string
  /** Deletions up to here are no longer told apart: everything stamped before it counts as deleted. */
  readonly floor: LogId
  readonly size: number
  /** The last moment at which one of the tags was deleted. */
  lastOf(tags: readonly string[]): LogId
  /** Whether nothing that the stamp hangs on was deleted since. */
  isAlive(stamp: Stamp): boolean
}

/** A table that follows the log. */
export interface FollowingTable extends TagTable {
  delete(tag: string, id: LogId): void
  raise(floor: LogId): void
  /** Takes over the fields of the state, as name and value; gives the position that they are of. */
  load(fields: readonly Buffer[]): LogId
}

/** Makes an empty table with no genesis, in which nothing is alive. */
export function tagTable(): FollowingTable {
  let genesis = ''
  let floor: LogId = FIRST_ID
  let tags = new Map<string, LogId>()

  function lastOf(wanted: readonly string[]): LogId {
    let last = floor
    for (const tag of wanted) {
      const id = tags.get(tag)
      if (id !== undefined) last = newer(last, id)
    }
    return last
  }

  return {
    get genesis() {
      return genesis
    },
    get floor() {
      return floor
    },
    get size() {
      return tags.size
    },
    lastOf,
    isAlive: (stamp) => stamp.genesis === genesis && !isOlder(stamp.position, lastOf(stamp.tags)),
    delete(tag, id) {
      tags.set(tag, id)
    },
    raise(to) {
      floor = newer(floor, to)
      for (const [tag, id] of tags) if (!isOlder(floor, id)) tags.delete(tag)
    },
    load(fields) {
      let position: LogId = FIRST_ID
      genesis = ''
      floor = FIRST_ID
      tags = new Map()
      for (let at = 0; at + 1 < fields.length; at += 2) {
        const [name, value] = [String(fields[at]), String(fields[at + 1])]
        if (name.startsWith('=')) tags.set(name.slice(1), value)
        else if (name === '!genesis') genesis = value
        else if (name === '!floor') floor = value
        else if (name === '!last') position = value
      }
      return position
    },
  }
}
