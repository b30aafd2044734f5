import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { type SqlDatabase, type SqlResult, type SqlSession, SwitchyardError } from '@switchyard/contract'

export interface FileSql extends SqlDatabase {
  /** Statements so far, with their parameters. */
  readonly asked: { readonly sql: string; readonly params: readonly unknown[] }[]
  /** While set, every statement rejects with it. */
  fault: Error | undefined
  /** While set, statements are carried out, and their results wait for it. */
  gate: Promise<void> | undefined
}

/** The `sql` port over `node:sqlite`, which counts what is asked and fails on demand. Databases of one file share it. */
export function fileSql(path = ':memory:'): FileSql {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA busy_timeout = 5000')
  const run = <Row>(text: string, params: readonly unknown[]): SqlResult<Row> => {
    const statement = database.prepare(text)
    const values = params as SQLInputValue[]
    if (/^\s*(select|insert.*returning)/i.test(text)) {
      const rows = statement.all(...values) as Row[]
      return { rows, rowCount: rows.length }
    }
    return { rows: [], rowCount: Number(statement.run(...values).changes) }
  }
  const session: SqlSession = {
    async query<Row>(text: string, params: readonly unknown[] = []) {
      sql.asked.push({ sql: text, params })
      if (sql.fault !== undefined) throw sql.fault
      const result = run<Row>(text, params)
      await sql.gate
      return result
    },
  }
  const sql: FileSql = {
    capabilities: { dialect: 'sqlite', transactions: true, streaming: false, cancel: false },
    asked: [],
    fault: undefined,
    gate: undefined,
    ...session,
    async transaction(work) {
      if (sql.fault !== undefined) throw sql.fault
      return work(session)
    },
    stream() {
      throw new SwitchyardError('UNSUPPORTED', 'no streams here')
    },
  }
  return sql
}
