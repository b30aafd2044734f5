import { createHash } from 'node:crypto'
import { type SqlDatabase, type SqlResult, type SqlSession, SwitchyardError } from '@switchyard/contract'
import type { Dialect } from '../ledger/schema.ts'
import { placeholders } from '../ledger/statements.ts'

/** An alert on its way to one sink. */
export interface Delivery {
  /** The same for every attempt and node; differs by sink. */
  readonly id: string
  readonly alertId: string
  readonly sink: string
  readonly kind: string
  /** JSON. */
  readonly payload: string
  /** Epoch ms at which it was raised. */
  readonly atMs: number
  /** Attempts so far, this one included. */
  readonly attempts: number
}

interface Found {
  readonly alert_id: string
  readonly sink: string
  readonly attempts: number | bigint | string
  readonly kind: string
  readonly payload: string
  readonly at_ms: number | bigint | string
}

const LONGEST_ERROR = 500
const PAGE = 50

/** Where each alert is with each sink, in a table that all nodes share: a claim on a row is an UPDATE that only one of them wins. */
export class Deliveries {
  readonly #database: SqlDatabase
  readonly #dialect: Dialect
  readonly #node: string

  constructor(database: SqlDatabase, dialect: Dialect, node: string) {
    this.#database = database
    this.#dialect = dialect
    this.#node = node
  }

  /** Makes the table where it is missing. */
  async open(): Promise<void> {
    const integer = this.#dialect === 'postgres' ? 'BIGINT' : 'INTEGER'
    const text =
      'CREATE TABLE IF NOT EXISTS switchyard_alert_deliveries (alert_id TEXT NOT NULL, sink TEXT NOT NULL, ' +
      `attempts INTEGER NOT NULL, next_ms ${integer} NOT NULL, claimed_until ${integer}, claimed_by TEXT, ` +
      `delivered_ms ${integer}, dead_ms ${integer}, last_error TEXT, PRIMARY KEY (alert_id, sink))`
    try {
      await this.#database.query(text)
    } catch (error) {
      // Two nodes that make one table at once meet in PostgreSQL's own catalog.
      if (!SwitchyardError.is(error, 'CONFLICT')) throw error
      await this.#database.query(text)
    }
  }

  /** Whether an alert stands in the outbox that has not arrived everywhere. */
  async isAnyOpen(): Promise<boolean> {
    const text = 'SELECT 1 AS one FROM switchyard_alerts WHERE delivered_ms IS NULL LIMIT 1'
    return (await this.#run(this.#database, text, [])).rows.length > 0
  }

  /** Enters every alert raised since an instant (epoch ms) for a sink, once. */
  async enter(sink: string, since: number): Promise<void> {
    await this.#run(
      this.#database,
      'INSERT INTO switchyard_alert_deliveries (alert_id, sink, attempts, next_ms) ' +
        `SELECT id, ${this.#dialect === 'postgres' ? '?::text' : '?'}, 0, at_ms FROM switchyard_alerts ` +
        'WHERE delivered_ms IS NULL AND at_ms >= ? ON CONFLICT DO NOTHING',
      [sink, since],
    )
  }

  /** Deliveries to these sinks that are due and that nobody has claimed, oldest first, 50 at most. */
  async due(sinks: readonly string[], now: number): Promise<readonly Delivery[]> {
    if (sinks.length === 0) return []
    const { rows } = await this.#run<Found>(
      this.#database,
      'SELECT d.alert_id, d.sink, d.attempts, a.kind, a.payload, a.at_ms FROM switchyard_alert_deliveries d ' +
        'JOIN switchyard_alerts a ON a.id = d.alert_id WHERE d.delivered_ms IS NULL AND d.dead_ms IS NULL AND d.next_ms <= ? ' +
        `AND (d.claimed_until IS NULL OR d.claimed_until < ?) AND d.sink IN (${sinks.map(() => '?').join(', ')}) ` +
        `ORDER BY d.next_ms, d.alert_id, d.sink LIMIT ${PAGE}`,
      [now, now, ...sinks],
    )
    return rows.map((row) => ({
      id: messageId(row.alert_id, row.sink),
      alertId: row.alert_id,
      sink: row.sink,
      kind: row.kind,
      payload: row.payload,
      atMs: Number(row.at_ms),
      attempts: Number(row.attempts) + 1,
    }))
  }

  /** Takes a delivery for this node alone, until an instant; false where another node was first. */
  async claim({ alertId, sink, attempts }: Delivery, now: number, until: number): Promise<boolean> {
    const { rowCount } = await this.#run(
      this.#database,
      'UPDATE switchyard_alert_deliveries SET claimed_until = ?, claimed_by = ?, attempts = ? ' +
        'WHERE alert_id = ? AND sink = ? AND attempts = ? AND delivered_ms IS NULL AND dead_ms IS NULL AND next_ms <= ? ' +
        'AND (claimed_until IS NULL OR claimed_until < ?)',
      [until, this.#node, attempts, alertId, sink, attempts - 1, now, now],
    )
    return rowCount === 1
  }

  /** It arrived. An alert that has arrived everywhere is marked so itself. */
  async delivered({ alertId, sink }: Delivery, now: number): Promise<void> {
    await this.#run(
      this.#database,
      'UPDATE switchyard_alert_deliveries SET delivered_ms = ?, claimed_until = NULL WHERE alert_id = ? AND sink = ?',
      [now, alertId, sink],
    )
    await this.#closeAlert(alertId, now)
  }

  /** It did not arrive: it is due again at an instant, or dead without one. Only while the claim is this node's. */
  async failed({ alertId, sink, attempts }: Delivery, error: string, now: number, nextMs: number | undefined): Promise<void> {
    await this.#run(
      this.#database,
      'UPDATE switchyard_alert_deliveries SET claimed_until = NULL, last_error = ?, next_ms = ?, dead_ms = ? ' +
        'WHERE alert_id = ? AND sink = ? AND attempts = ? AND claimed_by = ? AND delivered_ms IS NULL',
      [error.slice(0, LONGEST_ERROR), nextMs ?? now, nextMs === undefined ? now : null, alertId, sink, attempts, this.#node],
    )
    if (nextMs === undefined) await this.#closeAlert(alertId, now)
  }

  async #closeAlert(alertId: string, now: number): Promise<void> {
    await this.#run(
      this.#database,
      'UPDATE switchyard_alerts SET delivered_ms = ? WHERE id = ? AND delivered_ms IS NULL AND NOT EXISTS ' +
        '(SELECT 1 FROM switchyard_alert_deliveries d WHERE d.alert_id = switchyard_alerts.id AND d.delivered_ms IS NULL AND d.dead_ms IS NULL)',
      [now, alertId],
    )
  }

  /** Writes placeholders as the dialect has them. */
  async #run<Row>(session: SqlSession, text: string, params: readonly unknown[]): Promise<SqlResult<Row>> {
    let index = 0
    const numbered = (): string => {
      index += 1
      return placeholders('postgres', 1, index)
    }
    return session.query<Row>(this.#dialect === 'sqlite' ? text : text.replaceAll('?', numbered), params)
  }
}

/** What receivers know a message by: they drop a second one with the same id. */
export function messageId(alertId: string, sink: string): string {
  return `msg_${createHash('sha256').update(`${sink}\n${alertId}`).digest('base64url').slice(0, 27)}`
}
