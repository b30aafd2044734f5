import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Flight } from '../src/pipeline/flight.ts'
import { Flights } from '../src/pipeline/flights.ts'

const flightsOf = (count: number): Flight[] => Array.from({ length: count }, () => ({ place: -1 }) as Flight)

describe('the flights of an assembly', () => {
  it('are those that began and have not ended, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), (steps) => {
        const all = flightsOf(10)
        const flights = new Flights()
        const model = new Set<Flight>()
        for (const [begins, which] of steps) {
          const flight = all[which] as Flight
          if (!begins) {
            flights.delete(flight)
            model.delete(flight)
          } else if (!model.has(flight)) {
            flights.add(flight)
            model.add(flight)
          }
          expect(flights.size).toBe(model.size)
          expect([...flights].every((held) => model.has(held))).toBe(true)
        }
      }),
    )
  })

  it('are walked as they stood, whichever end meanwhile', () => {
    const flights = new Flights()
    const all = flightsOf(3)
    for (const flight of all) flights.add(flight)
    const walked: Flight[] = []
    for (const flight of flights) {
      walked.push(flight)
      flights.delete(flight)
    }
    expect(walked).toEqual(all)
    expect(flights.size).toBe(0)
  })
})
