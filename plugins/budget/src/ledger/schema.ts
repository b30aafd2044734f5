import { type SqlDatabase, type SqlSession, SwitchyardError } from '@switchyard/contract'
import { COLUMNS, isRequired, NUMBERS } from './columns.ts'

export type Dialect = 'sqlite' | 'postgres'

const VERSION = 1
const VERSION_TABLE = 'CREATE TABLE IF NOT EXISTS switchyard_schema (component TEXT PRIMARY KEY, version INTEGER NOT NULL)'

/** Text that compares byte by byte, as ids in the order of time need it; SQLite always does. */
function textOf(dialect: Dialect): string {
  return dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT'
}

function statements(dialect: Dialect): readonly string[] {
  const integer = dialect === 'postgres' ? 'BIGINT' : 'INTEGER'
  const text = textOf(dialect)
  const columns = COLUMNS.map((name) => {
    if (name === 'attempt_id') return `attempt_id ${text} NOT NULL PRIMARY KEY`
    return `${name} ${NUMBERS.has(name) ? integer : 'TEXT'}${isRequired(name) ? ' NOT NULL' : ''}`
  })
  return [
    `CREATE TABLE IF NOT EXISTS switchyard_ledger (${columns.join(', ')})`,
    `CREATE TABLE IF NOT EXISTS switchyard_budgets (name ${text} NOT NULL PRIMARY KEY, source TEXT NOT NULL, ` +
      `definition TEXT NOT NULL, since_ms ${integer} NOT NULL, updated_ms ${integer} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS switchyard_alerts (id ${text} NOT NULL PRIMARY KEY, kind TEXT NOT NULL, budget TEXT NOT NULL, ` +
      `tenant TEXT NOT NULL, counter TEXT NOT NULL, threshold TEXT NOT NULL, payload TEXT NOT NULL, at_ms ${integer} NOT NULL, ` +
      `delivered_ms ${integer}, UNIQUE (counter, threshold))`,
  ]
}

/** The dialect of a database; `CONFIG_INVALID` where the ledger does not speak it. */
export function dialectOf({ capabilities: { dialect } }: SqlDatabase): Dialect {
  if (dialect === 'sqlite' || dialect === 'postgres') return dialect
  throw new SwitchyardError(
    'CONFIG_INVALID',
    `budget: the ledger keeps to sqlite or postgres, not ${dialect}; bind another sql`,
  )
}

/** Makes the tables of the plugin where they are missing. `CONFIG_INVALID` where a newer version of it has made them otherwise. */
export async function migrate(database: SqlDatabase, dialect: Dialect): Promise<void> {
  await once(database, VERSION_TABLE)
  const read = async (session: SqlSession): Promise<number | undefined> => {
    const { rows } = await session.query<{ version: number }>(
      "SELECT version FROM switchyard_schema WHERE component = 'budget'",
    )
    return rows[0]?.version
  }
  const found = await read(database)
  if (found !== undefined && found > VERSION) {
    const message = `budget: the tables are of version ${found}, this plugin knows ${VERSION}; start the newer version`
    throw new SwitchyardError('CONFIG_INVALID', message)
  }
  if (found === VERSION) return
  for (const statement of statements(dialect)) await once(database, statement)
  await database.query(
    `INSERT INTO switchyard_schema (component, version) VALUES ('budget', ${VERSION}) ON CONFLICT (component) DO NOTHING`,
  )
}

/** Two nodes that make one table at once meet in PostgreSQL's own catalog: the second finds it made on its next try. */
async function once(database: SqlDatabase, statement: string): Promise<void> {
  try {
    await database.query(statement)
  } catch (error) {
    if (!SwitchyardError.is(error, 'CONFLICT')) throw error
    await database.query(statement)
  }
}
