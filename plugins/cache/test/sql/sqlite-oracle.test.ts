import { constants, DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadNarrowing, type Narrowing } from '../../src/sql/narrowing.ts'
import { statementOf } from '../../src/sql/statement.ts'

/** SQLite itself says what a statement reads and changes, by its authorizer; no statement may reach a table that its text was not taken to name. */
const TABLES = ['orders', 'lines', 'customers', 'left one', 'count', 'text', 'Größe', 'it"s']
const COLUMNS = ['id', 'total', 'orders', 'lines', 'note']
const known = { pure: new Set<string>(), harmless: new Set<string>() }

let database: DatabaseSync
let reached: { read: Set<string>; changed: Set<string> }
let narrowing: Narrowing
beforeAll(async () => {
  narrowing = (await loadNarrowing('sqlite')) as Narrowing
  database = new DatabaseSync(':memory:')
  for (const table of TABLES)
    database.exec(`CREATE TABLE ${quoted(table)} (${COLUMNS.map((one) => `"${one}"`).join(', ')}, PRIMARY KEY (id))`)
  database.setAuthorizer((action, first) => {
    const table = (first ?? '').toLowerCase()
    if (action === constants.SQLITE_READ) reached.read.add(table)
    if (action === constants.SQLITE_INSERT || action === constants.SQLITE_UPDATE || action === constants.SQLITE_DELETE)
      reached.changed.add(table)
    return constants.SQLITE_OK
  })
})
afterAll(() => database.close())

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const spelt = (name: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    quoted(name),
    `[${name}]`,
    `\`${name}\``,
    `'${name}'`,
    `main.${quoted(name)}`,
    `main . [${name}]`,
    quoted(name.toUpperCase().replace('GRÖSSE', 'Größe')),
    ...(/^[a-zö]+$/i.test(name) && name !== 'Größe' ? [name, name.toUpperCase()] : []),
  )
const table = fc.constantFrom(...TABLES).chain(spelt)
const column = fc.constantFrom(...COLUMNS).map((one) => `"${one}"`)
const gap = fc.constantFrom(' ', '\n', '\t', ' /* FROM customers */ ', ' -- UPDATE lines\n', ' /* \' " */ ')

const { select } = fc.letrec<{ select: string; source: string; term: string }>((tie) => ({
  term: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    column,
    fc.constantFrom('1', "'paid'", "'it''s FROM lines'", '?', 'x.id', 'count(*)', 'upper(note)', 'coalesce(total, 0)'),
    tie('select').map((one) => `(${one})`),
    tie('select').map((one) => `EXISTS (${one})`),
    tie('source').map((one) => `1 IN (SELECT 1 FROM ${one})`),
  ),
  source: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    table,
    fc.tuple(table, gap, fc.constantFrom('AS x', 'x', '')).map(([one, space, alias]) => `${one}${space}${alias}`),
    fc
      .tuple(tie('source'), fc.constantFrom(',', ' JOIN ', ' LEFT JOIN ', ' CROSS JOIN '), tie('source'))
      .map((all) => all.join('')),
    tie('select').map((one) => `(${one}) AS y`),
    tie('source').map((one) => `(${one})`),
  ),
  select: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(tie('term'), gap, tie('source')).map(([term, space, source]) => `SELECT ${term} FROM${space}${source}`),
    fc
      .tuple(tie('term'), tie('source'), tie('term'))
      .map(([one, from, two]) => `SELECT ${one} FROM ${from} WHERE ${two} ORDER BY ${two}`),
    fc.tuple(tie('select'), tie('select')).map((all) => all.join(' UNION ALL ')),
    fc.tuple(tie('select'), tie('source')).map(([one, from]) => `WITH z AS (${one}) SELECT * FROM z, ${from}`),
  ),
}))

function reachedBy(text: string): typeof reached | undefined {
  reached = { read: new Set(), changed: new Set() }
  try {
    database.prepare(text)
    return reached
  } catch {
    return undefined
  }
}

describe('what SQLite reads and changes', () => {
  test('a read bears every table that SQLite reads, also where a parser narrows it', () => {
    let prepared = 0
    let narrowed = 0
    fc.assert(
      fc.property(select, (text) => {
        const truth = reachedBy(text)
        if (truth === undefined) return
        prepared += 1
        const statement = statementOf(text, 'sqlite', known)
        if (statement.kind !== 'read') return
        for (const one of truth.read) if (one !== '') expect(statement.names, `${text} reads ${one}`).toContain(one)
        const parsed = narrowing(text, statement.names)
        if (parsed === undefined) return
        narrowed += 1
        const kept = new Set([...parsed.unclear, ...statement.places])
        for (const one of truth.read) if (one !== '') expect(kept, `${text} reads ${one}`).toContain(one)
      }),
      { numRuns: 3_000 },
    )
    expect(prepared).toBeGreaterThan(300)
    expect(narrowed).toBeGreaterThan(50)
  })

  test('a write tells every table that SQLite changes', () => {
    const write = fc.oneof(
      fc
        .tuple(fc.constantFrom('INSERT INTO', 'INSERT OR REPLACE INTO', 'REPLACE INTO', 'insert\ninto'), table, select)
        .map(([verb, to, from]) => `${verb} ${to} (id) ${from}`),
      fc.tuple(table, gap, column, select).map(([to, space, what, from]) => `UPDATE ${to}${space}SET ${what} = (${from})`),
      fc.tuple(table, select).map(([to, from]) => `UPDATE OR IGNORE ${to} SET id = 1 FROM (${from}) AS q`),
      fc
        .tuple(table, gap, select)
        .map(([from, space, where]) => `DELETE FROM${space}${from} WHERE id IN (${where}) RETURNING *`),
      fc
        .tuple(table, table)
        .map(([to, from]) => `INSERT INTO ${to} SELECT * FROM ${from} WHERE true ON CONFLICT (id) DO UPDATE SET total = 1`),
      fc.tuple(select, table).map(([one, to]) => `WITH w AS (${one}) DELETE FROM ${to}`),
    )
    let told = 0
    fc.assert(
      fc.property(write, (text) => {
        const truth = reachedBy(text)
        if (truth === undefined || truth.changed.size === 0) return
        const statement = statementOf(text, 'sqlite', known)
        expect(statement.kind, text).toBe('write')
        const { table: named } = statement as { readonly table: string | undefined }
        if (named === undefined) return
        told += 1
        expect([...truth.changed], text).toEqual([named])
      }),
      { numRuns: 2_000 },
    )
    expect(told).toBeGreaterThan(200)
  })
})
