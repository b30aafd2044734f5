/** Something that ends at a known time and knows its own place in a heap. */
export interface Expiring {
  /** Epoch ms; fixed while it is in a heap. */
  readonly expiresAt: number
  /** Kept by the heap; -1 outside. */
  place: number
}

/** What expires next, and anything out of the middle: each in O(log n), so that nothing replaced or evicted stays behind. */
export interface ExpiryHeap<T extends Expiring> {
  readonly size: number
  add(item: T): void
  /** Does nothing for an item that is not in the heap. */
  remove(item: T): void
  /** Takes out the next item whose `expiresAt` is `now` or earlier. */
  takeDue(now: number): T | undefined
  clear(): void
}

/** Makes an empty binary min-heap by `expiresAt`. */
export function expiryHeap<T extends Expiring>(): ExpiryHeap<T> {
  const items: T[] = []
  return {
    get size() {
      return items.length
    },
    add(item) {
      heapAdd(items, item)
    },
    remove(item) {
      heapRemove(items, item)
    },
    takeDue(now) {
      const first = items[0]
      if (first === undefined || first.expiresAt > now) return undefined
      heapRemove(items, first)
      return first
    },
    clear() {
      for (const item of items) item.place = -1
      items.length = 0
    },
  }
}

/** Adds to a heap that is a bare array, for owners of very many small heaps; the first item is the next to expire. */
export function heapAdd<T extends Expiring>(items: T[], item: T): void {
  items.push(item)
  rise(items, item, items.length - 1)
}

/** Takes an item out of a heap that is a bare array; does nothing for an item that is not in it. */
export function heapRemove<T extends Expiring>(items: T[], item: T): void {
  const { place } = item
  if (place < 0 || items[place] !== item) return
  item.place = -1
  const last = items.pop() as T
  if (last === item) return
  if (place > 0 && last.expiresAt < (items[(place - 1) >>> 1] as T).expiresAt) rise(items, last, place)
  else sink(items, last, place)
}

function put<T extends Expiring>(items: T[], item: T, place: number): void {
  items[place] = item
  item.place = place
}

function rise<T extends Expiring>(items: T[], item: T, from: number): void {
  let place = from
  while (place > 0) {
    const above = (place - 1) >>> 1
    const parent = items[above] as T
    if (parent.expiresAt <= item.expiresAt) break
    put(items, parent, place)
    place = above
  }
  put(items, item, place)
}

function sink<T extends Expiring>(items: T[], item: T, from: number): void {
  let place = from
  for (;;) {
    let below = 2 * place + 1
    if (below >= items.length) break
    const right = items[below + 1]
    if (right !== undefined && right.expiresAt < (items[below] as T).expiresAt) below += 1
    const child = items[below] as T
    if (child.expiresAt >= item.expiresAt) break
    put(items, child, place)
    place = below
  }
  put(items, item, place)
}
