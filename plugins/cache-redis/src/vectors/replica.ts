import type { PartitionedVectors, StoredVector } from '@switchyard/vector-index'

/** A change of a partition: what came or went, at a version that is higher than that of any change before it. */
export interface Change {
  readonly version: number
  readonly puts: readonly StoredVector[]
  readonly drops: readonly string[]
}

/** What this node has of one partition. Changes may come in any order, and more than once. */
export interface Replica {
  readonly ready: boolean
  apply(change: Change): void
  /** Takes what was read whole, and what was told meanwhile. */
  fill(stored: ReadonlyMap<string, { readonly version: number; readonly item: StoredVector }>): void
}

/** Deleted ids that are remembered, for a put of before that is told late. */
const GRAVES = 1_000

/** Makes a replica that waits to be filled. A change that it cannot apply calls `onBroken`, and it is to be made anew. */
export function replicaOf(
  name: string,
  held: Pick<PartitionedVectors, 'load' | 'upsert' | 'delete'>,
  onBroken: (error: unknown) => void,
): Replica {
  const versions = new Map<string, number>()
  const graves = new Map<string, number>()
  let waiting: Change[] | undefined = []

  function isNews(id: string, version: number): boolean {
    return (versions.get(id) ?? 0) < version && (graves.get(id) ?? 0) < version
  }

  function bury(id: string, version: number): void {
    versions.delete(id)
    graves.delete(id)
    if (graves.size >= GRAVES) graves.delete(graves.keys().next().value as string)
    graves.set(id, version)
  }

  function apply({ version, puts, drops }: Change): void {
    const come = puts.filter(({ id }) => isNews(id, version))
    const go = drops.filter((id) => isNews(id, version))
    for (const { id } of come) {
      versions.set(id, version)
      graves.delete(id)
    }
    for (const id of go) bury(id, version)
    try {
      held.delete(name, go)
      if (come.length > 0) held.upsert(name, come)
    } catch (error) {
      onBroken(error)
    }
  }

  return {
    get ready() {
      return waiting === undefined
    },
    apply(change) {
      if (waiting === undefined) apply(change)
      else waiting.push(change)
    },
    fill(stored) {
      const changes = waiting ?? []
      waiting = undefined
      for (const [id, { version }] of stored) versions.set(id, version)
      held.load(
        name,
        [...stored.values()].map(({ item }) => item),
      )
      for (const change of changes) apply(change)
    },
  }
}
