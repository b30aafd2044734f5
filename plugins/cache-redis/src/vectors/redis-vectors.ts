import type { CallOptions, Clock, VectorIndex, VectorItem } from '@switchyard/contract'
import { partitionedVectors, type StoredVector } from '@switchyard/vector-index'
import type { Client } from '../connection.ts'
import { throwIfAborted } from '../errors.ts'
import type { Guard, Step } from '../guard.ts'
import type { RedisLog } from '../log/redis-log.ts'
import { runScriptOfBytes } from '../run-script.ts'
import { AT_ONCE, check, checkedIds, checkedItems, livesMs, otherLength, refuse } from './checked.ts'
import { partitionKeys } from './keys.ts'
import { decodeItem, decodeList, decodeStored, encodeItem, encodeList, VERSION_DIGITS } from './records.ts'
import { type Change, type Replica, replicaOf } from './replica.ts'
import { DROP, PUT, SWEEP } from './scripts.ts'

export interface RedisVectorsOptions {
  readonly client: Client
  readonly guard: Guard
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly log: Pick<RedisLog, 'append' | 'current' | 'listen'>
  readonly keyPrefix: string
  /** Bytes that this node holds; one partition may take half of them. */
  readonly maxVectorBytes: number
  /** Items that Redis keeps of one partition. */
  readonly maxVectorsPerPartition: number
}

/** An index over the fleet, and what this node has of it. */
export interface RedisVectors extends VectorIndex {
  usage(): { readonly partitions: number; readonly items: number; readonly bytes: number; readonly heldBytes: number }
  close(): void
}

const PUT_EVENT = 'vector:put'
const DROP_EVENT = 'vector:drop'
/** Bytes that a number of a vector takes in memory: as it is, and rounded. */
const ROW_BYTES = 5
/** Partitions that are remembered, empty ones too. */
const PARTITIONS = 10_000
/** How often a node that has lost sight of the log looks whether it has caught up. */
const LOOK_MS = 10

/**
 * Makes an index whose items lie in Redis, a hash a partition, and are searched here, exactly: a partition is read when it is first
 * searched, and follows the log from then on. Each change bears a version, so that it does not matter in which order node and log
 * tell of it. A node that cannot follow the log does not search.
 */
export function redisVectors(options: RedisVectorsOptions): RedisVectors {
  const { client, guard, clock, log, keyPrefix, maxVectorBytes, maxVectorsPerPartition } = options
  const keysOf = partitionKeys(keyPrefix, 'vectors')
  const maxPartitionBytes = Math.ceil(maxVectorBytes / 2)
  /** In order of use, the first the least recently used. */
  const replicas = new Map<string, { readonly replica: Replica; readonly filled: Promise<void> }>()
  const held = partitionedVectors({
    maxBytes: maxVectorBytes,
    maxPartitionBytes,
    clock,
    refuse,
    onEvict: (partition) => replicas.delete(partition),
  })

  const unlisten = log.listen([PUT_EVENT, DROP_EVENT], {
    event({ type, key, payload }) {
      const one = replicas.get(key)
      if (one === undefined || payload === undefined) return
      const change = changeOf(type, payload)
      if (change === undefined) forget(key)
      else one.replica.apply(change)
    },
    gap() {
      replicas.clear()
      held.clear()
    },
  })

  function forget(partition: string): void {
    replicas.delete(partition)
    held.drop(partition)
  }

  async function read(partition: string, replica: Replica): Promise<void> {
    const { items, order } = keysOf(partition)
    const stored = new Map<string, { readonly version: number; readonly item: StoredVector }>()
    const expired: string[] = []
    let cursor = '0'
    do {
      const [next, fields] = await client.hscanBuffer(items, cursor, 'COUNT', AT_ONCE)
      cursor = String(next)
      for (let at = 0; at + 1 < fields.length; at += 2) {
        if ((fields[at] as Buffer)[0] !== 0x3a) continue
        const one = decodeStored(fields[at + 1] as Buffer)
        if (one === undefined) continue
        const { id, expiresAt = Number.POSITIVE_INFINITY } = one.item
        if (expiresAt > clock.now()) {
          if ((stored.get(id)?.version ?? 0) < one.version) stored.set(id, one)
        } else if (expired.length < AT_ONCE * 2) expired.push(id, String(one.version).padStart(VERSION_DIGITS, '0'))
      }
    } while (cursor !== '0')
    // One that was forgotten meanwhile must not overwrite the one in its place.
    if (replicas.get(partition)?.replica !== replica) return
    replica.fill(stored)
    if (expired.length > 0) runScriptOfBytes(client, SWEEP, [items, order, ...expired], 2).catch(() => {})
  }

  /** The partition, read and followed. */
  async function ready(partition: string, step: Step): Promise<void> {
    while (!step.over) {
      if (!log.current()) {
        await clock.sleep(LOOK_MS)
        continue
      }
      let one = replicas.get(partition)
      if (one === undefined) {
        const replica: Replica = replicaOf(partition, held, () => forgetIf(partition, replica))
        one = { replica, filled: read(partition, replica) }
        one.filled.catch(() => forgetIf(partition, replica))
      }
      replicas.delete(partition)
      replicas.set(partition, one)
      if (replicas.size > PARTITIONS) forget(replicas.keys().next().value as string)
      if (!one.replica.ready) await one.filled
      if (replicas.get(partition) === one) return
    }
  }

  function forgetIf(partition: string, replica: Replica): void {
    if (replicas.get(partition)?.replica === replica) forget(partition)
  }

  /** Applies a change here, and tells the others. */
  async function tell(partition: string, change: Change, pieces: readonly Buffer[]): Promise<void> {
    replicas.get(partition)?.replica.apply(change)
    const event = (type: string, list: readonly Buffer[]) => ({
      type,
      key: partition,
      payload: encodeList(change.version, list),
    })
    await log.append([
      ...(pieces.length > 0 ? [event(PUT_EVENT, pieces)] : []),
      ...(change.drops.length > 0
        ? [
            event(
              DROP_EVENT,
              change.drops.map((id) => Buffer.from(id)),
            ),
          ]
        : []),
    ])
  }

  async function put(partition: string, items: readonly StoredVector[]): Promise<void> {
    const now = clock.now()
    const isOver = ({ expiresAt = Number.POSITIVE_INFINITY }: StoredVector): boolean => expiresAt <= now
    const puts = items.filter((item) => !isOver(item))
    const drops = items.filter(isOver).map(({ id }) => id)
    const pieces = puts.map(encodeItem)
    const keys = keysOf(partition)
    const head = [
      keys.items,
      keys.order,
      String(items[0]?.vector.length),
      String(livesMs(puts, now)),
      String(maxVectorsPerPartition),
    ]
    const each = puts.flatMap(({ id }, at) => [id, pieces[at] as Buffer])
    const said = (await runScriptOfBytes(client, PUT, [...head, String(puts.length), ...each, ...drops], 2)) as Buffer[]
    const [first, ...gone] = said.map(String)
    if (first === 'dimensions') throw otherLength(String(gone[0]), items[0]?.vector.length)
    await tell(partition, { version: Number(first), puts, drops: [...drops, ...gone] }, pieces)
  }

  return {
    capabilities: Object.freeze({ dimensions: 'any', shared: true, approximate: false }),

    async upsert(partition: string, given: readonly VectorItem[], callOptions?: CallOptions) {
      throwIfAborted(callOptions)
      const items = checkedItems(partition, given)
      for (const { vector, payload } of items) {
        if (vector.length * ROW_BYTES + (payload?.length ?? 0) <= maxPartitionBytes) continue
        const words = `a vector of ${vector.length} numbers does not fit in half of maxVectorBytes, ${maxVectorBytes}; raise it`
        throw refuse('TOO_LARGE', words)
      }
      for (let at = 0; at < items.length; at += AT_ONCE) {
        await guard.run(() => put(partition, items.slice(at, at + AT_ONCE)), callOptions)
      }
    },

    nearest: (partition, query, callOptions) =>
      guard.run(async (step) => {
        check.partition(partition)
        check.count(query.count)
        check.vector(query.vector, undefined, 'the query')
        const vector = query.vector.slice()
        await ready(partition, step)
        return held.nearest(partition, { vector, count: query.count }, () => throwIfAborted(callOptions))
      }, callOptions),

    delete: (partition, ids, callOptions) =>
      guard.run(async () => {
        const drops = checkedIds(partition, ids)
        if (drops.length === 0) return
        const keys = keysOf(partition)
        const version = Number(String(await runScriptOfBytes(client, DROP, [keys.items, keys.order, ...drops], 2)))
        await tell(partition, { version, puts: [], drops }, [])
      }, callOptions),

    usage: held.usage,

    close() {
      unlisten()
      replicas.clear()
      held.clear()
    },
  }
}

function changeOf(type: string, payload: Buffer): Change | undefined {
  const list = decodeList(payload)
  if (list === undefined) return undefined
  const { version, pieces } = list
  if (type === DROP_EVENT) return { version, puts: [], drops: pieces.map(String) }
  const puts = pieces.map(decodeItem).filter((item) => item !== undefined)
  return puts.length === pieces.length ? { version, puts, drops: [] } : undefined
}
