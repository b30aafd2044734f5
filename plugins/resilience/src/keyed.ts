/** What a `Keyed` map can let go of. */
export interface Kept {
  /** False at first; set at each use but the first, cleared when the map looks for something to drop. */
  used: boolean
  /** Nothing of it is under way, and a new one would do as well. */
  idle(now: number): boolean
}

/** Entries looked at when one must go: bounds what one insertion costs. */
const LOOKS = 32

/**
 * A map that makes what is missing and holds at most `limit` entries while enough of them are idle: keys such as model names come
 * from clients. Drops what was not used since it was last looked at (the clock algorithm), never what is under way.
 */
export class Keyed<T extends Kept> {
  private readonly entries = new Map<string, T>()
  private readonly limit: number
  private readonly make: (key: string) => T

  constructor(limit: number, make: (key: string) => T) {
    this.limit = limit
    this.make = make
  }

  get size(): number {
    return this.entries.size
  }

  get(key: string, now: number): T {
    let entry = this.entries.get(key)
    if (entry === undefined) {
      if (this.entries.size >= this.limit) this.dropOne(now)
      entry = this.make(key)
      this.entries.set(key, entry)
    } else entry.used = true
    return entry
  }

  /** What is there under the key; makes nothing. */
  peek(key: string): T | undefined {
    return this.entries.get(key)
  }

  private dropOne(now: number): void {
    let looks = LOOKS
    for (const [key, entry] of this.entries) {
      if (!entry.used && entry.idle(now)) {
        this.entries.delete(key)
        return
      }
      entry.used = false
      this.entries.delete(key)
      this.entries.set(key, entry)
      if (--looks === 0) return
    }
  }
}
