import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isTimeZone, windowAt } from '../src/limits/window.ts'

const at = (iso: string): number => Date.parse(iso)
const span = (kind: 'day' | 'week' | 'month', zone: string, iso: string): readonly unknown[] => {
  const { id, startsAt, endsAt } = windowAt(kind, zone, at(iso))
  return [id, new Date(startsAt).toISOString(), new Date(endsAt as number).toISOString()]
}

describe('calendar windows', () => {
  test.each([
    [
      'a day in UTC',
      'day',
      'UTC',
      '2026-03-01T12:00:00Z',
      '2026-03-01',
      '2026-03-01T00:00:00.000Z',
      '2026-03-02T00:00:00.000Z',
    ],
    [
      'a day of 23 hours',
      'day',
      'Europe/Berlin',
      '2026-03-29T12:00:00Z',
      '2026-03-29',
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ],
    [
      'a day of 25 hours',
      'day',
      'Europe/Berlin',
      '2026-10-25T12:00:00Z',
      '2026-10-25',
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
    ],
    [
      'a month that begins in winter and ends in summer',
      'month',
      'America/New_York',
      '2026-03-31T23:00:00Z',
      '2026-03',
      '2026-03-01T05:00:00.000Z',
      '2026-04-01T04:00:00.000Z',
    ],
    [
      'a day without its midnight',
      'day',
      'America/Sao_Paulo',
      '2018-11-04T12:00:00Z',
      '2018-11-04',
      '2018-11-04T03:00:00.000Z',
      '2018-11-05T02:00:00.000Z',
    ],
    [
      'clocks that go back over midnight: the date that they show twice begins the second time',
      'day',
      'America/St_Johns',
      '2010-11-07T02:30:30Z',
      '2010-11-06',
      '2010-11-06T02:30:00.000Z',
      '2010-11-07T03:30:00.000Z',
    ],
    [
      'a week over the turn of the year',
      'week',
      'UTC',
      '2027-01-02T00:00:00Z',
      '2026-W53',
      '2026-12-28T00:00:00.000Z',
      '2027-01-04T00:00:00.000Z',
    ],
  ] as const)('%s', (_name, kind, zone, iso, id, from, to) => {
    expect(span(kind, zone, iso)).toEqual([id, from, to])
  })

  test('a total never ends', () => {
    expect(windowAt('total', 'UTC', 5)).toEqual({ id: 'all', startsAt: 0, endsAt: undefined })
  })

  test('tile time: every instant is in one window, which all its instants agree on, and the next begins where it ends', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/St_Johns',
      'Pacific/Apia',
      'Asia/Kathmandu',
      'America/Sao_Paulo',
      'Australia/Lord_Howe',
    ]
    fc.assert(
      fc.property(
        fc.constantFrom('day', 'week', 'month' as const),
        fc.constantFrom(...zones),
        fc.integer({ min: at('2008-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') }),
        (kind, zone, instant) => {
          const window = windowAt(kind, zone, instant)
          const endsAt = window.endsAt as number
          expect(window.startsAt).toBeLessThanOrEqual(instant)
          expect(endsAt).toBeGreaterThan(instant)
          expect(windowAt(kind, zone, window.startsAt)).toEqual(window)
          expect(windowAt(kind, zone, endsAt - 1)).toEqual(window)
          const next = windowAt(kind, zone, endsAt)
          expect(next.startsAt).toBe(endsAt)
          expect(next.id).not.toBe(window.id)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('time zones that are none', () => {
    expect([isTimeZone('Europe/Berlin'), isTimeZone('Mars/Olympus')]).toEqual([true, false])
  })
})
