/** What stands for a tag where a key or a lease id has none. */
const NO_TAG = '_'

/** Names of the keys of one tag, in the order in which the scripts declare them. */
export interface Shard {
  readonly tag: string
  readonly keys: readonly string[]
  /** Of the caller's clock: until then no node needs to be told of the tag. */
  knownUntil: number
}

/** The `{tag}` of a key or lease id by the rule of Redis Cluster: what stands between the first brace and the next closing one. */
export function tagOf(text: string): string {
  const from = text.indexOf('{')
  if (from < 0) return NO_TAG
  const to = text.indexOf('}', from + 1)
  return to > from + 1 ? text.slice(from + 1, to) : NO_TAG
}

/** A tag as an error names it. */
export function tagText(tag: string): string {
  return tag === NO_TAG ? 'no {tag}' : `{${tag}}`
}

const ROOMS = ['rows', 'windows', 'leases', 'due', 'holds', 'unsettled'] as const

/** Shards by tag, the least recently used forgotten beyond `max`. */
export function shardNames(prefix: string, max: number): (tag: string) => Shard {
  const shards = new Map<string, Shard>()
  return (tag) => {
    let shard = shards.get(tag)
    if (shard === undefined) {
      shard = { tag, keys: ROOMS.map((room) => `${prefix}{${tag}}:counters:${room}`), knownUntil: 0 }
      if (shards.size >= max) shards.delete(shards.keys().next().value as string)
    } else shards.delete(tag)
    shards.set(tag, shard)
    return shard
  }
}
