import { type CallOptions, type Clock, type SqlDatabase, SwitchyardError } from '@switchyard/contract'
import type { Feedback, FeedbackRow } from './port.ts'
import type { RecentCalls } from './recent-calls.ts'

export interface FeedbackParts {
  readonly sql: SqlDatabase | undefined
  readonly recent: RecentCalls
  readonly clock: Pick<Clock, 'now'>
}

const MAX_COMMENT = 1_000
const MAX_ID = 200
const VERSION = 1

const TABLES: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS switchyard_feedback_version (one BIGINT PRIMARY KEY, version BIGINT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS switchyard_feedback (
    tenant TEXT NOT NULL,
    call_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    score DOUBLE PRECISION NOT NULL,
    comment TEXT,
    route TEXT,
    task_class TEXT,
    arm TEXT,
    model TEXT,
    PRIMARY KEY (tenant, call_id)
  )`,
]

const COLUMNS = ['tenant', 'call_id', 'at_ms', 'key_id', 'score', 'comment', 'route', 'task_class', 'arm', 'model'] as const
/** What later feedback of the same request changes; what was known of the call stays, where nothing is known now. */
const CHANGED = ['at_ms', 'key_id', 'score', 'comment'] as const

/** @see Feedback. Its tables are made with the first use. */
export function feedbackStore({ sql, recent, clock }: FeedbackParts): Feedback {
  let opened: Promise<SqlDatabase> | undefined

  function database(): Promise<SqlDatabase> {
    opened ??= open(sql).catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }

  return {
    async submit({ tenant, keyId, requestId, score, comment }, options) {
      if (!(score >= 0 && score <= 1)) throw invalid('score', 'is a number from 0 to 1')
      if (requestId === '' || requestId.length > MAX_ID) throw invalid('request_id', `is the id of a request`)
      // What is not remembered is kept all the same, by the tenant of whoever says it: so nobody learns which requests others made.
      const call = recent.get(tenant, requestId)
      const db = await database()
      const values: readonly unknown[] = [
        tenant,
        requestId,
        clock.now(),
        keyId,
        score,
        comment?.slice(0, MAX_COMMENT) ?? null,
        call?.route ?? null,
        call?.taskClass ?? null,
        call?.arm ?? null,
        call?.model ?? null,
      ]
      const set = CHANGED.map((name) => `${name} = excluded.${name}`).join(', ')
      await db.query(
        `INSERT INTO switchyard_feedback (${COLUMNS.join(', ')}) VALUES (${marks(db, COLUMNS.length)})
         ON CONFLICT (tenant, call_id) DO UPDATE SET ${set}`,
        values,
        options,
      )
    },

    async rows({ tenant, after = '', limit = 1_000 }, options) {
      const db = await database()
      const [first, second, third] = marks(db, 3).split(', ')
      const { rows } = await db.query<Readonly<Record<(typeof COLUMNS)[number], never>>>(
        `SELECT ${COLUMNS.join(', ')} FROM switchyard_feedback
         WHERE tenant = ${first} AND call_id > ${second} ORDER BY call_id LIMIT ${third}`,
        [tenant, after, limit],
        options,
      )
      return rows.map(
        (row): FeedbackRow => ({
          tenant: row.tenant,
          requestId: row.call_id,
          at: Number(row.at_ms),
          keyId: row.key_id,
          score: Number(row.score),
          comment: row.comment,
          route: row.route,
          taskClass: row.task_class,
          arm: row.arm,
          model: row.model,
        }),
      )
    },
  }
}

async function open(sql: SqlDatabase | undefined): Promise<SqlDatabase> {
  if (sql === undefined)
    throw new SwitchyardError('UNSUPPORTED', 'feedback is not kept here: add a plugin that provides the port sql@1')
  if (sql.capabilities.dialect === 'mysql')
    throw new SwitchyardError('UNSUPPORTED', 'feedback is kept in sqlite or postgres: bind "sql" of routing to one of them')
  for (const statement of TABLES) await made(sql, statement)
  await sql.query(`INSERT INTO switchyard_feedback_version (one, version) VALUES (1, ${VERSION}) ON CONFLICT (one) DO NOTHING`)
  const { rows } = await sql.query<{ version: number }>('SELECT version FROM switchyard_feedback_version')
  if (Number(rows[0]?.version) === VERSION) return sql
  throw new SwitchyardError(
    'CONFIG_INVALID',
    `the tables of feedback are of version ${rows[0]?.version}, and this release knows ${VERSION}: start the release that made them`,
  )
}

/** Of two nodes that make one table at once, postgres refuses one in spite of IF NOT EXISTS. */
async function made(sql: SqlDatabase, statement: string, options?: CallOptions): Promise<void> {
  try {
    await sql.query(statement, [], options)
  } catch (error) {
    if (!SwitchyardError.is(error, 'CONFLICT') && !SwitchyardError.is(error, 'INVALID_REQUEST')) throw error
    await sql.query(statement, [], options)
  }
}

function marks({ capabilities }: SqlDatabase, count: number): string {
  return Array.from({ length: count }, (_, at) => (capabilities.dialect === 'postgres' ? `$${at + 1}` : '?')).join(', ')
}

function invalid(param: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `'${param}' ${what}`, { details: { param } })
}
