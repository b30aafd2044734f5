import type { VectorIndex, VectorItem, VectorMatch } from '@switchyard/contract'
import type { Mutant, Opened } from '../../conformance/suite.ts'

/** A mutant that does what the right index does, but for `change`. */
export function mutant(
  name: string,
  killedBy: string,
  change: (right: VectorIndex, opened: Opened<VectorIndex>) => Partial<VectorIndex>,
): Mutant<VectorIndex> {
  return {
    name,
    killedBy,
    mutate: (right, opened) => ({
      capabilities: right.capabilities,
      upsert: (partition, items, options) => right.upsert(partition, items, options),
      nearest: (partition, query, options) => right.nearest(partition, query, options),
      delete: (partition, ids, options) => right.delete(partition, ids, options),
      ...change(right, opened),
    }),
  }
}

/** Puts other items than it was given; `undefined` leaves one out. */
export function puts(
  right: VectorIndex,
  changed: (item: VectorItem, partition: string) => VectorItem | undefined,
): Partial<VectorIndex> {
  return {
    async upsert(partition, items, options) {
      const others = items.flatMap((item) => changed(item, partition) ?? [])
      await right.upsert(partition, others, options)
    },
  }
}

/** Gives other matches than it found. */
export function finds(
  right: VectorIndex,
  changed: (matches: readonly VectorMatch[], count: number, partition: string) => readonly VectorMatch[],
): Partial<VectorIndex> {
  return {
    async nearest(partition, query, options) {
      return changed(await right.nearest(partition, query, options), query.count, partition)
    },
  }
}

/** Takes one partition for another. */
export function confusesPartitions(right: VectorIndex, changed: (partition: string) => string): Partial<VectorIndex> {
  return {
    upsert: (partition, items, options) => right.upsert(changed(partition), items, options),
    nearest: (partition, query, options) => right.nearest(changed(partition), query, options),
    delete: (partition, ids, options) => right.delete(changed(partition), ids, options),
  }
}

/** Takes one id for another. */
export function confusesIds(right: VectorIndex, changed: (id: string) => string): Partial<VectorIndex> {
  return {
    ...puts(right, (item) => ({ ...item, id: changed(item.id) })),
    delete: (partition, ids, options) => right.delete(partition, ids.map(changed), options),
  }
}

/** Vectors that a right index would refuse become ones that it takes. */
export function mended(index: VectorIndex, vector: Float32Array, dimensions: number): Float32Array {
  const { capabilities } = index
  const right = new Float32Array(capabilities.dimensions === 'any' ? dimensions : capabilities.dimensions)
  for (let at = 0; at < right.length; at += 1) {
    const number = vector[at] ?? 0
    right[at] = Number.isFinite(number) ? number : 1
  }
  if (right.every((number) => number === 0)) right[0] = 1
  return right
}

/** Does as if nothing had been wrong with a call that the right index refuses. */
export async function silently<T>(call: () => Promise<T>, instead: T): Promise<T> {
  try {
    return await call()
  } catch {
    return instead
  }
}
