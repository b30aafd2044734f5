import { definePort, type Port } from '../port.ts'
import type { CallOptions } from '../runtime.ts'

/** The request of `sql.query`. */
export interface SqlQuery {
  readonly sql: string
  readonly params: readonly unknown[]
}

/**
 * Integers come back as `number` where safe and as `bigint` beyond 2^53 - 1, never rounded; exact decimals as strings; binary
 * as Uint8Array; SQL NULL as null.
 */
export interface SqlResult<Row = Record<string, unknown>> {
  readonly rows: readonly Row[]
  /** Rows returned, or for a write rows changed. */
  readonly rowCount: number
}

export interface SqlSession {
  /**
   * One statement. Placeholders are the dialect's own: `$1` for postgres, `?` for sqlite and mysql. Rejects `INVALID_REQUEST`
   * (syntax, unknown table, wrong type), `CONFLICT` (constraint, serialization failure, deadlock; the latter two retryable),
   * `TIMEOUT`, `ABORTED`, `OVERLOADED` (no connection free in time), `UPSTREAM_UNAVAILABLE`.
   */
  query<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[], options?: CallOptions): Promise<SqlResult<Row>>
}

export type Isolation = 'read committed' | 'repeatable read' | 'serializable'

export interface SqlDatabase extends SqlSession {
  readonly capabilities: {
    readonly dialect: 'sqlite' | 'postgres' | 'mysql'
    readonly transactions: boolean
    readonly streaming: boolean
    /** An abort stops the statement at the server, not just our waiting for it. */
    readonly cancel: boolean
  }
  /**
   * Commits when `work` resolves, rolls back when it rejects, and then rejects with the same error. The session is dead afterwards
   * (`CLOSED`). Nested transactions are not offered: `work` gets a session, not a database.
   */
  transaction<T>(
    work: (session: SqlSession) => Promise<T>,
    options?: CallOptions & { readonly isolation?: Isolation },
  ): Promise<T>
  /** Rows as they come, never all in memory. Breaking off iteration ends the statement and frees its connection. */
  stream<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[], options?: CallOptions): AsyncIterable<Row>
}

export const sql: Port<SqlDatabase> = definePort<SqlDatabase>('sql', 1)
