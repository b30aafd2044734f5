import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { idFloor } from '../src/ledger/columns.ts'
import { focusRows } from '../src/reports/focus.ts'
import { FOCUS_COLUMNS, type FocusRow, type FocusVersion, focusColumns, focusCsv } from '../src/reports/focus-columns.ts'
import { costReport } from '../src/reports/report.ts'
import { type Given, ledgerOf } from './support/ledger-rows.ts'

const FROM = Date.UTC(2026, 2, 1)
const DAY = 86_400_000
const LOST = `${idFloor(FROM)}-lost`
const WHOLE = { from: FROM, to: FROM + 40 * DAY }

const parts = (given: Record<string, readonly [number, number]>): string => JSON.stringify(given)
/** An attempt at the cost of its parts. */
const sent = (given: Record<string, readonly [number, number]>, more: Partial<Given> = {}): Given => ({
  at: FROM,
  cost_parts: parts(given),
  pico: Object.values(given).reduce((sum, [quantity, each]) => sum + BigInt(quantity) * BigInt(each), 0n),
  ...more,
})

async function focus(rows: readonly Given[], version?: FocusVersion): Promise<readonly FocusRow[]> {
  const sqlite = await ledgerOf(rows)
  try {
    return await focusRows(sqlite, 'sqlite', { ...WHOLE, ...(version && { version }) })
  } finally {
    sqlite.close()
  }
}

const FORMATS = {
  decimal: /^-?\d+(\.\d+)?$/,
  datetime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  json: /^\{.*\}$/,
  string: /./s,
} as const

/** The columns, types and null rules that we keep to; there is no official validator here to ask. */
function check(row: FocusRow, version: FocusVersion): void {
  expect(Object.keys(row)).toEqual(focusColumns(version).map(({ name }) => name))
  for (const { name, type, nullable } of focusColumns(version)) {
    const value = row[name]
    if (value === null || value === undefined) expect(nullable, `${name} is null`).toBe(true)
    else expect(value, name).toMatch(FORMATS[type])
  }
  expect(row).toMatchObject({ ChargeCategory: 'Usage', BillingCurrency: 'USD' })
  const quantities = [
    'PricingQuantity',
    'PricingUnit',
    'ConsumedQuantity',
    'ConsumedUnit',
    'SkuId',
    'SkuMeter',
    'SkuPriceDetails',
  ]
  for (const name of quantities) expect(row[name] === null, name).toBe(row.SkuPriceId === null)
  if (row.SkuPriceId === null) expect(row.ListUnitPrice).toBeNull()
  for (const cost of ['ListCost', 'ContractedCost', 'EffectiveCost']) expect(row[cost]).toBe(row.BilledCost)
}

const MANDATORY = (
  'BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd BillingPeriodStart ChargeCategory ChargeClass ' +
  'ChargeDescription ChargePeriodEnd ChargePeriodStart ContractedCost EffectiveCost InvoiceIssuerName ListCost PricingQuantity PricingUnit ' +
  'ServiceCategory ServiceName'
).split(' ')

describe('FOCUS', () => {
  test.each([
    ['1.2', ['ProviderName', 'PublisherName']],
    ['1.3', ['HostProviderName', 'ServiceProviderName']],
  ] as const)('%s has every mandatory column of its version', (version, more) => {
    const names = new Set(focusColumns(version).map(({ name }) => name))
    for (const name of [...MANDATORY, ...more]) expect(names, name).toContain(name)
    if (version === '1.2') for (const name of ['HostProviderName', 'ServiceProviderName']) expect(names).not.toContain(name)
    for (const { name } of FOCUS_COLUMNS) expect(name).toMatch(/^(?:x_)?[A-Z][A-Za-z]+$/)
  })

  test('has a row for each day, price part and payer', async () => {
    const rows = await focus([
      sent(
        { input: [10, 2_000_000], cacheRead: [5, 200_000], output: [3, 10_000_000] },
        { team: 'blue', tags: '{"project":"x"}' },
      ),
      sent({ input: [20, 2_000_000] }, { team: 'blue', tags: '{"project":"x"}' }),
      sent({ input: [7, 2_000_000] }, { at: FROM + DAY, team: 'blue', tags: '{"project":"x"}' }),
      sent({ input: [1, 2_000_000] }, { team: 'red', session: 's1', price_row: 'batch/eu' }),
    ])
    for (const row of rows) check(row, '1.3')
    const first = rows.find(
      ({ SkuMeter, SubAccountId, ChargePeriodStart }) =>
        SkuMeter === 'input' && SubAccountId === 'blue' && ChargePeriodStart === '2026-03-01T00:00:00Z',
    )
    expect(first).toMatchObject({
      BilledCost: '0.00006',
      BillingAccountId: 'acme',
      BillingPeriodStart: '2026-03-01T00:00:00Z',
      BillingPeriodEnd: '2026-04-01T00:00:00Z',
      ChargePeriodEnd: '2026-03-02T00:00:00Z',
      ConsumedQuantity: '30',
      ConsumedUnit: 'tokens',
      ListUnitPrice: '0.000002',
      PricingQuantity: '30',
      PricingUnit: 'tokens',
      ServiceName: 'acme/m',
      ServiceProviderName: 'acme',
      SkuPriceId: 'acme/m#standard/*#input@2000000',
      Tags: '{"project":"x"}',
      x_Attempts: '2',
      x_ConsumedTokens: '30',
    })
    expect(rows).toHaveLength(5)
    expect(rows.find(({ SubAccountId }) => SubAccountId === 'red')).toMatchObject({
      RegionId: 'eu',
      PricingCategory: 'Dynamic',
      SkuPriceDetails: '{"x_Tier":"batch"}',
      x_Session: 's1',
    })
  })

  test('what has no parts has no price, and its tokens stand beside', async () => {
    const rows = await focus([
      { at: FROM, attempt_id: LOST, kind: 'unsettled', pico: 900n, usage_source: 'none' },
      {
        at: FROM,
        kind: 'adjustment',
        adjusts: LOST,
        pico: -200n,
        input_tokens: 4,
        output_tokens: 1,
        cost_parts: parts({ input: [4, 100] }),
      },
      { at: FROM, kind: 'attempt', unknown_parts: 'all', input_tokens: 11, model: 'acme/unpriced' },
      { at: FROM, kind: 'cache', pico: 0n, input_tokens: 100, saved_pusd: 5 },
      { at: FROM, kind: 'attempt', pico: 0n, usage_source: 'none', outcome: 'error', cost_parts: '{}' },
    ])
    for (const row of rows) check(row, '1.3')
    expect(
      rows
        .map(({ x_AttemptKind, BilledCost, x_ConsumedTokens, x_UnpricedAttempts }) => [
          x_AttemptKind,
          BilledCost,
          x_ConsumedTokens,
          x_UnpricedAttempts,
        ])
        .sort(),
    ).toEqual([
      ['adjustment', '-0.0000000002', '5', '0'],
      ['attempt', '0', '11', '1'],
      ['unsettled', '0.0000000009', '0', '0'],
    ])
  })

  test('bills fractions of a unit to the thousandth, as the ledger does', async () => {
    // 1.2345 seconds at 100 pico-USD: 1,235 thousandths, 123.5, up to 124.
    const [row] = await focus([sent({}, { cost_parts: parts({ second: [1.2345, 100] }), pico: 124n })])
    expect(row).toMatchObject({
      BilledCost: '0.000000000124',
      ConsumedUnit: 'second',
      PricingQuantity: '1.2345',
      ListUnitPrice: null,
    })
  })

  test('adds up to the ledger, whatever is in it', async () => {
    const amount = fc.tuple(fc.nat(1e6), fc.nat(1e8))
    const row = fc.oneof(
      fc.record({ input: amount, output: amount, cacheRead: amount }, { requiredKeys: [] }).chain((given) =>
        fc
          .record({
            at: fc.integer({ min: FROM, max: FROM + 39 * DAY }),
            team: fc.constantFrom('blue', null),
            user_id: fc.constantFrom('=a', null),
          })
          .map((more) => sent(given as Record<string, [number, number]>, more)),
      ),
      fc.record({
        at: fc.integer({ min: FROM, max: FROM + 39 * DAY }),
        kind: fc.constantFrom('unsettled', 'adjustment'),
        pico: fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 30 }), async (rows) => {
        const sqlite = await ledgerOf(rows)
        const found = await focusRows(sqlite, 'sqlite', { ...WHOLE, version: '1.2' })
        const { total } = await costReport(sqlite, 'sqlite', { ...WHOLE, by: [] })
        sqlite.close()
        for (const one of found) check(one, '1.2')
        const pico = (usd: string): bigint => {
          const [whole = '', decimals = ''] = usd.replace('-', '').split('.')
          return BigInt(whole + decimals.padEnd(12, '0')) * (usd.startsWith('-') ? -1n : 1n)
        }
        expect(found.reduce((sum, { BilledCost }) => sum + pico(BilledCost as string), 0n)).toBe(total.costPico)
      }),
      { numRuns: 40 },
    )
  })

  test('is CSV that no spreadsheet runs', async () => {
    const rows = await focus([sent({ input: [1, 1] }, { team: '=1+1', tags: '{"a":"x, y"}' })])
    const [head = '', line = ''] = focusCsv(rows).split('\r\n')
    expect(head.split(',')).toEqual(focusColumns('1.3').map(({ name }) => name))
    expect(line).toContain(",'=1+1,")
    expect(line).toContain('"{""a"":""x, y""}"')
  })
})
