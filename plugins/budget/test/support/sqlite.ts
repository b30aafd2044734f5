import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { type SqlDatabase, type SqlResult, type SqlSession, SwitchyardError } from '@switchyard/contract'

/** The `sql` port on one SQLite file, as far as the budget needs it, with faults to order. */
export interface TestSqlite extends SqlDatabase {
  /** Rejects every call with this until it is undefined again. */
  failure: unknown
  /** Called with each statement before it runs; what it throws rejects the call. */
  before: ((sql: string) => void | Promise<void>) | undefined
  readonly statements: string[]
  close(): void
}

export function testSqlite(path = ':memory:'): TestSqlite {
  const database = new DatabaseSync(path, { timeout: 5_000 })
  database.exec('PRAGMA journal_mode = WAL')
  const statements: string[] = []
  let turn: Promise<unknown> = Promise.resolve()

  async function run<R>(text: string, params: readonly unknown[] = []): Promise<SqlResult<R>> {
    if (sqlite.failure !== undefined) throw sqlite.failure
    await sqlite.before?.(text)
    statements.push(text)
    try {
      const statement = database.prepare(text)
      statement.setReadBigInts(true)
      const values = params.map((value) => (typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value))
      if (statement.columns().length > 0) {
        const rows = statement.all(...(values as SQLInputValue[])) as Record<string, unknown>[]
        for (const row of rows) for (const name in row) row[name] = narrow(row[name])
        return { rows: rows as R[], rowCount: rows.length }
      }
      return { rows: [], rowCount: Number(statement.run(...(values as SQLInputValue[])).changes) }
    } catch (error) {
      throw new SwitchyardError('INVALID_REQUEST', `sqlite: ${String(error)}`, { cause: error })
    }
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work)
    turn = result.catch(() => {})
    return result
  }

  const sqlite: TestSqlite = {
    capabilities: { dialect: 'sqlite', transactions: true, streaming: false, cancel: false },
    failure: undefined,
    before: undefined,
    statements,
    query: (text, params) => inTurn(() => run(text, params)),
    transaction: (work) =>
      inTurn(async () => {
        if (sqlite.failure !== undefined) throw sqlite.failure
        database.exec('BEGIN IMMEDIATE')
        try {
          const result = await work({ query: run } as SqlSession)
          database.exec('COMMIT')
          return result
        } catch (error) {
          database.exec('ROLLBACK')
          throw error
        }
      }),
    stream() {
      throw new TypeError('the budget streams nothing')
    },
    close: () => database.close(),
  }
  return sqlite
}

function narrow(value: unknown): unknown {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}
