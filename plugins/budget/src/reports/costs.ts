import type { CatalogSource } from '@switchyard/catalog'
import { episodes } from './anomalies.ts'
import { checkTimeZone } from './days.ts'
import { checkRange } from './dimensions.ts'
import { focusRows } from './focus.ts'
import { costForecast, type ForecastParts } from './forecast-reader.ts'
import { hourlyByDay } from './hourly.ts'
import type { Costs } from './port.ts'
import { costReport, costRows } from './report.ts'
import { savingsOf } from './savings.ts'

/** How far back hours are compared with. */
export const HISTORY_MS: number = 8 * 7 * 86_400_000

export interface CostsParts extends ForecastParts {
  readonly catalog: CatalogSource
  /** Writes down what this node has settled. */
  readonly flush: () => Promise<void>
  /** Default of `anomalies`, USD an hour. */
  readonly floorUsd: number
}

/** The reports over one ledger. */
export function costsOf(parts: CostsParts): Costs {
  const { database, dialect, catalog, flush, floorUsd: floor, clock } = parts
  return {
    async report(query, options) {
      await flush()
      return costReport(database, dialect, query, options)
    },
    async rows(query, options) {
      await flush()
      return costRows(database, dialect, query, options)
    },
    async focus(query, options) {
      await flush()
      return focusRows(database, dialect, query, options)
    },
    async forecast(query = {}, options) {
      await flush()
      return costForecast(parts, query, options)
    },
    async anomalies({ from, to, where, by = 'key', timeZone = 'UTC', floorUsd = floor }, options) {
      checkRange({ from, to })
      checkTimeZone(timeZone)
      await flush()
      const end = Math.min(to, clock.now())
      const query = { from: Math.max(0, from - HISTORY_MS), to: end, by, where }
      const series = await hourlyByDay(database, dialect, query, options)
      return series
        .flatMap(({ tenant, value, hours }) =>
          episodes(hours, { from, to: end, timeZone, floorUsd }).map((episode) => ({ tenant, by, value, ...episode })),
        )
        .sort((a, b) => b.startedAt - a.startedAt || b.excessUsd - a.excessUsd)
    },
    async savings(query, options) {
      await flush()
      return savingsOf(database, dialect, catalog.current(), query, options)
    },
  }
}
