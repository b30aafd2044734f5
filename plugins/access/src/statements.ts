import { type SqlDatabase, SwitchyardError } from '@switchyard/contract'

type Dialect = SqlDatabase['capabilities']['dialect']

/** Gives statements, written with `?` for each parameter and no `?` beside, the placeholders of a dialect. */
export function statementsFor(dialect: Dialect): (text: string) => string {
  if (dialect === 'sqlite') return (text) => text
  const known = new Map<string, string>()
  return (text) => {
    let numbered = known.get(text)
    if (numbered === undefined) {
      let count = 0
      numbered = text.replaceAll('?', () => {
        count += 1
        return `$${count}`
      })
      known.set(text, numbered)
    }
    return numbered
  }
}

const VERSION = 1

/** Makes the tables where they are missing. Rejects `CONFIG_INVALID` for a dialect, or a version of the tables, that is not known. */
export async function openTables(sql: SqlDatabase, now: number): Promise<void> {
  const { dialect } = sql.capabilities
  if (dialect === 'mysql')
    throw new SwitchyardError('CONFIG_INVALID', 'access keeps its keys in sqlite or postgres: bind "sql" to one of them')
  const text = statementsFor(dialect)
  for (const statement of TABLES) await made(sql, statement)
  await sql.query(
    text('INSERT INTO switchyard_keys_version (one, version, at) VALUES (1, ?, ?) ON CONFLICT (one) DO NOTHING'),
    [VERSION, now],
  )
  const { rows } = await sql.query<{ version: number }>('SELECT version FROM switchyard_keys_version')
  const found = rows[0]?.version
  if (found === VERSION) return
  throw new SwitchyardError(
    'CONFIG_INVALID',
    `the tables of keys are of version ${found}, and this release knows ${VERSION}: start the release that made them`,
  )
}

/** Of two nodes that make one table at once, postgres refuses one in spite of IF NOT EXISTS. */
async function made(sql: SqlDatabase, statement: string): Promise<void> {
  try {
    await sql.query(statement)
  } catch (error) {
    if (!SwitchyardError.is(error, 'CONFLICT') && !SwitchyardError.is(error, 'INVALID_REQUEST')) throw error
    await sql.query(statement)
  }
}

const TABLES: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS switchyard_keys_version (one BIGINT PRIMARY KEY, version BIGINT NOT NULL, at BIGINT NOT NULL)',
  'CREATE TABLE IF NOT EXISTS switchyard_peppers (kid TEXT PRIMARY KEY, pepper TEXT NOT NULL, created_at BIGINT NOT NULL)',
  `CREATE TABLE IF NOT EXISTS switchyard_keys (
    id TEXT PRIMARY KEY,
    class TEXT NOT NULL,
    name TEXT NOT NULL,
    tenant TEXT NOT NULL,
    team TEXT,
    user_name TEXT,
    roles TEXT NOT NULL,
    models TEXT NOT NULL,
    endpoints TEXT NOT NULL,
    sources TEXT NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    revoked_at BIGINT,
    rotated_at BIGINT NOT NULL,
    kid TEXT NOT NULL,
    digest TEXT NOT NULL,
    previous_kid TEXT,
    previous_digest TEXT,
    previous_until BIGINT,
    last_used_at BIGINT,
    previous_last_used_at BIGINT
  )`,
  'CREATE INDEX IF NOT EXISTS switchyard_keys_tenant ON switchyard_keys (tenant, id)',
]
