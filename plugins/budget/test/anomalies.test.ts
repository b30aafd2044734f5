import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { episodes } from '../src/reports/anomalies.ts'
import { HOUR_MS } from '../src/reports/hourly.ts'

const END = Date.parse('2026-03-15T06:00:00Z')
const LAST = END / HOUR_MS
const RULES = { from: END - 14 * 24 * HOUR_MS, to: END, timeZone: 'UTC', floorUsd: 1 }

/** Eight weeks with busy days, and hours that stand out: by hours before the end. */
function series(spikes: Readonly<Record<number, number>> = {}, days = 56): Map<number, number> {
  const hours = new Map<number, number>()
  for (let hour = LAST - days * 24; hour < LAST; hour++) {
    const busy = new Date(hour * HOUR_MS).getUTCHours() >= 8 ? 4 : 0.5
    hours.set(hour, busy * (1 + ((hour * 7_919) % 13) / 100))
  }
  for (const [before, usd] of Object.entries(spikes)) hours.set(LAST - Number(before), usd)
  return hours
}

describe('an anomaly', () => {
  test('is an hour that costs far more than such hours did', () => {
    const [found, ...more] = episodes(series({ 50: 80 }), RULES)
    expect(more).toEqual([])
    expect(found).toMatchObject({
      startedAt: END - 50 * HOUR_MS,
      endedAt: END - 49 * HOUR_MS,
      isOpen: false,
      hours: 1,
      peakUsd: 80,
      against: 'weekday-hour',
    })
    expect(found?.usualUsd).toBeLessThan(5)
    expect(found?.excessUsd).toBeCloseTo(80 - (found?.usualUsd ?? 0), 9)
  })

  test('is one episode however long it lasts, and open while it may go on', () => {
    const long = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [30 - index, 90 + index]))
    const found = episodes(series(long), RULES)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ startedAt: END - 30 * HOUR_MS, hours: 30, isOpen: true, peakUsd: 119 })
  })

  test('with a quiet hour or two in between is still one, with more it is two', () => {
    expect(episodes(series({ 50: 80, 47: 200 }), RULES)).toHaveLength(1)
    expect(episodes(series({ 60: 80, 40: 800 }), RULES)).toHaveLength(2)
  })

  test.each([
    ['an ordinary series', series()],
    ['what stays below the floor', new Map([...series()].map(([hour, usd]) => [hour, hour === LAST - 50 ? 0.9 : usd / 1_000]))],
    ['what is not five times its own last day', series({ 50: 12 })],
    ['a series too young to tell', series({ 50: 80 }, 4)],
    ['nothing', new Map<number, number>()],
  ])('is not %s', (_, hours) => {
    expect(episodes(hours, RULES)).toEqual([])
  })

  test('is compared with the same hour of days before, while there are few weeks', () => {
    expect(episodes(series({ 50: 80 }, 10), RULES)).toEqual([expect.objectContaining({ against: 'hour' })])
  })

  test('that began before the range is not told again', () => {
    const hours = series({ 50: 80, 49: 90 })
    expect(episodes(hours, { ...RULES, from: END - 49 * HOUR_MS })).toEqual([])
    expect(episodes(hours, { ...RULES, from: END - 50 * HOUR_MS })).toHaveLength(1)
  })

  test('never overlaps another, lies above the floor, and does not change when the future comes', () => {
    const spikes = fc.dictionary(fc.integer({ min: 1, max: 200 }).map(String), fc.double({ min: 0, max: 500, noNaN: true }), {
      maxKeys: 12,
    })
    fc.assert(
      fc.property(spikes, fc.integer({ min: 0, max: 100 }), (given, cut) => {
        const hours = series(given as Readonly<Record<number, number>>)
        const all = episodes(hours, RULES)
        all.forEach((one, index) => {
          expect(one.peakUsd).toBeGreaterThan(RULES.floorUsd)
          expect(one.score).toBeGreaterThan(6)
          expect(one.startedAt).toBeGreaterThanOrEqual(all[index - 1]?.endedAt ?? 0)
        })
        const to = END - cut * HOUR_MS
        const known = new Map([...hours].filter(([hour]) => hour * HOUR_MS < to))
        const then = episodes(known, { ...RULES, to })
        // What was told then is what is told now.
        expect(all.map(({ startedAt }) => startedAt).filter((at) => at < to)).toEqual(then.map(({ startedAt }) => startedAt))
      }),
      { numRuns: 60 },
    )
  })
})
