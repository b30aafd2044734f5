import { definePort, type Port } from '../port.ts'
import type { CallOptions } from '../runtime.ts'

export interface VectorItem {
  /** Unique within its partition; not empty. */
  readonly id: string
  /** Length and finite numbers are checked; it is scaled to unit length. All zeros is `INVALID_REQUEST`. */
  readonly vector: Float32Array
  /** Epoch ms by the injected clock; absent = never. */
  readonly expiresAt?: number
  /** Handed back by `nearest`; at most 16 KiB. */
  readonly payload?: Uint8Array
}

export interface VectorMatch {
  readonly id: string
  /** Cosine, in [-1, 1]. */
  readonly similarity: number
  readonly payload: Uint8Array | undefined
}

/** Vectors by partition: no search ever sees another partition. Input and output are copies. */
export interface VectorIndex {
  readonly capabilities: {
    readonly dimensions: number | 'any'
    readonly shared: boolean
    /** The nearest may be missed. */
    readonly approximate: boolean
  }
  /**
   * Adds items or replaces those of the same id, for searches of this node once it resolves, and of the others soon after. Vectors of one
   * partition are of one length: another is `INVALID_REQUEST`, as are an empty partition or id, here and below. `TOO_LARGE` for
   * what could never fit. Bounded: where room runs out, whole partitions or items that were not used for longest may go.
   */
  upsert(partition: string, items: readonly VectorItem[], options?: CallOptions): Promise<void>
  /** Nearest first, at most `count` (1 to 1,000) unexpired items of the partition; none where it is unknown. Equal similarities come in any order. */
  nearest(
    partition: string,
    query: { readonly vector: Float32Array; readonly count: number },
    options?: CallOptions,
  ): Promise<readonly VectorMatch[]>
  /** Unknown ids are passed over. Gone for this node once it resolves, for the others soon after. */
  delete(partition: string, ids: readonly string[], options?: CallOptions): Promise<void>
}

export const vectors: Port<VectorIndex> = definePort<VectorIndex>('vectors', 1)
