import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FirstReplyTimes } from '../../src/attempt/first-reply-times.ts'

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * share) - 1] as number
}

describe('first reply times', () => {
  test('give quantiles that are right to one bucket', () => {
    const times = fc.array(fc.double({ min: 0, max: 900_000, noNaN: true }), { minLength: 1, maxLength: 300, size: 'max' })
    fc.assert(
      fc.property(times, (given) => {
        const recorder = new FirstReplyTimes()
        for (const ms of given) recorder.record(ms, 1_000)
        for (const [got, share] of [
          [recorder.p50(1_000, 1), 0.5],
          [recorder.p95(1_000, 1), 0.95],
        ] as const) {
          const exact = quantile(given, share)
          // Its upper bound, less than a ninth above it (8 buckets an octave of ms + 1).
          expect(got).toBeGreaterThanOrEqual(exact - 1e-6)
          expect((got as number) + 1).toBeLessThanOrEqual((exact + 1) * 2 ** (1 / 8) + 1e-6)
        }
      }),
    )
  })

  test('say nothing of fewer times than are asked for', () => {
    const recorder = new FirstReplyTimes()
    expect(recorder.p50(0, 0)).toBeUndefined()
    for (let i = 0; i < 99; i++) recorder.record(10, 0)
    expect(recorder.p95(0, 100)).toBeUndefined()
    recorder.record(10, 0)
    expect(recorder.p95(0, 100)).toBeGreaterThanOrEqual(10)
  })

  test('forget what is older than two minutes', () => {
    const recorder = new FirstReplyTimes()
    for (let i = 0; i < 50; i++) recorder.record(1_000, 0)
    expect(recorder.count(60_000)).toBe(50)
    for (let i = 0; i < 50; i++) recorder.record(10, 60_000)
    expect(recorder.p95(60_000, 1)).toBeGreaterThan(900)
    expect(recorder.count(120_000)).toBe(50)
    expect(recorder.p95(120_000, 1)).toBeLessThan(20)
    expect(recorder.count(1_000_000)).toBe(0)
    recorder.record(5, 1_000_000)
    expect(recorder.p50(1_000_000, 1)).toBeLessThan(6)
  })

  test('take times beyond all bounds', () => {
    const recorder = new FirstReplyTimes()
    recorder.record(-1, 0)
    recorder.record(1e12, 0)
    expect(recorder.count(0)).toBe(2)
    expect(recorder.p95(0, 1)).toBeGreaterThan(900_000)
  })
})
