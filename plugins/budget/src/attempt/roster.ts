/** Where a member stands on its roster; -1 while it is on none. Kept by the roster. */
export interface Member {
  place: number
}

/**
 * What is under way, each added once and removed once, in no order. An array and not a Set: a set that many go through makes new tables
 * all the time, each of which the one before holds on to, so that the collector keeps what is long gone.
 */
export class Roster<T extends Member> implements Iterable<T> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  add(member: T): void {
    member.place = this.#members.length
    this.#members.push(member)
  }

  /** Without effect where it is not on the roster. */
  delete(member: T): void {
    const { place } = member
    if (place === -1) return
    const last = this.#members.pop() as T
    if (last !== member) {
      this.#members[place] = last
      last.place = place
    }
    member.place = -1
  }

  /** Those that are on it now, whoever joins or leaves meanwhile. */
  [Symbol.iterator](): ArrayIterator<T> {
    return this.#members.slice().values()
  }
}
