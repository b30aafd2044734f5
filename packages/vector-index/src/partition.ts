import type { StoredVector } from './partitioned-vectors.ts'
import { chunkBytesOf, type RowStore } from './row-store.ts'
import { NOWHERE, type Placed, type Search, vectorIndex } from './vector-index.ts'

/** What is kept beside a row, measured as heap over 100,000 items on Node 24. */
const ITEM_OVERHEAD_BYTES = 192
const PAYLOAD_OVERHEAD_BYTES = 208
const PARTITION_OVERHEAD_BYTES = 3_584

export interface Item extends Placed {
  readonly id: string
  /** Epoch ms; infinity = never. */
  expiresAt: number
  payload: Uint8Array | undefined
  /** Beside its row. */
  bytes: number
}

/** Vectors of one partition with what belongs to them, in order of use. */
export interface Partition {
  readonly name: string
  readonly dimensions: number
  readonly size: number
  /** Rows by the chunk, and all that is beside them. */
  readonly bytes: number
  put(item: StoredVector): void
  remove(id: string): void
  removeOldest(): void
  /** Removes those of the next `most` that have expired, going round and round. */
  sweep(most: number, now: number): void
  search(query: Float32Array, count: number, accept: (item: Item) => boolean): Search<Item>
  /** Makes an item that is there the most recently used. */
  use(item: Item): void
  /** Gives its rows back. It must not be used after it. */
  clear(): void
}

/** Makes an empty partition on rows that it shares with others. */
export function partitionOf(name: string, rows: RowStore): Partition {
  const index = vectorIndex<Item>({ dimensions: rows.dimensions, rows })
  // The first is the least recently used.
  const byId = new Map<string, Item>()
  let itemBytes = 0
  let swept = 0

  function use(item: Item): void {
    byId.delete(item.id)
    byId.set(item.id, item)
  }

  function drop(item: Item): void {
    index.remove(item)
    byId.delete(item.id)
    itemBytes -= item.bytes
  }

  return {
    name,
    dimensions: rows.dimensions,
    use,

    get size() {
      return index.size
    },

    get bytes() {
      return partitionBytes(name) + index.bytes + itemBytes
    },

    put({ id, vector, expiresAt = Number.POSITIVE_INFINITY, payload }) {
      const item = byId.get(id) ?? { id, slot: NOWHERE, expiresAt, payload: undefined, bytes: 0 }
      // First, since it alone may find no memory.
      index.put(item, vector)
      const own = besideRow(id, payload)
      itemBytes += own - item.bytes
      item.bytes = own
      item.expiresAt = expiresAt
      // A copy by constructor: Buffer's slice would be a view of the caller's bytes.
      item.payload = payload === undefined ? undefined : new Uint8Array(payload)
      use(item)
    },

    remove(id) {
      const item = byId.get(id)
      if (item !== undefined) drop(item)
    },

    removeOldest() {
      const [oldest] = byId.values()
      if (oldest !== undefined) drop(oldest)
    },

    sweep(most, now) {
      const { items } = index
      for (let looked = 0; looked < most && items.length > 0; looked += 1) {
        if (swept >= items.length) swept = 0
        const item = items[swept] as Item
        if (item.expiresAt <= now) drop(item)
        else swept += 1
      }
    },

    search: (query, count, accept) => index.search(query, count, accept),

    clear() {
      index.clear()
      byId.clear()
      itemBytes = 0
    },
  }
}

/** Bytes that a partition counts which has this item alone. */
export function leastBytes(name: string, { id, vector, payload }: StoredVector): number {
  return partitionBytes(name) + chunkBytesOf(vector.length) + besideRow(id, payload)
}

function partitionBytes(name: string): number {
  return PARTITION_OVERHEAD_BYTES + 2 * name.length
}

function besideRow(id: string, payload: Uint8Array | undefined): number {
  const own = ITEM_OVERHEAD_BYTES + 2 * id.length
  return payload === undefined ? own : own + PAYLOAD_OVERHEAD_BYTES + payload.byteLength
}
