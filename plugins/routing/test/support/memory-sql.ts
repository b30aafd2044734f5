import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { type SqlDatabase, type SqlSession, SwitchyardError } from '@switchyard/contract'

/** The `sql` port over `node:sqlite` in memory, which counts what is asked and fails on demand. */
export interface MemorySql extends SqlDatabase {
  readonly asked: string[]
  /** While set, every statement rejects with it. */
  fault: Error | undefined
}

export function memorySql(dialect: SqlDatabase['capabilities']['dialect'] = 'sqlite'): MemorySql {
  const database = new DatabaseSync(':memory:')
  const session: SqlSession = {
    async query<Row>(text: string, params: readonly unknown[] = []) {
      sql.asked.push(text)
      if (sql.fault !== undefined) throw sql.fault
      const statement = database.prepare(text.replaceAll(/\$\d+/g, '?'))
      const values = params as SQLInputValue[]
      if (/^\s*select/i.test(text)) {
        const rows = statement.all(...values) as Row[]
        return { rows, rowCount: rows.length }
      }
      return { rows: [], rowCount: Number(statement.run(...values).changes) }
    },
  }
  const sql: MemorySql = {
    capabilities: { dialect, transactions: true, streaming: false, cancel: false },
    asked: [],
    fault: undefined,
    ...session,
    transaction: (work) => work(session),
    stream() {
      throw new SwitchyardError('UNSUPPORTED', 'no streams here')
    },
  }
  return sql
}
