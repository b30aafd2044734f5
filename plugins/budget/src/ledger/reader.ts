import type { CallOptions, SqlDatabase } from '@switchyard/contract'
import {
  type Compilable,
  DummyDriver,
  type Expression,
  Kysely,
  PostgresAdapter,
  PostgresQueryCompiler,
  type SqlBool,
  SqliteAdapter,
  SqliteQueryCompiler,
} from 'kysely'
import { COLUMNS, idFloor, type LedgerColumn } from './columns.ts'
import type { LedgerQuery, LedgerRow } from './port.ts'
import type { Dialect } from './schema.ts'

/** Tables as the query builder knows them. */
export interface LedgerTables {
  readonly switchyard_ledger: Readonly<Record<LedgerColumn, string | number | null>>
}

const DEFAULT_LIMIT = 1_000
const LARGEST_LIMIT = 10_000

/** A query builder that only writes text: what it builds is sent through the port `sql`. */
export function compiler(dialect: Dialect): Kysely<LedgerTables> {
  return new Kysely<LedgerTables>({
    dialect: {
      createAdapter: () => (dialect === 'sqlite' ? new SqliteAdapter() : new PostgresAdapter()),
      createDriver: () => new DummyDriver(),
      createIntrospector: () => {
        throw new TypeError('the ledger is not introspected')
      },
      createQueryCompiler: () => (dialect === 'sqlite' ? new SqliteQueryCompiler() : new PostgresQueryCompiler()),
    },
  })
}

/** Sends what was built. */
export async function send<R>(database: SqlDatabase, built: Compilable, options?: CallOptions): Promise<readonly R[]> {
  const { sql, parameters } = built.compile()
  return (await database.query<R>(sql, parameters, options)).rows
}

/** Reads rows by any of their dimensions. */
export function ledgerReader(
  database: SqlDatabase,
  dialect: Dialect,
): (query?: LedgerQuery, options?: CallOptions) => Promise<readonly LedgerRow[]> {
  const builder = compiler(dialect)
  return async (query = {}, options) => {
    const limit = Math.min(Math.max(1, Math.trunc(query.limit ?? DEFAULT_LIMIT)), LARGEST_LIMIT)
    const built = builder
      .selectFrom('switchyard_ledger')
      .select([...COLUMNS])
      .where((eb) => {
        const all: Expression<SqlBool>[] = []
        const equal = (column: LedgerColumn, value: string | undefined): void => {
          if (value !== undefined) all.push(eb(column, '=', value))
        }
        if (query.from !== undefined) all.push(eb('attempt_id', '>=', idFloor(query.from)))
        if (query.to !== undefined) all.push(eb('attempt_id', '<', idFloor(query.to)))
        if (query.after !== undefined) all.push(eb('attempt_id', '>', query.after))
        if (query.kinds !== undefined) all.push(eb('kind', 'in', query.kinds))
        equal('tenant', query.tenant)
        equal('team', query.team)
        equal('key_id', query.keyId)
        equal('user_id', query.user)
        equal('session', query.session)
        equal('provider', query.provider)
        equal('model', query.model)
        equal('call_id', query.callId)
        return eb.and(all)
      })
      .orderBy('attempt_id')
      .limit(limit)
    return send<LedgerRow>(database, built, options)
  }
}
