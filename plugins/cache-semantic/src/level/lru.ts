/** A map that forgets what was not used for longest once it holds more than `size`. */
export interface Lru<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  /** Least recently used first. */
  entries(): Iterable<readonly [string, V]>
}

/** What entries weigh, and the most that all of them may. */
export interface Weights<V> {
  readonly most: number
  /** The same whenever it is asked of a value. */
  of(value: V): number
}

/** An empty one, bounded by weight too where that is given. */
export function lru<V>(size: number, weights?: Weights<V>): Lru<V> {
  const held = new Map<string, V>()
  let weight = 0
  const drop = (key: string): void => {
    const value = held.get(key)
    if (value === undefined) return
    held.delete(key)
    weight -= weights?.of(value) ?? 0
  }
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
      drop(key)
      held.set(key, value)
      weight += weights?.of(value) ?? 0
      while (held.size > size || (weights !== undefined && weight > weights.most)) drop(held.keys().next().value as string)
    },
    delete: drop,
    entries: () => held,
  }
}
