import type { Client } from '../connection.ts'
import { runScript, scriptOf } from '../run-script.ts'
import type { Shard } from './shard.ts'

/** How long a node takes a tag to be on the list that it put there. */
const KNOWN_MS = 60_000
/** A tag that has nothing goes from the list when nobody named it for as long: longer than any node believes it to be there. */
const UNNAMED_MS = 86_400_000

const FORGET = scriptOf(`
local seen = redis.call('ZSCORE', KEYS[1], ARGV[1])
if seen and tonumber(seen) < tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
return {}
`)

/** The tags in use by the fleet, for what must look at all of them. One sorted set: tag -> when it was last named. */
export interface TagRegister {
  /** Puts a tag on the list before anything is written under it. */
  add(shard: Shard, now: number): Promise<void>
  /** Every tag that may have something. */
  tags(): Promise<readonly string[]>
  /** Takes off a tag that was found empty, unless somebody named it lately. */
  forget(tag: string, now: number): Promise<void>
}

/** Makes the register of a prefix. Rejects with what the client throws. */
export function tagRegister(client: Client, prefix: string): TagRegister {
  const key = `${prefix}counters:tags`
  return {
    async add(shard, now) {
      await client.zadd(key, String(now), shard.tag)
      shard.knownUntil = now + KNOWN_MS
    },
    tags: () => client.zrange(key, '0', '-1'),
    async forget(tag, now) {
      await runScript(client, FORGET, [key, tag, String(now - UNNAMED_MS)], 1)
    },
  }
}
