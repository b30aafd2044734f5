import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { budgetOf } from '../src/limits/budget.ts'
import { budgetDefinition } from '../src/limits/definition.ts'
import { exhaustedAt, forecast, predict } from '../src/reports/forecast.ts'
import { costForecast } from '../src/reports/forecast-reader.ts'
import { HOUR_MS, type HourlyUsd } from '../src/reports/hourly.ts'
import { ledgerOf } from './support/ledger-rows.ts'

const DAY = 24 * HOUR_MS
/** A Sunday, 06:00 UTC. */
const NOW = Date.parse('2026-03-15T06:00:00Z')
const MONTH = { from: Date.UTC(2026, 2, 1), to: Date.UTC(2026, 3, 1), now: NOW, timeZone: 'UTC' }

/** USD by the hour over so many days before now. */
function series(days: number, usd: (hour: number) => number, now = NOW): HourlyUsd {
  const current = Math.floor(now / HOUR_MS)
  const hours = new Map<number, number>()
  for (let hour = current - days * 24; hour < current; hour++) hours.set(hour, usd(hour))
  return hours
}
const isOffice = (hour: number): boolean => {
  const date = new Date(hour * HOUR_MS)
  return date.getUTCDay() % 6 !== 0 && date.getUTCHours() >= 8 && date.getUTCHours() < 18
}
const sumOf = (from: number, to: number, usd: (hour: number) => number): number => {
  let sum = 0
  for (let hour = from / HOUR_MS; hour < to / HOUR_MS; hour++) sum += usd(hour)
  return sum
}

describe('a forecast', () => {
  test('of a week that repeats is that week, weekends and nights included', () => {
    const usd = (hour: number): number => (isOffice(hour) ? 10 : 1)
    const found = forecast(series(42, usd), MONTH)
    expect(found).toMatchObject({ method: 'seasonal', trend: 1, historyDays: 42 })
    expect(found.expectedUsd).toBeCloseTo(sumOf(MONTH.from, MONTH.to, usd), 6)
    expect(found.highUsd).toBeCloseTo(found.expectedUsd, 6)
  })

  test('follows a trend from week to week', () => {
    const usd = (hour: number): number => 1.1 ** (hour / 168 - NOW / HOUR_MS / 168)
    const found = forecast(series(70, usd), MONTH)
    expect(found.trend).toBeGreaterThan(1.08)
    const truth = sumOf(MONTH.from, MONTH.to, usd)
    expect(Math.abs(found.expectedUsd / truth - 1)).toBeLessThan(0.03)
  })

  test('keeps to the clocks of its zone when they change', () => {
    const zone = 'Europe/Berlin'
    const now = Date.parse('2026-03-31T00:00:00Z')
    const atNine = new Intl.DateTimeFormat('en', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' })
    const usd = (hour: number): number => (atNine.format(hour * HOUR_MS) === '09' ? 24 : 0)
    const prediction = predict(series(35, usd, now), now, zone)
    const hours = Array.from({ length: 24 }, (_, index) => now / HOUR_MS + index)
    expect(hours.filter((hour) => prediction.at(hour) > 0).map((hour) => new Date(hour * HOUR_MS).toISOString())).toEqual([
      '2026-03-31T07:00:00.000Z',
    ])
  })

  test.each([0, 1, 5, 13])('with %i days of history is a run rate, and says so', (days) => {
    const found = forecast(
      series(days, () => 2),
      MONTH,
    )
    expect(found.method).toBe('run-rate')
    expect(found.historyDays).toBe(days)
    if (days > 0) expect(found.expectedUsd).toBeCloseTo(days * 48 + 2 * ((MONTH.to - NOW) / HOUR_MS), 6)
    expect(found.lowUsd === undefined).toBe(days < 3)
  })

  test('holds a band that four of five outcomes lie in', () => {
    let state = 7
    const random = (): number => {
      state = (state * 16_807) % 2_147_483_647
      return state / 2_147_483_647
    }
    let inside = 0
    const rounds = 120
    for (let round = 0; round < rounds; round++) {
      const noise = new Map<number, number>()
      const usd = (hour: number): number => {
        const day = Math.floor(hour / 24)
        if (!noise.has(day)) noise.set(day, 0.5 + random())
        return (noise.get(day) as number) * (isOffice(hour) ? 5 : 1)
      }
      const { expectedUsd, lowUsd = 0, highUsd = 0 } = forecast(series(42, usd), MONTH)
      expect(expectedUsd).toBeGreaterThan(0)
      const truth = sumOf(MONTH.from, MONTH.to, usd)
      if (truth >= lowUsd && truth <= highUsd) inside += 1
    }
    expect(inside / rounds).toBeGreaterThan(0.65)
    expect(inside / rounds).toBeLessThan(0.98)
  })

  test('is never below what is spent, within its band, and scales with its series', () => {
    const amounts = fc.array(fc.double({ min: 0, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 45 * 24 })
    fc.assert(
      fc.property(amounts, fc.integer({ min: 0, max: HOUR_MS - 1 }), (values, into) => {
        const current = NOW / HOUR_MS
        const hours = new Map(values.map((value, index) => [current - values.length + index, value]))
        const doubled = new Map([...hours].map(([hour, value]) => [hour, value * 2]))
        const at = { ...MONTH, now: NOW + into }
        const { spentUsd, expectedUsd, lowUsd = expectedUsd, highUsd = expectedUsd } = forecast(hours, at)
        expect(Number.isFinite(expectedUsd)).toBe(true)
        expect(expectedUsd).toBeGreaterThanOrEqual(spentUsd)
        expect(lowUsd).toBeLessThanOrEqual(expectedUsd + 1e-9)
        expect(highUsd).toBeGreaterThanOrEqual(expectedUsd - 1e-9)
        const twice = forecast(doubled, at)
        expect(twice.expectedUsd).toBeCloseTo(expectedUsd * 2, 3)
      }),
      { numRuns: 40 },
    )
  })
})

describe('a budget', () => {
  const prediction = predict(
    series(42, () => 1),
    NOW,
    'UTC',
  )

  test('is used up when its forecast says so, to the minute', () => {
    const until = NOW + 30 * DAY
    expect(exhaustedAt(prediction, { spentUsd: 10, limitUsd: 34.5, now: NOW, until })).toBe(NOW + 24.5 * HOUR_MS)
    expect(exhaustedAt(prediction, { spentUsd: 34.5, limitUsd: 34.5, now: NOW, until })).toBe(NOW)
    expect(exhaustedAt(prediction, { spentUsd: 0, limitUsd: 1e6, now: NOW, until })).toBeUndefined()
  })

  test('is told of for each of its values, since it was made', async () => {
    const dollar = 10n ** 12n
    const hourly = (team: string, usd: bigint) =>
      Array.from({ length: 48 }, (_, index) => ({ at: NOW - (index + 1) * HOUR_MS, team, pico: usd * dollar }))
    const sqlite = await ledgerOf([...hourly('blue', 1n), ...hourly('red', 2n), ...hourly('green', 5n)])
    const budgets = ['day', 'total'].map((window) =>
      budgetOf(
        budgetDefinition.parse({ name: window, level: 'team', match: ['blue', 'red'], window, limitUsd: '100' }),
        NOW - 24 * HOUR_MS,
      ),
    )
    const clock = { now: () => NOW }
    const { month, budgets: found } = await costForecast(
      { database: sqlite, dialect: 'sqlite', clock, budgets: () => budgets },
      {},
    )
    sqlite.close()
    expect(month.spentUsd).toBeCloseTo(8 * 48, 6)
    const told = Object.fromEntries(found.map((one) => [`${one.budget} ${one.value}`, one]))
    expect(Object.keys(told).sort()).toEqual(['day blue', 'day red', 'total blue', 'total red'])
    expect(told['day blue']).toMatchObject({
      spentUsd: 6,
      expectedUsd: 24,
      exhaustedAt: undefined,
      resetsAt: Date.parse('2026-03-16'),
    })
    expect(told['total red']).toMatchObject({
      spentUsd: 48,
      daysLeft: 26 / 24,
      expectedUsd: undefined,
      resetsAt: undefined,
      method: 'run-rate',
    })
  })
})
