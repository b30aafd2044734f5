interface Place<W> {
  readonly waiter: W
  readonly since: number
  older: Place<W> | undefined
  newer: Place<W> | undefined
}

/** Who waits, in the order in which they came; whoever stands anywhere leaves at once. */
export class WaitLine<W> {
  private readonly places = new Map<W, Place<W>>()
  private head: Place<W> | undefined = undefined
  private tail: Place<W> | undefined = undefined

  get size(): number {
    return this.places.size
  }

  get oldest(): W | undefined {
    return this.head?.waiter
  }

  get newest(): W | undefined {
    return this.tail?.waiter
  }

  /** Since when the oldest waits; undefined where nobody does. */
  get oldestSince(): number | undefined {
    return this.head?.since
  }

  add(waiter: W, since: number): void {
    const place: Place<W> = { waiter, since, older: this.tail, newer: undefined }
    if (this.tail === undefined) this.head = place
    else this.tail.newer = place
    this.tail = place
    this.places.set(waiter, place)
  }

  /** False if it was not there. */
  delete(waiter: W): boolean {
    const place = this.places.get(waiter)
    if (place === undefined) return false
    const { older, newer } = place
    if (older === undefined) this.head = newer
    else older.newer = newer
    if (newer === undefined) this.tail = older
    else newer.older = older
    return this.places.delete(waiter)
  }
}
