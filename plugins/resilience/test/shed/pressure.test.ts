import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resilienceOptions } from '../../src/options.ts'
import { countedLevel, type Measured, measuredLevel, type PressureLevel } from '../../src/shed/pressure.ts'

const { pressure } = resilienceOptions.parse({ pressure: { inFlightOn: 100, socketsOn: 1_000, socketsOff: 800 } })
const QUIET: Measured = { loopDelayMs: 0, loopUtilisation: 0, heapShare: 0, sockets: 0 }
const level = (before: PressureLevel, measured: Partial<Measured>): PressureLevel =>
  measuredLevel(before, { ...QUIET, ...measured }, pressure)

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
  ] as const)('from %i at %i ms is %i', (before, loopDelayMs, after) => {
    expect(level(before, { loopDelayMs })).toBe(after)
  })

  test.each([
    [0, 0.94, 0],
    [0, 0.95, 1],
    [1, 0.85, 1],
    [1, 0.84, 0],
    // A loop that is always busy may still be in time for those who wait.
    [0, 1, 1],
    [2, 1, 1],
  ] as const)('from %i with a loop busy for %d is %i', (before, loopUtilisation, after) => {
    expect(level(before, { loopUtilisation })).toBe(after)
  })

  test.each([
    [0, 0.84, 0],
    [0, 0.85, 1],
    [1, 0.76, 1],
    [1, 0.74, 0],
    [1, 0.94, 1],
    [1, 0.951, 2],
    [2, 0.92, 2],
    [2, 0.91, 1],
    [0, 0.986, 3],
    [3, 0.976, 3],
    [3, 0.974, 2],
  ] as const)('from %i with a heap full to %d is %i', (before, heapShare, after) => {
    expect(level(before, { heapShare })).toBe(after)
  })

  test.each([
    [0, 999, 0],
    [0, 1_000, 1],
    [1, 800, 1],
    [1, 799, 0],
    [0, 3_000, 2],
  ] as const)('from %i with %i sockets is %i', (before, sockets, after) => {
    expect(level(before, { sockets })).toBe(after)
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
    expect(countedLevel(before, inFlight, pressure)).toBe(after)
  })

  test('takes no notice of what has no mark', () => {
    const input = { loopUtilisationOn: false, heapShareOn: false } as const
    const unmarked = resilienceOptions.parse({ pressure: input }).pressure
    expect(measuredLevel(0, { loopDelayMs: 0, loopUtilisation: 1, heapShare: 1, sockets: 1e9 }, unmarked)).toBe(0)
    expect(countedLevel(0, 1e9, unmarked)).toBe(0)
  })

  test('does not flap between the two marks, and is no lower for more pressure', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    const reading = fc.record({ loopDelayMs: fc.nat(2_000), loopUtilisation: share, heapShare: share, sockets: fc.nat(20_000) })
    const before = fc.constantFrom<PressureLevel>(0, 1, 2, 3)
    fc.assert(
      fc.property(before, reading, reading, fc.nat(2_000), fc.nat(500), (from, read, more, inFlight, calls) => {
        const after = measuredLevel(from, read, pressure)
        expect(measuredLevel(after, read, pressure)).toBe(after)
        const worse: Measured = {
          loopDelayMs: read.loopDelayMs + more.loopDelayMs,
          loopUtilisation: Math.max(read.loopUtilisation, more.loopUtilisation),
          heapShare: Math.max(read.heapShare, more.heapShare),
          sockets: read.sockets + more.sockets,
        }
        expect(measuredLevel(from, worse, pressure)).toBeGreaterThanOrEqual(after)
        const counted = countedLevel(from, inFlight, pressure)
        expect(countedLevel(counted, inFlight, pressure)).toBe(counted)
        expect(countedLevel(from, inFlight + calls, pressure)).toBeGreaterThanOrEqual(counted)
      }),
    )
  })
})
