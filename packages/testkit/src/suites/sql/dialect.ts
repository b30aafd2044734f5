import type { SqlDatabase } from '@switchyard/contract'

/** What the suite must say differently to each database. */
export interface Dialect {
  /** The placeholder of the n-th parameter, from 1. */
  placeholder(n: number): string
  /** Column types. `decimal` holds 40 digits, 9 of them after the point: text where the database has no exact decimals. */
  readonly types: {
    readonly integer: string
    readonly text: string
    readonly real: string
    readonly decimal: string
    readonly binary: string
  }
  /** One row `x` for each whole number from 1 to the first parameter, in order. */
  readonly numbers: string
  /** The same rows, but the statement fails when it comes to row `at`. */
  failingAt(rows: number, at: number): string
  /** Text of a foreign key that is checked at the commit. */
  deferredReference(table: string, column: string): string
  /** A statement of 30 seconds that holds the marker in its text; undefined where a statement cannot wait. */
  slow?(marker: string): string
  /** One row `n`: how many other statements run at the server whose text holds the first parameter. */
  readonly running?: string
}

const upTo = (limit: string): string =>
  `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ${limit}) SELECT x`

const sqlite: Dialect = {
  placeholder: () => '?',
  types: { integer: 'integer', text: 'text', real: 'real', decimal: 'text', binary: 'blob' },
  numbers: `${upTo('?')} FROM c`,
  failingAt: (rows, at) => `${upTo(String(rows))} FROM c WHERE json(CASE WHEN x = ${at} THEN 'malformed' ELSE '1' END) = '1'`,
  deferredReference: (table, column) => `REFERENCES ${table}(${column}) DEFERRABLE INITIALLY DEFERRED`,
}

const postgres: Dialect = {
  placeholder: (n) => `$${n}`,
  types: { integer: 'bigint', text: 'text', real: 'double precision', decimal: 'numeric(40,9)', binary: 'bytea' },
  numbers: 'SELECT x FROM generate_series(1, $1::bigint) AS s(x)',
  failingAt: (rows, at) => `SELECT x FROM (${upTo(String(rows))} FROM c) AS s WHERE 1 / (x - ${at}) < 2`,
  deferredReference: (table, column) => `REFERENCES ${table}(${column}) DEFERRABLE INITIALLY DEFERRED`,
  slow: (marker) => `SELECT pg_sleep(30) /* ${marker} */`,
  running:
    "SELECT count(*) AS n FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND position($1 IN query) > 0",
}

const DIALECTS: Partial<Record<SqlDatabase['capabilities']['dialect'], Dialect>> = { sqlite, postgres }

/** The row of the instance's dialect. TypeError where the suite does not know it yet. */
export function dialectOf(instance: SqlDatabase): Dialect {
  const { dialect } = instance.capabilities
  const row = DIALECTS[dialect]
  if (row === undefined) throw new TypeError(`the sql suite does not speak ${String(dialect)}; add it to its dialect table`)
  return row
}
