import { describe, expect, test } from 'vitest'
import { costInstant, costMonth } from '../src/index.ts'

describe('an instant as people write it', () => {
  test.each([
    ['2026-10-25', 'UTC', '2026-10-25T00:00:00.000Z'],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00.000Z'],
    ['2026-10-26', 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
    ['2026-01-01', 'Pacific/Kiritimati', '2025-12-31T10:00:00.000Z'],
    ['2026-01-01', 'Pacific/Pago_Pago', '2026-01-01T11:00:00.000Z'],
    ['2026-10-25T08:00:00+02:00', 'UTC', '2026-10-25T06:00:00.000Z'],
    ['1761350400000', 'Europe/Berlin', '2025-10-25T00:00:00.000Z'],
  ])('%s in %s is %s', (text, timeZone, expected) => {
    expect(new Date(costInstant(text, timeZone, 'from')).toISOString()).toBe(expected)
  })

  test.each(['soon', '2026-13-01', '2026-10-25T08:00:00', '-1', ''])('%j is none', (text) => {
    expect(() => costInstant(text, 'UTC', 'from')).toThrow(/from: write/)
  })

  test('the month begins by the clocks of its zone', () => {
    const at = Date.parse('2026-10-31T23:30:00Z')
    expect(new Date(costMonth(at, 'Europe/Berlin')).toISOString()).toBe('2026-10-31T23:00:00.000Z')
    expect(new Date(costMonth(at, 'UTC')).toISOString()).toBe('2026-10-01T00:00:00.000Z')
    expect(() => costMonth(at, 'Mars')).toThrow(/timeZone/)
  })
})
