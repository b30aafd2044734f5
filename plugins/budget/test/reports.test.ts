import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { LedgerRow } from '../src/ledger/port.ts'
import { csvLine } from '../src/reports/csv.ts'
import type { CostDimension, CostFigures, CostQuery } from '../src/reports/port.ts'
import { costReport, costRows } from '../src/reports/report.ts'
import { reportCsv } from '../src/reports/report-csv.ts'
import { type Given, ledgerOf } from './support/ledger-rows.ts'
import type { TestSqlite } from './support/sqlite.ts'

let sqlite: TestSqlite
let isOpen = false
afterEach(() => {
  if (isOpen) sqlite.close()
  isOpen = false
})
const open = async (rows: readonly Given[] = []): Promise<void> => {
  sqlite = await ledgerOf(rows)
  isOpen = true
}

const FROM = Date.UTC(2026, 2, 1)
const DAY = 86_400_000
const WHOLE = { from: FROM, to: FROM + 60 * DAY }
const report = (query: Partial<CostQuery> = {}) => costReport(sqlite, 'sqlite', { ...WHOLE, by: [], ...query })

const sum = (rows: readonly LedgerRow[], column: keyof LedgerRow): bigint =>
  rows.reduce((total, row) => total + BigInt(row[column] ?? 0), 0n)

/** What rows add up to, by hand. */
function handWorked(rows: readonly LedgerRow[]): Partial<CostFigures> {
  const sent = rows.filter(({ kind }) => kind !== 'cache')
  return {
    costPico: sum(rows, 'cost_pusd'),
    costMicro: sum(rows, 'cost_uusd'),
    chargedNano: sum(rows, 'charged_nusd'),
    attempts: rows.filter(({ kind }) => kind === 'attempt' || kind === 'unsettled').length,
    cacheHits: rows.filter(({ kind }) => kind === 'cache').length,
    corrections: rows.filter(({ kind }) => kind === 'adjustment').length,
    unpriced: rows.filter(({ unknown_parts: parts }) => parts !== null).length,
    inputTokens: sum(sent, 'input_tokens'),
    outputTokens: sum(sent, 'output_tokens'),
    cacheSavedPico: sum(
      rows.filter(({ kind }) => kind === 'cache'),
      'saved_pusd',
    ),
  }
}

const someText = fc.constantFrom(null, '', 'blue', 'red', "o'hare", '=HYPERLINK("x")', 'ü\n')
const someRow: fc.Arbitrary<Given> = fc
  .record({
    at: fc.integer({ min: FROM, max: FROM + 40 * DAY }),
    pico: fc.option(fc.bigInt({ min: 0n, max: 10n ** 18n }), { nil: undefined }),
    kind: fc.constantFrom('attempt', 'attempt', 'unsettled', 'cache', 'adjustment'),
    team: someText,
    session: someText,
    provider: fc.constantFrom('acme', 'other', ''),
    model: fc.constantFrom('acme/m', 'other/n'),
    purpose: fc.constantFrom(null, 'shadow', 'cascade'),
    tags: fc.constantFrom(null, '{"project":"x"}', '{"project":"y","a\\"b":"1"}'),
    input_tokens: fc.option(fc.nat(1e6), { nil: null }),
    output_tokens: fc.option(fc.nat(1e6), { nil: null }),
    saved_pusd: fc.nat(1e9),
    unknown_parts: fc.constantFrom(null, null, 'all'),
  })
  .map((row) => {
    if (row.kind === 'cache') return { ...row, pico: 0n }
    // A correction may take away.
    return row.kind === 'adjustment' && row.pico !== undefined ? { ...row, pico: row.pico / 2n - row.pico } : row
  })
const someDimensions = fc.uniqueArray(
  fc.constantFrom<CostDimension>('team', 'model', 'provider', 'session', 'day', 'kind', 'purpose', 'tag:project', 'tag:a"b'),
  { maxLength: 3 },
)

describe('a report', () => {
  test('equals the ledger, in all and in every group, whose rows it names', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(someRow, { maxLength: 25 }),
        someDimensions,
        fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/New_York'),
        async (rows, by, timeZone) => {
          await open(rows)
          const { total, groups, groupCount } = await report({ by, timeZone })
          const all = await costRows(sqlite, 'sqlite', WHOLE)
          expect(total).toMatchObject(handWorked(all))
          expect(groups).toHaveLength(groupCount)
          let costs = 0n
          let seen = 0
          for (const group of groups) {
            const own = await costRows(sqlite, 'sqlite', group.rows)
            expect(group.figures).toMatchObject(handWorked(own))
            costs += group.figures.costPico
            seen += own.length
          }
          if (by.length > 0) expect([costs, seen]).toEqual([total.costPico, all.length])
          sqlite.close()
          isOpen = false
        },
      ),
      { numRuns: 60 },
    )
  })

  test('of nothing is nothing', async () => {
    await open()
    expect(await report({ by: ['team'] })).toMatchObject({ groups: [], groupCount: 0, total: { costPico: 0n, attempts: 0 } })
    expect(await report()).toMatchObject({ groups: [], groupCount: 0, total: { costPico: 0n, attempts: 0 } })
  })

  test('adds up beyond 64 bits of pico-USD', async () => {
    // The most that a row holds.
    const most = 10n ** 18n
    await open(Array.from({ length: 12 }, () => ({ at: FROM, pico: most })))
    expect((await report()).total.costPico).toBe(12n * most)
  })

  test('counts a day by the clocks of its time zone, on which one day has 23 hours', async () => {
    const at = (iso: string): Given => ({ at: Date.parse(iso), pico: 1n })
    await open([
      at('2026-03-28T22:59:59.999Z'),
      at('2026-03-28T23:00:00Z'),
      at('2026-03-29T21:59:59Z'),
      at('2026-03-29T22:00:00Z'),
    ])
    const { groups } = await report({ by: ['day'], timeZone: 'Europe/Berlin' })
    expect(Object.fromEntries(groups.map(({ values, figures }) => [values.day, figures.attempts]))).toEqual({
      '2026-03-28': 1,
      '2026-03-29': 2,
      '2026-03-30': 1,
    })
  })

  test('books a correction where its attempt began, and a cache hit at nothing', async () => {
    await open([
      { at: FROM, attempt_id: '0abc-1', pico: 500n, kind: 'unsettled', usage_source: 'none' },
      { at: FROM, attempt_id: '0abc-1~late', pico: -200n, kind: 'adjustment', adjusts: '0abc-1', input_tokens: 7 },
      { at: FROM, pico: 0n, kind: 'cache', input_tokens: 100, saved_pusd: 900 },
    ])
    const { total } = await costReport(sqlite, 'sqlite', { from: 0, to: WHOLE.to, by: [] })
    expect(total).toMatchObject({
      costPico: 300n,
      attempts: 1,
      corrections: 1,
      cacheHits: 1,
      inputTokens: 7n,
      cacheSavedPico: 900n,
    })
  })

  test('comes by pages, dearest first', async () => {
    await open(Array.from({ length: 5 }, (_, index) => ({ at: FROM, pico: BigInt(index) * 1_000_000n, session: `s${index}` })))
    const first = await report({ by: ['session'], limit: 2 })
    expect(first.groups.map(({ values }) => values.session)).toEqual(['s4', 's3'])
    expect(first).toMatchObject({ groupCount: 5, nextOffset: 2, total: { attempts: 5 } })
    const last = await report({ by: ['session'], limit: 2, offset: 4 })
    expect(last.groups.map(({ values }) => values.session)).toEqual(['s0'])
    expect(last.nextOffset).toBeUndefined()
    expect(last.total.attempts).toBe(5)
  })

  test('chooses rows by values, by several of them, and by none', async () => {
    await open([
      { at: FROM, pico: 1n, team: 'blue', tags: '{"project":"x"}' },
      { at: FROM, pico: 2n, team: 'red' },
      { at: FROM, pico: 4n },
    ])
    const cost = async (where: CostQuery['where']): Promise<bigint> => (await report({ where })).total.costPico
    expect(await cost({ team: 'blue' })).toBe(1n)
    expect(await cost({ team: ['blue', ''] })).toBe(5n)
    expect(await cost({ team: [] })).toBe(0n)
    expect(await cost({ 'tag:project': 'x' })).toBe(1n)
    expect(await cost({ 'tag:project': '' })).toBe(6n)
    expect(await cost({ team: "' OR 1=1 --" })).toBe(0n)
  })

  test.each([
    ['a dimension that there is not', { by: ['colour' as 'team'] }, /colour: there is no such dimension/],
    ['a filter that there is not', { where: { day: 'x' } as never }, /day: there is no such/],
    ['a dimension twice', { by: ['team', 'team'] as const }, /each dimension once/],
    ['a range that ends before it begins', { from: 5, to: 1 }, /from: /],
    ['a time zone that there is not', { timeZone: 'Mars/Base' }, /timeZone: /],
    ['days without end', { by: ['day'] as const, to: FROM + 2_000 * DAY }, /1100 days/],
    ['a limit of none', { limit: 0 }, /limit: /],
  ])('refuses %s', async (_, query, message) => {
    await open()
    await expect(report(query)).rejects.toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringMatching(message) })
  })
})

describe('as CSV', () => {
  test.each(['=1+1', '+1', '-1', '@x', '\tx', '\rx'])('text that begins like %j is no formula', (text) => {
    expect(csvLine([text]).replace('"', '').startsWith("'")).toBe(true)
  })

  test('quotes what has to be, and leaves our own numbers alone', () => {
    expect(csvLine(['a"b', 'c,d', 'e\nf', null, { digits: '-1.5' }])).toBe('"a""b","c,d","e\nf",,-1.5\r\n')
  })

  test('has a head, and a line a group', async () => {
    await open([{ at: FROM, pico: 1_234_567n, team: '=cmd', input_tokens: 3 }])
    expect(reportCsv(await report({ by: ['team'] })).split('\r\n')).toEqual([
      'team,cost_usd,cost_micro_usd,charged_nano_usd,attempts,cache_hits,corrections,unpriced,estimated,input_tokens,output_tokens,cache_saved_usd',
      "'=cmd,0.000001234567,1,1235,1,0,0,0,0,3,0,0",
      '',
    ])
    expect(reportCsv(await report())).toMatch(/^cost_usd,.*\r\n0\.000001234567,/)
  })
})
