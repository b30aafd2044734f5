import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { SqlDatabase, SqlSession } from '@switchyard/contract'
import { type Dialect, dialectOf } from './dialect.ts'

/** How long a table may take to go after a case: a broken implementation may hold it for ever. */
const DROP_MS = 1_000

/** A table of the case's own. */
export interface Table {
  readonly name: string
  readonly dialect: Dialect
  /** Adds a row of one or more values by parameters. */
  insert(session: SqlSession, ...values: readonly unknown[]): Promise<number>
  /** Rows in it, as `session` sees it. */
  count(session: SqlSession): Promise<unknown>
}

type Column = keyof Dialect['types']

/** A name that no other table has. */
export function freshName(): string {
  return `conformance_${randomBytes(6).toString('hex')}`
}

/** Makes a table with columns `a`, `b`, ... of these types, hands it to `work`, and drops it whatever happens. */
export async function withTable(
  instance: SqlDatabase,
  columns: readonly (Column | readonly [Column, string])[],
  work: (table: Table) => Promise<void>,
): Promise<void> {
  const dialect = dialectOf(instance)
  const name = freshName()
  const declared = columns.map((column, at) => {
    const [type, suffix] = typeof column === 'string' ? [column, ''] : column
    return `${String.fromCharCode(97 + at)} ${dialect.types[type]} ${suffix}`
  })
  await instance.query(`CREATE TABLE ${name} (${declared.join(', ')})`)
  try {
    await work({
      name,
      dialect,
      async insert(session, ...values) {
        const places = values.map((_, at) => dialect.placeholder(at + 1))
        return (await session.query(`INSERT INTO ${name} VALUES (${places.join(', ')})`, values)).rowCount
      },
      count: (session) => countOf(session, name),
    })
  } finally {
    const dropped = Promise.resolve(instance.query(`DROP TABLE ${name}`)).catch(() => {})
    await Promise.race([dropped, pause(DROP_MS)])
  }
}

/** Rows of a table, as `session` sees it. */
export async function countOf(session: SqlSession, table: string): Promise<unknown> {
  const { rows } = await session.query<{ n: unknown }>(`SELECT count(*) AS n FROM ${table}`)
  return rows[0]?.n
}

/** The first column of the first row. */
export async function firstValue(session: SqlSession, text: string, params: readonly unknown[] = []): Promise<unknown> {
  const { rows } = await session.query(text, params)
  assert.ok(rows[0] !== undefined, `no row came back from ${text}`)
  return Object.values(rows[0])[0]
}

/** Real time, where a case waits for what a database does by itself. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** A promise and its resolve: what a case holds work up with. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
