import type { VectorItem } from '@switchyard/contract'

/** Remembers what was put, by partition and id. */
export function remembering(): {
  note(partition: string, items: readonly VectorItem[]): void
  get(partition: string, id: string): VectorItem | undefined
} {
  const known = new Map<string, VectorItem>()
  const key = (partition: string, id: string): string => JSON.stringify([partition, id])
  return {
    note(partition, items) {
      for (const item of items) known.set(key(partition, item.id), item)
    },
    get: (partition, id) => known.get(key(partition, id)),
  }
}

/** An item that never expires. */
export const withoutExpiry = ({ id, vector, payload }: VectorItem): VectorItem => ({ id, vector, ...(payload && { payload }) })
/** An item with no payload. */
export const withoutPayload = ({ id, vector, expiresAt }: VectorItem): VectorItem => ({
  id,
  vector,
  ...(expiresAt === undefined ? {} : { expiresAt }),
})
