import { checks, type Refuse } from './checks.ts'
import { leastBytes, type Partition, partitionOf } from './partition.ts'
import { type RowStore, rowStore } from './row-store.ts'

/** As the port `vectors` has it: `VectorItem`. */
export interface StoredVector {
  readonly id: string
  readonly vector: Float32Array
  /** Epoch ms; absent = never. */
  readonly expiresAt?: number
  readonly payload?: Uint8Array
}

/** As the port `vectors` has it: `VectorMatch`. */
export interface FoundVector {
  readonly id: string
  readonly similarity: number
  readonly payload: Uint8Array | undefined
}

export interface PartitionedVectorsOptions {
  /** Bytes that all partitions together may take; beyond it the least recently used partitions go. */
  readonly maxBytes: number
  /** Bytes that one partition may take, at most `maxBytes`; beyond it its least recently used items go. Default: `maxBytes`. */
  readonly maxPartitionBytes?: number
  readonly clock: { now(): number }
  /** Makes what is thrown, so that callers get errors of their own kind. */
  readonly refuse: Refuse
  /** Lets other work run between two slices of a search. Default: until after the next I/O. */
  readonly pause?: () => Promise<void>
  /** Told of each partition that went whole for want of room, after it did. */
  readonly onEvict?: (partition: string) => void
}

/** Vectors by partition, in this process. */
export interface PartitionedVectors {
  /** Adds items or replaces those of the same id; all or, where one is refused, none. */
  upsert(partition: string, items: readonly StoredVector[]): void
  /** Puts these items in the place of all that the partition has. */
  load(partition: string, items: readonly StoredVector[]): void
  /**
   * Nearest first, at most `count` unexpired items. Looks at up to 8 MiB of rounded rows at a time, some 20,000 vectors of 384 numbers,
   * and pauses before it goes on; `goOn` is called after each pause, and ends the search by what it throws.
   */
  nearest(
    partition: string,
    query: { readonly vector: Float32Array; readonly count: number },
    goOn?: () => void,
  ): Promise<readonly FoundVector[]>
  delete(partition: string, ids: readonly string[]): void
  /** Whether the partition has items, expired ones included. */
  has(partition: string): boolean
  /** Drops a partition whole; whether it was there. */
  drop(partition: string): boolean
  /** Bytes that a partition counts; 0 where it is unknown. */
  bytesOf(partition: string): number
  /** What is there, as counted, and bytes of memory held for rows, those given back included. */
  usage(): { readonly partitions: number; readonly items: number; readonly bytes: number; readonly heldBytes: number }
  /** Drops all. */
  clear(): void
}

/** Bytes of rounded rows that are looked at in one go: half a millisecond to one where they are not in a processor's cache. */
const SLICE_BYTES = 8 * 1024 * 1024
/** Items that are looked at for having expired, for each that is put and for each search. */
const SWEEP_PER_ITEM = 2
const SWEEP_PER_SEARCH = 32

/**
 * Makes an empty store. No search sees another partition, nor what has expired by `clock.now()`; expired items go as searches and
 * upserts pass by, a few at a time. Partitions of one length share their rows, so that what one gives back another takes. Nothing that
 * was handed in is kept, and nothing that is kept is handed out.
 */
export function partitionedVectors(options: PartitionedVectorsOptions): PartitionedVectors {
  const { maxBytes, maxPartitionBytes = maxBytes, clock, refuse, onEvict } = options
  const pause = options.pause ?? (() => new Promise<void>((resolve) => setImmediate(resolve)))
  const check = checks(refuse)
  // In order of use, the first the least recently used.
  const partitions = new Map<string, Partition>()
  const stores = new Map<number, { readonly rows: RowStore; users: number }>()
  let bytes = 0

  function open(name: string, dimensions: number): Partition {
    const store = stores.get(dimensions) ?? { rows: rowStore(dimensions), users: 0 }
    stores.set(dimensions, store)
    store.users += 1
    const partition = partitionOf(name, store.rows)
    partitions.set(name, partition)
    bytes += partition.bytes
    return partition
  }

  function close(partition: Partition): void {
    // An evicted one may be closed once more by who was at it.
    if (partitions.get(partition.name) !== partition) return
    bytes -= partition.bytes
    partition.clear()
    partitions.delete(partition.name)
    const store = stores.get(partition.dimensions)
    if (store === undefined) return
    store.users -= 1
    // WebAssembly memory never shrinks: it is let go whole.
    if (store.users === 0) stores.delete(partition.dimensions)
  }

  /** Changes a partition and counts it anew; one that is empty then goes. */
  function change(partition: Partition, how: () => void): void {
    const before = partition.bytes
    how()
    bytes += partition.bytes - before
    if (partition.size === 0) close(partition)
  }

  /** Ends in at most as many steps as there are partitions and items. */
  function makeRoom(partition: Partition): void {
    while (partition.bytes > maxPartitionBytes) change(partition, partition.removeOldest)
    for (const other of partitions.values()) {
      if (bytes <= maxBytes) return
      if (other === partition) continue
      close(other)
      onEvict?.(other.name)
    }
    while (bytes > maxBytes) change(partition, partition.removeOldest)
  }

  function fill(name: string, items: readonly StoredVector[]): void {
    const now = clock.now()
    for (const item of items) {
      const { id, vector, expiresAt = Number.POSITIVE_INFINITY } = item
      const standing = partitions.get(name)
      if (expiresAt <= now) {
        if (standing !== undefined) change(standing, () => standing.remove(id))
        continue
      }
      const partition = standing ?? open(name, vector.length)
      change(partition, () => partition.put(item))
      makeRoom(partition)
    }
    const partition = partitions.get(name)
    if (partition === undefined) return
    use(partition)
    change(partition, () => partition.sweep(items.length * SWEEP_PER_ITEM, now))
  }

  function use(partition: Partition): void {
    partitions.delete(partition.name)
    partitions.set(partition.name, partition)
  }

  function checkAll(name: string, items: readonly StoredVector[], dimensions: number | undefined): void {
    check.partition(name)
    check.items(items, dimensions)
    for (const item of items) {
      const least = leastBytes(name, item)
      if (least <= maxPartitionBytes) continue
      const what = `a partition with one vector of ${item.vector.length} numbers`
      throw refuse(
        'TOO_LARGE',
        `${what} takes ${least} bytes, one may take ${maxPartitionBytes}; raise that, or use shorter vectors`,
      )
    }
  }

  return {
    upsert(name, items) {
      checkAll(name, items, partitions.get(name)?.dimensions)
      fill(name, items)
    },

    load(name, items) {
      checkAll(name, items, undefined)
      const former = partitions.get(name)
      if (former !== undefined) close(former)
      fill(name, items)
    },

    async nearest(name, { vector, count }, goOn) {
      check.partition(name)
      check.count(count)
      const partition = partitions.get(name)
      check.vector(vector, partition?.dimensions, 'the query')
      if (partition === undefined) return []
      use(partition)
      change(partition, () => partition.sweep(SWEEP_PER_SEARCH, clock.now()))
      const search = partition.search(vector, count, ({ expiresAt }) => expiresAt > clock.now())
      const slice = Math.ceil(SLICE_BYTES / vector.length)
      while (search.look(slice)) {
        await pause()
        goOn?.()
      }
      const now = clock.now()
      const found: FoundVector[] = []
      for (const { item, similarity } of search.found()) {
        if (item.expiresAt <= now) continue
        partition.use(item)
        found.push({ id: item.id, similarity, payload: item.payload && new Uint8Array(item.payload) })
      }
      return found
    },

    delete(name, ids) {
      check.partition(name)
      check.ids(ids)
      const partition = partitions.get(name)
      if (partition === undefined) return
      change(partition, () => {
        for (const id of ids) partition.remove(id)
      })
    },

    has: (name) => partitions.has(name),

    drop(name) {
      const partition = partitions.get(name)
      if (partition !== undefined) close(partition)
      return partition !== undefined
    },

    bytesOf: (name) => partitions.get(name)?.bytes ?? 0,

    usage() {
      let [items, heldBytes] = [0, 0]
      for (const { size } of partitions.values()) items += size
      for (const { rows } of stores.values()) heldBytes += rows.usage().bytes
      return { partitions: partitions.size, items, bytes, heldBytes }
    },

    clear() {
      for (const partition of [...partitions.values()]) close(partition)
    },
  }
}
