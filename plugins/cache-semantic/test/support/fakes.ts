import type { Bus, Cache, CacheEntry, VectorIndex, VectorItem } from '@switchyard/contract'
import { partitionedVectors } from '@switchyard/vector-index'

/** An index in memory, by one clock. `failing` may be set to a fault that every operation meets. */
export interface FakeIndex extends VectorIndex {
  /** What was put and not removed, expired or not. */
  readonly partitions: Map<string, Map<string, VectorItem>>
  failing: 'no' | 'rejects' | 'hangs'
}

export function fakeIndex(now: () => number = () => 0): FakeIndex {
  const partitions = new Map<string, Map<string, VectorItem>>()
  const refuse = (message: string): Error => new Error(message)
  const vectors = partitionedVectors({ maxBytes: 100_000_000, clock: { now }, refuse: refuse as never })
  const index: FakeIndex = {
    partitions,
    failing: 'no',
    capabilities: { dimensions: 'any', shared: false, approximate: false },
    async upsert(partition, items) {
      await fault()
      vectors.upsert(partition, items)
      const held = partitions.get(partition) ?? new Map<string, VectorItem>()
      partitions.set(partition, held)
      for (const item of items) held.set(item.id, item)
    },
    async nearest(partition, query) {
      await fault()
      return vectors.nearest(partition, query)
    },
    async delete(partition, ids) {
      await fault()
      vectors.delete(partition, ids)
      for (const id of ids) partitions.get(partition)?.delete(id)
    },
  }
  const fault = async (): Promise<void> => {
    if (index.failing === 'rejects') throw new Error('the index is away')
    if (index.failing === 'hangs') await new Promise<never>(() => {})
  }
  return index
}

/** A bus in this process. */
export function fakeBus(): Bus {
  const listeners = new Set<readonly [string, (message: Uint8Array) => void]>()
  return {
    capabilities: { shared: true },
    async publish(topic, message) {
      for (const [of, listener] of listeners) if (of === topic) queueMicrotask(() => listener(message.slice()))
    },
    async subscribe(topic, listener) {
      const entry = [topic, listener] as const
      listeners.add(entry)
      return async () => void listeners.delete(entry)
    },
  }
}

/** A cache in this process, without expiry. */
export interface FakeCache extends Cache {
  readonly held: Map<string, CacheEntry>
  failing: boolean
}

export function fakeCache(): FakeCache {
  const held = new Map<string, CacheEntry>()
  const cache: FakeCache = {
    held,
    failing: false,
    capabilities: { tags: false, expiryResolutionMs: 0, shared: true },
    async get(key) {
      if (cache.failing) throw new Error('the cache is away')
      return held.get(key)
    },
    async set(key, entry) {
      if (cache.failing) throw new Error('the cache is away')
      held.set(key, entry)
    },
    delete: async (key) => held.delete(key),
    deleteByTag: async () => {},
  }
  return cache
}
