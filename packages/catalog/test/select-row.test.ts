import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PriceRow, StoredPrice } from '../src/index.ts'
import { completePrice } from '../src/index.ts'
import { type Conditions, selectRow } from '../src/price/select-row.ts'

/** A row known by its input price. */
const row = (input: number, rest: StoredPrice = {}): PriceRow => completePrice({ ...rest, perToken: { input } })
const pick = (
  rows: readonly PriceRow[],
  tokens: number,
  conditions?: Conditions,
): readonly [number | undefined, string] | undefined => {
  const found = selectRow(rows, tokens, conditions)
  return found === undefined ? undefined : [found.row.perToken.input, found.bound]
}

test('without rows there is none', () => {
  expect(pick([], 0)).toBeUndefined()
  expect(pick([row(1, { tier: 'flex' })], 0)).toBeUndefined()
})

describe('context', () => {
  const rows = [row(3, { contextOver: 272_000 }), row(1), row(2, { contextOver: 128_000 })]
  test.each([
    [0, 1],
    [128_000, 1],
    [128_001, 2],
    [272_000, 2],
    [272_001, 3],
  ])('%i tokens: the whole request moves to the row over which it is', (tokens, input) => {
    expect(pick(rows, tokens)).toEqual([input, 'exact'])
  })
})

describe('tier', () => {
  const rows = [row(1), row(9, { contextOver: 100 }), row(2, { tier: 'priority' })]

  test('its own row comes before standard', () => {
    expect(pick(rows, 50, { tier: 'priority' })).toEqual([2, 'exact'])
  })

  test('a tier that is priced for short requests only says too little about a long one', () => {
    expect(pick(rows, 101, { tier: 'priority' })).toEqual([2, 'lower'])
  })

  test('a missing tier takes the row that standard would, long context included', () => {
    expect(pick(rows, 101, { tier: 'batch' })).toEqual([9, 'upper'])
  })
})

describe('region', () => {
  const rows = [row(1), row(2, { region: 'eu' })]
  test.each<[string | undefined, number]>([
    ['eu', 2],
    ['us', 1],
    [undefined, 1],
  ])('%s', (region, input) => {
    expect(pick(rows, 0, { region })).toEqual([input, 'exact'])
  })

  test('with regional prices only, an unnamed or unknown region takes the dearest as an upper bound', () => {
    const regional = [row(2, { region: 'eu' }), row(5, { region: 'jp' }), row(3, { region: 'us' })]
    expect(pick(regional, 0)).toEqual([5, 'upper'])
    expect(pick(regional, 0, { region: 'br' })).toEqual([5, 'upper'])
  })
})

describe('time', () => {
  const at = (text: string): number => Date.parse(text)

  test('dates: the start belongs to a row, its end does not; without a time the latest counts', () => {
    const rows = [
      row(1, { until: '2026-01-01' }),
      row(2, { from: '2026-01-01', until: '2026-02-01' }),
      row(3, { from: '2026-02-01' }),
    ]
    expect(pick(rows, 0, { at: at('2025-12-31T23:59:59.999Z') })).toEqual([1, 'exact'])
    expect(pick(rows, 0, { at: at('2026-01-01T00:00:00Z') })).toEqual([2, 'exact'])
    expect(pick(rows, 0, { at: at('2026-02-01T00:00:00Z') })).toEqual([3, 'exact'])
    expect(pick(rows, 0)).toEqual([3, 'exact'])
  })

  test('a row that ends comes before the one that it interrupts', () => {
    const rows = [row(1), row(2, { until: '2026-01-01' })]
    expect(pick(rows, 0, { at: at('2025-06-01') })).toEqual([2, 'exact'])
    expect(pick(rows, 0, { at: at('2026-06-01') })).toEqual([1, 'exact'])
    expect(pick(rows, 0)).toEqual([1, 'exact'])
  })

  test('nothing holds once the last row has ended', () => {
    const rows = [row(1, { until: '2026-01-01' })]
    expect(pick(rows, 0, { at: at('2025-12-31T23:59:59.999Z') })).toEqual([1, 'exact'])
    expect(pick(rows, 0, { at: at('2026-01-01') })).toBeUndefined()
  })

  test('nothing holds before the first row begins', () => {
    expect(pick([row(1, { from: '2026-01-01' })], 0, { at: at('2025-01-01') })).toBeUndefined()
  })

  test('hours, UTC, the end exclusive; without a time the dearest, as an upper bound', () => {
    const hours = { weekdays: [1, 2, 3, 4, 5], startMinute: 60, endMinute: 240 }
    const rows = [row(1), row(2, { hours })]
    expect(pick(rows, 0, { at: at('2026-09-21T01:00:00Z') })).toEqual([2, 'exact']) // a Monday
    expect(pick(rows, 0, { at: at('2026-09-21T00:59:59Z') })).toEqual([1, 'exact'])
    expect(pick(rows, 0, { at: at('2026-09-21T04:00:00Z') })).toEqual([1, 'exact'])
    expect(pick(rows, 0, { at: at('2026-09-20T02:00:00Z') })).toEqual([1, 'exact']) // a Sunday
    expect(pick(rows, 0)).toEqual([2, 'upper'])
  })

  test('hours past midnight belong to the day they began on', () => {
    const rows = [row(1), row(2, { hours: { weekdays: [5], startMinute: 1380, endMinute: 120 } })]
    expect(pick(rows, 0, { at: at('2026-09-25T23:30:00Z') })).toEqual([2, 'exact']) // a Friday
    expect(pick(rows, 0, { at: at('2026-09-26T01:30:00Z') })).toEqual([2, 'exact'])
    expect(pick(rows, 0, { at: at('2026-09-25T01:30:00Z') })).toEqual([1, 'exact'])
    expect(pick(rows, 0, { at: at('2026-09-26T02:00:00Z') })).toEqual([1, 'exact'])
  })
})

test('a choice that is asked for again is the one that would be made anew', () => {
  const some = <T>(...of: T[]): fc.Arbitrary<T | undefined> => fc.constantFrom(undefined, ...of)
  const tier = fc.constantFrom('standard' as const, 'flex' as const)
  const rows = fc.array(
    fc.record({
      input: fc.nat(9),
      tier,
      region: fc.constantFrom('*', 'eu'),
      contextOver: some(10),
      until: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constant('2026-01-01') }),
    }),
    { minLength: 2, maxLength: 6 },
  )
  const asked = fc.array(
    fc.record({
      tokens: fc.constantFrom(10, 11),
      tier,
      region: fc.constantFrom(undefined, undefined, 'eu'),
      at: some(Date.parse('2025-06-01'), Date.parse('2026-06-01')),
    }),
    { minLength: 2, maxLength: 12 },
  )
  fc.assert(
    fc.property(rows, asked, (stored, questions) => {
      const kept = stored.map(({ input, ...rest }) => row(input, rest as StoredPrice))
      for (const { tokens, ...conditions } of questions)
        expect(selectRow(kept, tokens, conditions)).toEqual(selectRow([...kept], tokens, conditions))
    }),
    { numRuns: 300 },
  )
})
