import { createHash } from 'node:crypto'

/** Names of the keys of a partition, which share a slot of a cluster. */
export interface PartitionKeys {
  /** The items: a hash of records, or a vector set. */
  readonly items: string
  /** Ids by the time they were written, or by when they expire. */
  readonly order: string
  /** Payloads, beside a vector set. */
  readonly payloads: string
}

/** Makes names for the keys of a prefix. A partition's name may be of any length and hold braces, so its digest stands for it. */
export function partitionKeys(keyPrefix: string, kind: 'vectors' | 'vectorset'): (partition: string) => PartitionKeys {
  return (partition) => {
    const shared = `${keyPrefix}${kind}:{${createHash('sha256').update(partition).digest('base64url').slice(0, 27)}}:`
    return { items: `${shared}items`, order: `${shared}order`, payloads: `${shared}payloads` }
  }
}
