import type { Clock, SqlDatabase } from '@switchyard/contract'
import type { Dialect } from '../ledger/schema.ts'
import { placeholders } from '../ledger/statements.ts'
import type { Anomaly } from '../reports/anomalies.ts'
import type { Costs } from '../reports/port.ts'
import type { AnomalyOptions } from './options.ts'

export interface WatchOptions {
  readonly database: SqlDatabase
  readonly dialect: Dialect
  readonly clock: Pick<Clock, 'now'>
  readonly costs: Pick<Costs, 'anomalies'>
  readonly options: AnomalyOptions
}

const DAY_MS = 86_400_000
/** Rows that came late may move the beginning of an episode that was told of; it is the same one while they lie so near. */
const SAME_EPISODE_MS = 4 * 3_600_000

/** Looks for episodes that began within a day, and writes an alert for each into the outbox, once for all nodes. Resolves with how many. */
export async function watchAnomalies({ database, dialect, clock, costs, options }: WatchOptions): Promise<number> {
  const now = clock.now()
  const { by, timeZone, floorUsd } = options
  const found = await costs.anomalies({ from: now - DAY_MS, to: now, by: by as 'key', timeZone, floorUsd })
  let raised = 0
  for (const anomaly of found) if (await raise(anomaly)) raised += 1
  return raised

  async function raise(anomaly: Anomaly): Promise<boolean> {
    const { tenant, value, startedAt } = anomaly
    const counter = `anomaly:${by}:${encodeURIComponent(tenant)}:${encodeURIComponent(value)}`
    const mark = (index: number): string => (dialect === 'sqlite' ? '?' : `$${index}`)
    const near = `SELECT 1 FROM switchyard_alerts WHERE counter = ${mark(1)} AND CAST(threshold AS ${dialect === 'postgres' ? 'BIGINT' : 'INTEGER'}) BETWEEN ${mark(2)} AND ${mark(3)} LIMIT 1`
    const told = await database.query(near, [counter, startedAt - SAME_EPISODE_MS, startedAt + SAME_EPISODE_MS])
    if (told.rows.length > 0) return false
    const { startedAt: started, endedAt, ...rest } = anomaly
    const payload = { ...rest, startedAt: new Date(started).toISOString(), endedAt: new Date(endedAt).toISOString() }
    const { rowCount } = await database.query(
      'INSERT INTO switchyard_alerts (id, kind, budget, tenant, counter, threshold, payload, at_ms) ' +
        `VALUES (${placeholders(dialect, 8)}) ON CONFLICT DO NOTHING`,
      [`${counter}@${startedAt}`, 'anomaly', '', tenant, counter, String(startedAt), JSON.stringify(payload), now],
    )
    return rowCount > 0
  }
}
