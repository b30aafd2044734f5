import { type Clock, SwitchyardError, type VectorIndex } from '@switchyard/contract'
import { partitionedVectors } from '@switchyard/vector-index'
import { throwIfAborted } from './errors.ts'

export interface MemoryVectorsOptions {
  /** Bytes that all partitions together may take; one may take half of them. */
  readonly maxBytes: number
  readonly clock: Pick<Clock, 'now'>
}

/** Vectors in this process, and what they take. */
export interface MemoryVectors extends VectorIndex {
  /** Partitions, items and bytes as counted, and bytes of memory held for rows; expired items that were not yet swept included. */
  usage(): { readonly partitions: number; readonly items: number; readonly bytes: number; readonly heldBytes: number }
  /** Drops all. */
  clear(): void
}

/**
 * Makes an empty index that is searched exactly. Where bytes run out, the partitions that were not used for longest go whole; where
 * one partition would pass half of them, its items that were not used for longest. A search of many vectors lets other work run
 * between its slices, and heeds its signal there.
 */
export function memoryVectors({ maxBytes, clock }: MemoryVectorsOptions): MemoryVectors {
  const held = partitionedVectors({
    maxBytes,
    maxPartitionBytes: Math.ceil(maxBytes / 2),
    clock,
    refuse: (code, message) => new SwitchyardError(code, message),
  })
  return {
    capabilities: Object.freeze({ dimensions: 'any', shared: false, approximate: false }),

    async upsert(partition, items, options) {
      throwIfAborted(options)
      held.upsert(partition, items)
    },

    async nearest(partition, query, options) {
      throwIfAborted(options)
      return held.nearest(partition, query, () => throwIfAborted(options))
    },

    async delete(partition, ids, options) {
      throwIfAborted(options)
      held.delete(partition, ids)
    },

    usage: held.usage,
    clear: held.clear,
  }
}
