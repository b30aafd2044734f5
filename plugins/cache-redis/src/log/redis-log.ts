/**
 * The log of a prefix: one stream in which every node reads, in one order, what befell shared state. The cache's deletions stand on
 * it, and so may anything that every node holds a replica of. How to use it from beside it:
 *
 *     const stop = log.listen(['vector:put', 'vector:delete'], {
 *       event: ({ id, type, key, payload }) => apply(...),   // in order of ids, on every node, the one that appended too
 *       gap: (position) => dropAllAndReadAnew(),             // events up to `position` may be missing here; later ones follow
 *     })
 *     const id = await log.append([{ type: 'vector:put', key, payload }])
 *     await log.applied(id)                                   // the listeners of this node were told
 *
 * Listeners run at once and must not throw; what they throw is logged. Events stay for `maxLogLength` entries, so the log is no store:
 * keep what must last in keys of your own, written before the append, and put ids beside it where order matters. Keys of your own
 * that a script writes together with nothing here may lie in any slot. `append` and `applied` are to be run in a guard: they take as
 * long as the client does. Before the first load, and while Redis is away, `current()` is false and nothing is told.
 */
import { randomBytes } from 'node:crypto'
import { type Clock, type Logger, SwitchyardError } from '@switchyard/contract'
import type { Client } from '../connection.ts'
import type { Step } from '../guard.ts'
import { acknowledgements } from './acknowledgements.ts'
import { type DeletionSettings, deletions } from './deletions.ts'
import type { NewLogEvent } from './events.ts'
import { follower } from './follower.ts'
import type { LogId } from './ids.ts'
import { logKeys } from './keys.ts'
import type { LogListener } from './listeners.ts'
import { logReader } from './reader.ts'
import { logScripts } from './run.ts'
import { APPEND, LEAVE } from './scripts.ts'
import type { TagTable } from './tag-table.ts'

export type { LogEvent, NewLogEvent } from './events.ts'
export type { LogId } from './ids.ts'
export type { LogListener } from './listeners.ts'

export interface LogSettings extends DeletionSettings {
  readonly leaseMs: number
  readonly maxLogLength: number
  readonly maxTags: number
  /** Longest that one read of the log may block; below the client's time for a silent socket. */
  readonly blockMs: number
}

export interface RedisLogOptions {
  readonly client: Client
  /** Makes connections of its own: one blocks in XREAD, the other, opened where there are replicas, in WAIT. */
  blocking(): Client
  readonly clock: Pick<Clock, 'monotonic' | 'schedule' | 'sleep'>
  readonly log: Pick<Logger, 'warn' | 'error' | 'info'>
  readonly keyPrefix: string
  readonly settings: LogSettings
}

/** See the head of the file. */
export interface RedisLog {
  /**
   * Whether this node has been told of every deletion that has resolved anywhere. By this node's own monotonic clock: true until a
   * lease runs out that is counted from before it was asked for.
   */
  current(): boolean
  /** The last entry that this node has applied. */
  position(): LogId
  /** When tags were deleted, as of the position. */
  readonly tags: TagTable
  /** The function returned ends it. */
  listen(types: readonly string[], listener: LogListener): () => void
  /** Appends events in one step and resolves with the id of the last. `TypeError` for none. */
  append(events: readonly NewLogEvent[]): Promise<LogId>
  /** Resolves once the listeners here were told of everything up to the id, or of a gap. `CLOSED` where that never comes. */
  applied(id: LogId): Promise<void>
  /**
   * Deletes a tag, or tells of a deleted key, and resolves once no node serves a copy any more: each was told, or has no lease.
   * Rejects `UPSTREAM_UNAVAILABLE` where no replica confirmed it that should have.
   */
  remove(kind: 'tag' | 'key', name: string, step: Step): Promise<void>
  /** Loads the state, then follows. Rejects where the first load fails, and goes on trying. */
  start(): Promise<void>
  close(): void
}

/** Makes the log of a prefix; nothing is sent before `start`. */
export function redisLog(options: RedisLogOptions): RedisLog {
  const { client, blocking, clock, log, keyPrefix, settings } = options
  const keys = logKeys(keyPrefix)
  const run = logScripts(client)
  const node = randomBytes(9).toString('base64url')
  const heard = acknowledgements(clock)

  /** What each script begins with: a genesis of its own each time, as one must never come back. */
  const before = (): readonly string[] => [
    keys.log,
    keys.state,
    node,
    randomBytes(9).toString('base64url'),
    String(settings.leaseMs),
    String(settings.maxLogLength),
    String(settings.maxTags),
  ]

  const following = follower({ run, keys, node, before, clock, log, leaseMs: settings.leaseMs })
  const reading = logReader({ reader: blocking(), keys, node, following, heard, clock, blockMs: settings.blockMs })
  const remove = deletions({ run, waiter: blocking(), keys, before, following, heard, settings })

  return {
    current: following.current,
    position: following.position,
    tags: following.tags,
    listen: following.listen,
    applied: following.applied,
    remove,
    async append(events) {
      if (events.length === 0) throw new TypeError('append needs an event')
      const given = events.flatMap(({ type, key, payload }) => [
        type,
        key,
        payload === undefined ? '0' : '1',
        payload === undefined ? '' : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
      ])
      return String(await run(APPEND, [...before(), ...given], 2))
    },
    async start() {
      reading.start()
      await following.start()
    },
    close() {
      following.close(new SwitchyardError('CLOSED', 'redis: the plugin is closed'))
      reading.close()
      heard.close()
      // Whoever deletes something need not wait for this node any more; where that does not arrive, its lease runs out.
      // By its text: the connection goes before a second try could be made.
      if (client.status === 'ready') client.eval(LEAVE.text, 2, keys.state, keys.inbox(node), node).catch(() => {})
    },
  }
}
