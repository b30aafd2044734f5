import { type RawBuilder, sql } from 'kysely'
import { picoOfHalves, wholeOf } from './amounts.ts'
import type { CostFigures } from './port.ts'

/** Sums as a statement names them. */
export const MEASURES = [
  'pico_whole',
  'pico_rest',
  'micro',
  'charged',
  'attempts',
  'cache_hits',
  'corrections',
  'unpriced',
  'estimated',
  'input_tokens',
  'output_tokens',
  'saved_whole',
  'saved_rest',
] as const

type Measures = Readonly<Record<(typeof MEASURES)[number], unknown>>

/** The sums over the rows of a group, in the order of {@link MEASURES}. */
export const SUMS: RawBuilder<unknown> = sql`
  COALESCE(SUM(cost_pusd / 1000000), 0) AS pico_whole,
  COALESCE(SUM(cost_pusd % 1000000), 0) AS pico_rest,
  COALESCE(SUM(cost_uusd), 0) AS micro,
  COALESCE(SUM(charged_nusd), 0) AS charged,
  COALESCE(SUM(CASE WHEN kind IN ('attempt', 'unsettled') THEN 1 ELSE 0 END), 0) AS attempts,
  COALESCE(SUM(CASE WHEN kind = 'cache' THEN 1 ELSE 0 END), 0) AS cache_hits,
  COALESCE(SUM(CASE WHEN kind = 'adjustment' THEN 1 ELSE 0 END), 0) AS corrections,
  COALESCE(SUM(CASE WHEN unknown_parts IS NOT NULL THEN 1 ELSE 0 END), 0) AS unpriced,
  COALESCE(SUM(CASE WHEN usage_source = 'estimated' THEN 1 ELSE 0 END), 0) AS estimated,
  COALESCE(SUM(CASE WHEN kind <> 'cache' THEN input_tokens ELSE 0 END), 0) AS input_tokens,
  COALESCE(SUM(CASE WHEN kind <> 'cache' THEN output_tokens ELSE 0 END), 0) AS output_tokens,
  COALESCE(SUM(CASE WHEN kind = 'cache' THEN saved_pusd / 1000000 ELSE 0 END), 0) AS saved_whole,
  COALESCE(SUM(CASE WHEN kind = 'cache' THEN saved_pusd % 1000000 ELSE 0 END), 0) AS saved_rest`

/** What a row of sums says. */
export function figuresOf(row: Measures): CostFigures {
  return {
    costPico: picoOfHalves(row.pico_whole, row.pico_rest),
    costMicro: wholeOf(row.micro),
    chargedNano: wholeOf(row.charged),
    attempts: Number(row.attempts ?? 0),
    cacheHits: Number(row.cache_hits ?? 0),
    corrections: Number(row.corrections ?? 0),
    unpriced: Number(row.unpriced ?? 0),
    estimated: Number(row.estimated ?? 0),
    inputTokens: wholeOf(row.input_tokens),
    outputTokens: wholeOf(row.output_tokens),
    cacheSavedPico: picoOfHalves(row.saved_whole, row.saved_rest),
  }
}
