import { FIRST_ID, isOlder, type LogId, newer } from './ids.ts'

/** Where in the log an entry of the cache was made, and what it hangs on. */
export interface Stamp {
  readonly genesis: string
  readonly position: LogId
  readonly key: string
  readonly tags: readonly string[]
}

/** When each tag and key was last deleted, as of a position in the log. */
export interface TagTable {
  /** Of the table: another one means that everything stored before is void. */
  readonly genesis: string
  /** Deletions up to here are no longer told apart: everything stamped before it counts as deleted. */
  readonly floor: LogId
  /** Tags and keys that it holds. */
  readonly size: number
  /** The last moment at which one of the tags was deleted. */
  lastOf(tags: readonly string[]): LogId
  /** Whether nothing that the stamp hangs on was deleted since. */
  isAlive(stamp: Stamp): boolean
}

/** A table that follows the log. */
export interface FollowingTable extends TagTable {
  delete(kind: 'tag' | 'key', name: string, id: LogId): void
  /** Everything up to the id is no longer told apart. */
  raise(floor: LogId): void
  /** Keys that were deleted before the id are not needed any more. */
  forgetKeys(before: LogId): void
  /** Takes over the fields of the state, as name and value; gives the position that they are of. */
  load(fields: readonly Buffer[]): LogId
}

/** Name of a tag's field in the state. */
export function tagField(tag: string): string {
  return `=${tag}`
}

/** Name of a key's field in the state. */
export function keyField(key: string): string {
  return `#${key}`
}

/** Makes an empty table with no genesis, in which nothing is alive. */
export function tagTable(): FollowingTable {
  let genesis = ''
  let floor: LogId = FIRST_ID
  const tags = new Map<string, LogId>()
  const keys = new Map<string, LogId>()

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
      return tags.size + keys.size
    },
    lastOf,
    isAlive: (stamp) =>
      stamp.genesis === genesis &&
      !isOlder(stamp.position, keys.get(stamp.key) ?? FIRST_ID) &&
      !isOlder(stamp.position, lastOf(stamp.tags)),
    delete(kind, name, id) {
      const moments = kind === 'tag' ? tags : keys
      moments.set(name, id)
    },
    raise(to) {
      floor = newer(floor, to)
      for (const moments of [tags, keys]) {
        for (const [name, id] of moments) if (!isOlder(floor, id)) moments.delete(name)
      }
    },
    forgetKeys(before) {
      for (const [key, id] of keys) if (isOlder(id, before)) keys.delete(key)
    },
    load(fields) {
      const meta = new Map<string, string>()
      const kinds = new Map([
        ['=', tags],
        ['#', keys],
        ['!', meta],
      ])
      tags.clear()
      keys.clear()
      for (let at = 0; at + 1 < fields.length; at += 2) {
        const name = String(fields[at])
        kinds.get(name.charAt(0))?.set(name.slice(1), String(fields[at + 1]))
      }
      genesis = meta.get('genesis') ?? ''
      floor = meta.get('floor') ?? FIRST_ID
      return meta.get('last') ?? FIRST_ID
    },
  }
}
