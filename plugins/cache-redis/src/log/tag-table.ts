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

/** The newest of the moments of these fields, and the floor where that is newer. */
export function lastOfFields(
  fields: readonly string[],
  idOf: (field: string) => LogId | null | undefined,
  floor: LogId,
): LogId {
  let last = floor
  for (const field of fields) last = newer(last, idOf(field) ?? FIRST_ID)
  return last
}

/** Every field of the state that an entry hangs on. */
export function fieldsOf({ key, tags }: Pick<Stamp, 'key' | 'tags'>): readonly string[] {
  return [keyField(key), ...tags.map(tagField)]
}

/** Makes an empty table with no genesis, in which nothing is alive. */
export function tagTable(): FollowingTable {
  let genesis = ''
  let floor: LogId = FIRST_ID
  const moments = new Map<string, LogId>()
  const idOf = (field: string): LogId | undefined => moments.get(field)

  return {
    get genesis() {
      return genesis
    },
    get floor() {
      return floor
    },
    get size() {
      return moments.size
    },
    lastOf: (tags) => lastOfFields(tags.map(tagField), idOf, floor),
    isAlive: (stamp) => stamp.genesis === genesis && !isOlder(stamp.position, lastOfFields(fieldsOf(stamp), idOf, floor)),
    delete(kind, name, id) {
      moments.set(kind === 'tag' ? tagField(name) : keyField(name), id)
    },
    raise(to) {
      floor = newer(floor, to)
      for (const [field, id] of moments) if (!isOlder(floor, id)) moments.delete(field)
    },
    forgetKeys(before) {
      for (const [field, id] of moments) if (field.startsWith('#') && isOlder(id, before)) moments.delete(field)
    },
    load(fields) {
      const meta = new Map<string, string>()
      moments.clear()
      for (let at = 0; at + 1 < fields.length; at += 2) {
        const name = String(fields[at])
        const into = name.startsWith('!') ? meta : moments
        into.set(name, String(fields[at + 1]))
      }
      genesis = meta.get('!genesis') ?? ''
      floor = meta.get('!floor') ?? FIRST_ID
      return meta.get('!last') ?? FIRST_ID
    },
  }
}
