import type { Flight } from './flight.ts'

/**
 * The flights of one assembly, each added once and removed once, in no order. An array and not a Set: a set that many go through makes new
 * tables all the time, each of which the one before holds on to, so that the collector keeps calls that are long over.
 */
export class Flights implements Iterable<Flight> {
  private readonly all: Flight[] = []

  get size(): number {
    return this.all.length
  }

  add(flight: Flight): void {
    flight.place = this.all.length
    this.all.push(flight)
  }

  /** Without effect where it is not among them. */
  delete(flight: Flight): void {
    const { place } = flight
    if (place === -1) return
    const last = this.all.pop() as Flight
    if (last !== flight) {
      this.all[place] = last
      last.place = place
    }
    flight.place = -1
  }

  /** Those that are under way now, whichever end meanwhile. */
  [Symbol.iterator](): ArrayIterator<Flight> {
    return this.all.slice().values()
  }
}
