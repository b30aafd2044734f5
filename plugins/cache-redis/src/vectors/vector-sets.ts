import type { CallOptions, Clock, VectorIndex, VectorItem } from '@switchyard/contract'
import type { StoredVector } from '@switchyard/vector-index'
import { Cluster } from 'ioredis'
import type { Client } from '../connection.ts'
import { throwIfAborted, toSwitchyardError } from '../errors.ts'
import type { Guard } from '../guard.ts'
import { runScriptOfBytes } from '../run-script.ts'
import { check, checkedIds, checkedItems, livesMs, otherLength } from './checked.ts'
import { partitionKeys } from './keys.ts'
import { bytesOf } from './records.ts'
import { SET_DROP, SET_NEAREST, SET_PUT } from './vector-set-scripts.ts'

export interface VectorSetsOptions {
  readonly client: Client
  readonly guard: Guard
  readonly clock: Pick<Clock, 'now'>
  readonly keyPrefix: string
  /** Items that Redis keeps of one partition. */
  readonly maxVectorsPerPartition: number
}

/** What an item that never expires has for an expiry: the filter finds none where there is no number. */
const NEVER = 9e15
/** Items of one command: each takes Redis half a millisecond, in which it does nothing else. */
const PUT_AT_ONCE = 20
/** Candidates that a search looks at; more find what fewer may miss. */
const LEAST_CANDIDATES = 200
const FILTERED_CANDIDATES = 20_000

/** Whether every master knows vector sets, as Redis does from 8.0 on. One that keeps that to itself does not. */
export async function knowsVectorSets(client: Client): Promise<boolean> {
  const nodes = client instanceof Cluster ? client.nodes('master') : [client]
  const said = await Promise.allSettled(nodes.map((node) => node.call('COMMAND', 'INFO', 'VADD', 'VSIM')))
  return said.every((one) => one.status === 'fulfilled' && Array.isArray(one.value) && one.value.every(Boolean))
}

/**
 * Makes an index on vector sets: one a partition, so that no search sees another, with numbers as they are (`NOQUANT`). Redis searches, in
 * a graph, so the nearest may be missed; and nodes see each other's changes at once.
 */
export function vectorSets({ client, guard, clock, keyPrefix, maxVectorsPerPartition }: VectorSetsOptions): VectorIndex {
  const namesOf = partitionKeys(keyPrefix, 'vectorset')
  const keysOf = (partition: string): readonly string[] => {
    const { items, order, payloads } = namesOf(partition)
    return [items, order, payloads]
  }

  async function put(partition: string, items: readonly StoredVector[]): Promise<void> {
    const now = clock.now()
    const isOver = ({ expiresAt = NEVER }: StoredVector): boolean => expiresAt <= now
    const puts = items.filter((item) => !isOver(item))
    const each = puts.flatMap(({ id, vector, expiresAt = NEVER, payload }) => [
      id,
      bytesOf(vector),
      String(Math.min(expiresAt, NEVER)),
      payload === undefined ? '-' : Buffer.concat([Buffer.from('p'), payload]),
    ])
    const head = [String(now), String(livesMs(puts, now)), String(maxVectorsPerPartition), String(puts.length)]
    const drops = items.filter(isOver).map(({ id }) => id)
    const there = await runScriptOfBytes(client, SET_PUT, [...keysOf(partition), ...head, ...each, ...drops], 3)
    if (there !== 0) throw otherLength(String(there), items[0]?.vector.length)
  }

  return {
    capabilities: Object.freeze({ dimensions: 'any', shared: true, approximate: true }),

    async upsert(partition: string, given: readonly VectorItem[], callOptions?: CallOptions) {
      throwIfAborted(callOptions)
      const items = checkedItems(partition, given)
      for (let at = 0; at < items.length; at += PUT_AT_ONCE) {
        await guard.run(() => put(partition, items.slice(at, at + PUT_AT_ONCE)), callOptions)
      }
    },

    nearest: (partition, { vector, count }, callOptions) =>
      guard.run(async () => {
        check.partition(partition)
        check.count(count)
        check.vector(vector, undefined, 'the query')
        const candidates = String(Math.max(count, LEAST_CANDIDATES))
        const args = [Buffer.from(bytesOf(vector)), String(count), String(clock.now()), candidates, String(FILTERED_CANDIDATES)]
        const found = (await runScriptOfBytes(client, SET_NEAREST, [...keysOf(partition), ...args], 3).catch(
          (error: unknown) => {
            const known = toSwitchyardError(error)
            throw /dimension mismatch/i.test(known.message) ? otherLength('another count of', vector.length) : known
          },
        )) as readonly (Buffer | null)[]
        return Array.from({ length: found.length / 3 }, (_, at) => {
          const payload = found[at * 3 + 2]
          return {
            id: String(found[at * 3]),
            // A score is (1 + cosine) / 2.
            similarity: Math.max(-1, Math.min(1, 2 * Number(found[at * 3 + 1]) - 1)),
            payload: payload ? new Uint8Array(payload) : undefined,
          }
        })
      }, callOptions),

    delete: (partition, ids, callOptions) =>
      guard.run(async () => {
        const drops = checkedIds(partition, ids)
        if (drops.length > 0) await runScriptOfBytes(client, SET_DROP, [...keysOf(partition), ...drops], 3)
      }, callOptions),
  }
}
