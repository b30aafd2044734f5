import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { type SqlDatabase, type SqlResult, SwitchyardError } from '@switchyard/contract'

export interface FileSql extends SqlDatabase {
  /** While set, every statement rejects with it. */
  fault: SwitchyardError | undefined
  /** While set, statements are carried out, and their results wait for it. */
  gate: Promise<void> | undefined
}

/** The port `sql` over a file, as far as health needs it. */
export function fileSql(path: string, dialect: SqlDatabase['capabilities']['dialect'] = 'sqlite'): FileSql {
  const database = new DatabaseSync(path)
  const sql: FileSql = {
    capabilities: { dialect, transactions: false, streaming: false, cancel: false },
    fault: undefined,
    gate: undefined,
    async query<Row>(text: string, params: readonly unknown[] = []): Promise<SqlResult<Row>> {
      if (sql.fault !== undefined) throw sql.fault
      const rows = database.prepare(text).all(...(params as SQLInputValue[])) as Row[]
      await sql.gate
      return { rows, rowCount: rows.length }
    },
    transaction: () => Promise.reject(new SwitchyardError('UNSUPPORTED', 'not used')),
    stream() {
      throw new SwitchyardError('UNSUPPORTED', 'not used')
    },
  }
  return sql
}
