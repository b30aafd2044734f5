/** Which keys carry a tag. Holds nothing for a tag that no key carries. */
export interface TagIndex {
  /** Tags that at least one key carries. */
  readonly size: number
  add(key: string, tags: readonly string[]): void
  remove(key: string, tags: readonly string[]): void
  /** How many keys carry it. */
  count(tag: string): number
  /** A copy, so that it may be walked while keys go. */
  keysOf(tag: string): readonly string[]
}

/** Makes an empty index. */
export function tagIndex(): TagIndex {
  const index = new Map<string, Set<string>>()
  return {
    get size() {
      return index.size
    },
    add(key, tags) {
      for (const tag of tags) {
        const keys = index.get(tag)
        if (keys === undefined) index.set(tag, new Set([key]))
        else keys.add(key)
      }
    },
    remove(key, tags) {
      for (const tag of tags) {
        const keys = index.get(tag)
        if (keys?.delete(key) && keys.size === 0) index.delete(tag)
      }
    },
    count: (tag) => index.get(tag)?.size ?? 0,
    keysOf: (tag) => [...(index.get(tag) ?? [])],
  }
}
