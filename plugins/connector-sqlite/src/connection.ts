import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { type SqlResult, SwitchyardError } from '@switchyard/contract'
import { sqliteCode } from './errors.ts'
import { changesRows, isTrivia } from './statement-text.ts'
import { narrow, toSqlite } from './values.ts'

export type Row = Record<string, unknown>

/** One SQLite connection with its prepared statements. Synchronous; errors are node:sqlite's own. */
export interface Connection {
  /** True between BEGIN or SAVEPOINT and their end. */
  readonly inTransaction: boolean
  run(text: string, params: readonly unknown[]): SqlResult<Row>
  /** Rows as SQLite finds them. The iterator's `return` ends the statement. */
  iterate(text: string, params: readonly unknown[]): Iterator<Row>
  /** Ends an open transaction, if there is one. */
  rollback(): void
  close(): void
}

interface Prepared {
  readonly statement: StatementSync
  readonly returnsRows: boolean
  readonly changesRows: boolean
  /** Numbers of parameters that were tried and fit. */
  fits: number
}

/** Opens `path` with integers read as bigint, foreign keys on, and no wait of SQLite's own for a lock. */
export function openConnection(path: string, options: { readonly readOnly: boolean; readonly cacheSize: number }): Connection {
  const database = new DatabaseSync(path, { readOnly: options.readOnly, timeout: 0, enableForeignKeyConstraints: true })
  const cache = new Map<string, Prepared>()

  function prepare(text: string): Prepared {
    const known = cache.get(text)
    if (known !== undefined) {
      cache.delete(text)
      cache.set(text, known)
      return known
    }
    const statement = database.prepare(text)
    // SQLite keeps the text of the first statement only, and node:sqlite drops the rest without a word.
    if (!isTrivia(text.slice(statement.sourceSQL.length))) {
      throw new SwitchyardError('INVALID_REQUEST', 'sqlite: the text holds more than one statement; send them one by one')
    }
    statement.setReadBigInts(true)
    const prepared = { statement, returnsRows: statement.columns().length > 0, changesRows: changesRows(text), fits: -1 }
    cache.set(text, prepared)
    if (cache.size > options.cacheSize) {
      for (const oldest of cache.keys()) {
        cache.delete(oldest)
        break
      }
    }
    return prepared
  }

  /** SQLite takes a parameter that is not given for NULL; only one too many is an error, so the next one is tried, unrun. */
  function checkCount(prepared: Prepared, given: number): void {
    if (prepared.fits === given) return
    const more = new Array<null>(given + 1).fill(null)
    try {
      prepared.statement.iterate(...more).return?.()
    } catch (error) {
      if (sqliteCode(error) !== 25) throw error
      prepared.fits = given
      return
    }
    throw new SwitchyardError(
      'INVALID_REQUEST',
      `sqlite: the statement has more placeholders than the ${given} parameters given`,
    )
  }

  function bind(text: string, params: readonly unknown[]) {
    const prepared = prepare(text)
    checkCount(prepared, params.length)
    const values = new Array<SQLInputValue>(params.length)
    for (let index = 0; index < values.length; index++) values[index] = toSqlite(params[index], index)
    return { prepared, values }
  }

  return {
    get inTransaction() {
      return database.isOpen && database.isTransaction
    },
    run(text, params) {
      const { prepared, values } = bind(text, params)
      if (prepared.returnsRows) {
        const rows = prepared.statement.all(...values) as Row[]
        for (const row of rows) narrow(row)
        return { rows, rowCount: rows.length }
      }
      const { changes } = prepared.statement.run(...values)
      return { rows: [], rowCount: prepared.changesRows ? Number(changes) : 0 }
    },
    iterate(text, params) {
      const { prepared, values } = bind(text, params)
      const rows = prepared.statement.iterate(...values) as Iterator<Row>
      return {
        next() {
          const step = rows.next()
          if (step.done !== true) narrow(step.value)
          return step
        },
        return() {
          rows.return?.()
          return { done: true, value: undefined }
        },
      }
    },
    rollback() {
      if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
    },
    close() {
      cache.clear()
      if (database.isOpen) database.close()
    },
  }
}
