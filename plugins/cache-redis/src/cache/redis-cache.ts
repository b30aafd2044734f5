import { type Cache, type CacheEntry, type Clock, SwitchyardError } from '@switchyard/contract'
import type { Client } from '../connection.ts'
import { invalid } from '../errors.ts'
import type { Guard } from '../guard.ts'
import { logKeys } from '../log/keys.ts'
import type { RedisLog } from '../log/redis-log.ts'
import { changesOf } from './changes.ts'
import { decodeEntry, encodeEntry, type StoredEntry } from './entry.ts'
import { type RemoteState, readState } from './remote-state.ts'
import { tagCounts } from './tag-counts.ts'

export interface RedisCacheOptions {
  readonly client: Client
  readonly guard: Guard
  readonly clock: Pick<Clock, 'now'>
  readonly log: RedisLog
  readonly errors: Parameters<typeof changesOf>[1]
  readonly keyPrefix: string
  readonly maxEntryBytes: number
  readonly countTags: boolean
  /** What a deletion may take beyond a command's time: a lease, and the wait for a replica. */
  readonly deletionMs: number
}

/** How long Redis keeps an entry beyond its expiry, which readers judge by their own clocks. */
const SLACK_MS = 60_000
/** Beyond it Redis's own arithmetic ends; such an entry stays for as long as one that never expires. */
const LONGEST_MS = 1e14
const MOST_TAGS = 1_000

/**
 * Makes a cache whose deletions are moments in a log: an entry bears the position at which it was made, and is alive as long as neither
 * its key nor one of its tags was deleted later. So a tag is deleted in one step, however many entries bear it, and an entry that a
 * failover brings back is still dead. A node that follows the log reads with one GET; one that does not asks for the moments too.
 */
export function redisCache(options: RedisCacheOptions): Cache {
  const { client, guard, clock, log, keyPrefix, maxEntryBytes, countTags, deletionMs } = options
  const stateKey = logKeys(keyPrefix).state
  const counts = tagCounts(client, keyPrefix, () => clock.now())
  // Braces with nothing between them: the whole key is hashed, whatever braces the caller's key has.
  const nameOf = (key: string): string => `${keyPrefix}{}${key}`
  const changes = changesOf(log, options.errors)
  const markOf = (genesis: string, last: string): string => `${genesis}.${last}`

  /** What Redis had, if it is alive; by the log once more at the end, which may have gone on while replies were under way. */
  async function alive(key: string, raw: Buffer | null): Promise<StoredEntry | undefined> {
    const entry = raw === null ? undefined : decodeEntry(raw)
    if (entry === undefined || isOver(entry)) return undefined
    const stamp = { ...entry, key }
    if (!log.current()) {
      const state = await readState(client, stateKey, stamp)
      if (!state.isAlive(stamp)) return undefined
      if (!log.current() && log.tags.genesis !== entry.genesis) return entry
    }
    return log.tags.isAlive(stamp) ? entry : undefined
  }

  function stateHere(): Omit<RemoteState, 'isAlive'> {
    return { genesis: log.tags.genesis, position: log.position(), lastOf: log.tags.lastOf }
  }

  function isOver({ expiresAt }: Pick<StoredEntry, 'expiresAt'>): boolean {
    return expiresAt !== undefined && expiresAt <= clock.now()
  }

  async function store(key: string, entry: CacheEntry): Promise<void> {
    const { expiresAt } = entry
    const tags = checkedTags(entry.tags)
    if (expiresAt !== undefined && Number.isNaN(expiresAt))
      throw invalid('expiresAt must be a number of epoch milliseconds, not NaN')
    const finite = expiresAt === undefined || expiresAt === Number.POSITIVE_INFINITY ? undefined : expiresAt
    if (isOver({ expiresAt: finite })) {
      await client.unlink(nameOf(key))
      return
    }
    const here = log.current()
    // The caller may change its bytes while the state is read.
    const value = here ? entry.value : new Uint8Array(entry.value)
    const state = here ? stateHere() : await readState(client, stateKey, { key, tags })
    const last = state.lastOf(tags)
    if (state.genesis === undefined || (entry.mark !== undefined && entry.mark !== markOf(state.genesis, last))) return
    const bytes = encodeEntry({ genesis: state.genesis, position: state.position, expiresAt: finite, tags, value })
    if (bytes.length > maxEntryBytes) throw tooLarge(key, bytes.length, maxEntryBytes)
    const left = finite === undefined ? Number.POSITIVE_INFINITY : Math.ceil(finite - clock.now()) + SLACK_MS
    if (left < LONGEST_MS) await client.set(nameOf(key), bytes, 'PX', left)
    else await client.set(nameOf(key), bytes)
    if (countTags) for (const tag of tags) counts.add(tag, last, key, finite)
  }

  return {
    capabilities: Object.freeze({ tags: true, expiryResolutionMs: 0, shared: true }),

    get: (key, given) =>
      guard.run(async () => {
        checkKey(key)
        const entry = await alive(key, await client.getBuffer(nameOf(key)))
        return entry === undefined ? undefined : copyOf(entry)
      }, given),

    set: (key, entry, given) =>
      guard.run(async () => {
        checkKey(key)
        await store(key, entry)
      }, given),

    delete: (key, given) =>
      guard.run(
        async (step) => {
          checkKey(key)
          const entry = await alive(key, await client.getdelBuffer(nameOf(key)))
          await log.remove('key', key, step)
          return entry !== undefined
        },
        given,
        deletionMs,
      ),

    deleteByTag: (tag, given) =>
      guard.run(
        async (step) => {
          checkText(tag, 'a tag')
          await log.remove('tag', tag, step)
        },
        given,
        deletionMs,
      ),

    mark: (tags) => (log.current() ? markOf(log.tags.genesis, log.tags.lastOf(tags)) : undefined),

    changes,

    ...(countTags
      ? {
          countByTag: (tag, given) =>
            guard.run(async () => {
              checkText(tag, 'a tag')
              const state = log.current() ? log.tags : await readState(client, stateKey, { key: '', tags: [tag] })
              return { count: await counts.count(tag, state.lastOf([tag])), exact: false }
            }, given),
        }
      : {}),
  }
}

function copyOf({ value, expiresAt, tags }: StoredEntry): CacheEntry {
  return {
    value: new Uint8Array(value),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(tags.length === 0 ? {} : { tags }),
  }
}

function checkKey(key: string): void {
  if (key === '') throw invalid('a cache key must not be empty')
  checkText(key, 'a cache key')
}

function checkText(text: string, what: string): void {
  if (!text.isWellFormed()) throw invalid(`${what} must be well-formed text; this one has half a surrogate pair`)
}

function checkedTags(given: readonly string[] = []): readonly string[] {
  const tags = [...new Set(given)]
  if (tags.length > MOST_TAGS) throw invalid(`an entry bears at most ${MOST_TAGS} tags, not ${tags.length}`)
  for (const tag of tags) checkText(tag, 'a tag')
  return tags
}

function tooLarge(key: string, bytes: number, maxEntryBytes: number): SwitchyardError {
  const shown = key.length > 64 ? `${key.slice(0, 64)}...` : key
  return new SwitchyardError(
    'TOO_LARGE',
    `cache entry ${JSON.stringify(shown)} takes ${bytes} bytes, maxEntryBytes is ${maxEntryBytes}; raise it or do not cache this`,
    { details: { bytes, maxEntryBytes } },
  )
}
