import type { Clock, SqlDatabase } from '@switchyard/contract'
import type { Dialect } from '../ledger/schema.ts'
import { placeholders } from '../ledger/statements.ts'
import { type Anomaly, episodes } from '../reports/anomalies.ts'
import { HISTORY_MS } from '../reports/costs.ts'
import { HOUR_MS, hourlyByDay } from '../reports/hourly.ts'
import type { AnomalyOptions } from './options.ts'

export interface WatchOptions {
  readonly database: SqlDatabase
  readonly dialect: Dialect
  readonly clock: Pick<Clock, 'now'>
  readonly options: AnomalyOptions
}

interface Series {
  readonly tenant: string
  readonly value: string
  readonly hours: Map<number, number>
}

const DAY_MS = 86_400_000
/** Rows that came late may move the beginning of an episode that was told of; it is the same one while they lie so near. */
const SAME_EPISODE_MS = 4 * HOUR_MS

/**
 * Looks for hours that cost too much. The history is read once, a day at a time, and kept; each round after it reads two days, so that it
 * costs next to nothing.
 */
export class AnomalyWatch {
  readonly #options: WatchOptions
  readonly #series = new Map<string, Series>()
  /** Epoch ms up to which the ledger was read. */
  #readTo: number | undefined

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** Writes an alert for each episode that began within a day into the outbox, once for all nodes. Resolves with how many it wrote. */
  async look(): Promise<number> {
    const { clock, options } = this.#options
    const now = clock.now()
    await this.#read(now)
    const rules = { from: now - DAY_MS, to: now, timeZone: options.timeZone, floorUsd: options.floorUsd }
    let raised = 0
    for (const { tenant, value, hours } of this.#series.values()) {
      // Most have nothing in a day that could be one.
      if (!isAbove(hours, now, options.floorUsd)) continue
      for (const episode of episodes(hours, rules))
        if (await this.#raise({ tenant, by: options.by, value, ...episode }, now)) raised += 1
    }
    return raised
  }

  async #read(now: number): Promise<void> {
    const { database, dialect, options } = this.#options
    const oldest = Math.max(0, now - HISTORY_MS)
    // Rows may come late, and correct an hour that was read.
    const from = this.#readTo === undefined ? oldest : Math.max(oldest, Math.floor((this.#readTo - DAY_MS) / DAY_MS) * DAY_MS)
    for (const { tenant, value, hours } of await hourlyByDay(database, dialect, { from, to: now, by: options.by as 'key' })) {
      const key = JSON.stringify([tenant, value])
      const known = this.#series.get(key)
      if (known === undefined) this.#series.set(key, { tenant, value, hours: new Map(hours) })
      else for (const [hour, usd] of hours) known.hours.set(hour, usd)
    }
    this.#readTo = now
    for (const [key, { hours }] of this.#series) {
      for (const hour of hours.keys()) if (hour < oldest / HOUR_MS - 1) hours.delete(hour)
      if (hours.size === 0) this.#series.delete(key)
    }
  }

  async #raise(anomaly: Anomaly, now: number): Promise<boolean> {
    const { database, dialect } = this.#options
    const { tenant, by, value, startedAt, endedAt, ...rest } = anomaly
    const counter = `anomaly:${by}:${encodeURIComponent(tenant)}:${encodeURIComponent(value)}`
    const mark = (index: number): string => (dialect === 'sqlite' ? '?' : `$${index}`)
    const integer = dialect === 'postgres' ? 'BIGINT' : 'INTEGER'
    const near =
      `SELECT 1 AS one FROM switchyard_alerts WHERE counter = ${mark(1)} ` +
      `AND CAST(threshold AS ${integer}) BETWEEN ${mark(2)} AND ${mark(3)} LIMIT 1`
    const told = await database.query(near, [counter, startedAt - SAME_EPISODE_MS, startedAt + SAME_EPISODE_MS])
    if (told.rows.length > 0) return false
    const times = { startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString() }
    const { rowCount } = await database.query(
      'INSERT INTO switchyard_alerts (id, kind, budget, tenant, counter, threshold, payload, at_ms) ' +
        `VALUES (${placeholders(dialect, 8)}) ON CONFLICT DO NOTHING`,
      [
        `${counter}@${startedAt}`,
        'anomaly',
        '',
        tenant,
        counter,
        String(startedAt),
        JSON.stringify({ tenant, by, value, ...times, ...rest }),
        now,
      ],
    )
    return rowCount > 0
  }
}

function isAbove(hours: ReadonlyMap<number, number>, now: number, floorUsd: number): boolean {
  const current = Math.floor(now / HOUR_MS)
  for (let hour = current - DAY_MS / HOUR_MS - 1; hour < current; hour++) if ((hours.get(hour) ?? 0) > floorUsd) return true
  return false
}
