import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resilienceOptions } from '../../src/options.ts'
import { type PressureLevel, pressureLevel } from '../../src/shed/pressure.ts'

const { pressure } = resilienceOptions.parse({ pressure: { inFlightOn: 100 } })
const level = (before: PressureLevel, loopDelayMs: number, inFlight = 0): PressureLevel =>
  pressureLevel(before, { loopDelayMs, inFlight }, pressure)

describe('the level of pressure', () => {
  test.each([
    [0, 99, 0],
    [0, 100, 1],
    [1, 50, 1],
    [1, 49, 0],
    [1, 299, 1],
    [1, 300, 2],
    [2, 150, 2],
    [2, 149, 1],
    [2, 10, 0],
    [0, 1_000, 3],
    [3, 500, 3],
    [3, 499, 2],
  ] as const)('from %i at %i ms is %i', (before, delay, after) => {
    expect(level(before, delay)).toBe(after)
  })

  test.each([
    [0, 99, 0],
    [0, 100, 1],
    [1, 90, 1],
    [1, 89, 0],
    [1, 300, 2],
    [2, 270, 2],
    [2, 269, 1],
    [0, 1_000, 3],
  ] as const)('from %i with %i calls under way is %i', (before, inFlight, after) => {
    expect(level(before, 0, inFlight)).toBe(after)
  })

  test('takes no notice of calls where they are not counted', () => {
    expect(pressureLevel(0, { loopDelayMs: 0, inFlight: 1e9 }, resilienceOptions.parse({}).pressure)).toBe(0)
  })

  test('does not flap between the two marks, and is no lower for more pressure', () => {
    const reading = fc.record({ loopDelayMs: fc.nat(2_000), inFlight: fc.nat(2_000) })
    const before = fc.constantFrom<PressureLevel>(0, 1, 2, 3)
    fc.assert(
      fc.property(before, reading, fc.nat(500), (from, read, more) => {
        const after = pressureLevel(from, read, pressure)
        expect(pressureLevel(after, read, pressure)).toBe(after)
        const worse = { loopDelayMs: read.loopDelayMs + more, inFlight: read.inFlight + more }
        expect(pressureLevel(from, worse, pressure)).toBeGreaterThanOrEqual(after)
      }),
    )
  })
})
