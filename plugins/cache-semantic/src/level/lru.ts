/** A map that forgets what was not used for longest once it holds more than `size`. */
export interface Lru<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  /** Least recently used first. */
  entries(): Iterable<readonly [string, V]>
}

/** An empty one. */
export function lru<V>(size: number): Lru<V> {
  const held = new Map<string, V>()
  return {
    get(key) {
      const value = held.get(key)
      if (value !== undefined) {
        held.delete(key)
        held.set(key, value)
      }
      return value
    },
    set(key, value) {
      held.delete(key)
      held.set(key, value)
      if (held.size > size) held.delete(held.keys().next().value as string)
    },
    delete: (key) => void held.delete(key),
    entries: () => held,
  }
}
