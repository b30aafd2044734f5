import { type SqlDatabase, SwitchyardError } from '@switchyard/contract'
import type { Verdict } from './deployment.ts'

/** What persons decided, kept in a database, so that it outlives every node. */
export interface Orders {
  /** Every deployment that is disabled. */
  disabled(): Promise<readonly { readonly deployment: string; readonly verdict: Verdict }[]>
  /**
   * Writes a decision and resolves once it is there, with its time: `at`, or later where the database knows a later one, so that the
   * last who decides wins though clocks differ. Rejects as `query` does; then nothing was decided.
   */
  write(deployment: string, verdict: Verdict): Promise<number>
}

interface OrderRow {
  readonly deployment: string
  readonly decided_by: string
  readonly reason: string
  readonly at: number
  readonly node: string
}

const TABLE = `CREATE TABLE IF NOT EXISTS switchyard_health_orders (
  deployment TEXT PRIMARY KEY,
  disabled INTEGER NOT NULL,
  decided_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  at BIGINT NOT NULL,
  node TEXT NOT NULL
)`
const SELECT = 'SELECT deployment, decided_by, reason, at, node FROM switchyard_health_orders WHERE disabled = 1'
const NEWEST = 'SELECT at FROM switchyard_health_orders WHERE deployment = ?'
const UPSERT = `INSERT INTO switchyard_health_orders (deployment, disabled, decided_by, reason, at, node)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (deployment) DO UPDATE SET disabled = excluded.disabled, decided_by = excluded.decided_by,
  reason = excluded.reason, at = excluded.at, node = excluded.node
WHERE excluded.at > switchyard_health_orders.at
RETURNING at`
/** Each further try is behind a decision that came in between. */
const TRIES = 5

/** Opens the table, making it where it is missing. Rejects `CONFIG_INVALID` for a dialect that is not known, else as `query` does. */
export async function openOrders(sql: SqlDatabase): Promise<Orders> {
  const { dialect } = sql.capabilities
  if (dialect === 'mysql')
    throw new SwitchyardError('CONFIG_INVALID', 'health keeps its orders in sqlite or postgres: bind "sql" to one of them')
  const upsert = numbered(UPSERT, dialect)
  const newest = numbered(NEWEST, dialect)
  await makeTable(sql)

  return {
    async disabled() {
      const { rows } = await sql.query<OrderRow>(SELECT)
      return rows.map(({ deployment, decided_by: by, reason, at, node }) => ({
        deployment,
        verdict: { disabled: true, by, reason, at, node },
      }))
    },

    async write(deployment, { disabled, by, reason, at, node }) {
      let time = at
      for (let tries = 0; tries < TRIES; tries += 1) {
        const { rows } = await sql.query(upsert, [deployment, disabled ? 1 : 0, by, reason, time, node])
        if (rows.length > 0) return time
        const known = await sql.query<{ at: number }>(newest, [deployment])
        time = Math.max(time, (known.rows[0]?.at ?? 0) + 1)
      }
      throw new SwitchyardError('CONFLICT', `others keep deciding about ${deployment} at the same time: try again`, {
        retryable: true,
      })
    },
  }
}

/** Of two nodes that make one table at once, postgres refuses one in spite of IF NOT EXISTS. */
async function makeTable(sql: SqlDatabase): Promise<void> {
  try {
    await sql.query(TABLE)
  } catch (error) {
    if (!SwitchyardError.is(error, 'CONFLICT') && !SwitchyardError.is(error, 'INVALID_REQUEST')) throw error
    await sql.query(TABLE)
  }
}

function numbered(text: string, dialect: 'sqlite' | 'postgres'): string {
  let count = 0
  return dialect === 'sqlite' ? text : text.replaceAll('?', () => `$${++count}`)
}
