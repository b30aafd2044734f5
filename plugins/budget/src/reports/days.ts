import { type RawBuilder, sql } from 'kysely'
import { isTimeZone, windowAt } from '../limits/window.ts'
import { invalid } from './dimensions.ts'
import type { CostRange } from './port.ts'

const DAY_MS = 86_400_000
const MOST_DAYS = 1_100

/** The calendar days of a range. */
export interface Days {
  /** `2026-10-25`. */
  readonly ids: readonly string[]
  /** Epoch ms at which each begins, and at which the last ends. */
  readonly starts: readonly number[]
  /** Place of a row's day, as text. */
  readonly place: RawBuilder<string>
}

/** Throws `INVALID_REQUEST` for a time zone that the machine does not know. */
export function checkTimeZone(timeZone: string): void {
  if (!isTimeZone(timeZone))
    throw invalid('timeZone', `${JSON.stringify(timeZone.slice(0, 64))} is no time zone such as "Europe/Berlin"`)
}

/** The days that a range touches in a time zone. Throws `INVALID_REQUEST` beyond 1,100 of them. */
export function daysOf({ from, to }: CostRange, timeZone: string): Days {
  checkTimeZone(timeZone)
  if (to - from > MOST_DAYS * DAY_MS) throw invalid('to', `a report by day spans ${MOST_DAYS} days at most`)
  const ids: string[] = []
  const starts: number[] = []
  let at = from
  do {
    const day = windowAt('day', timeZone, at)
    ids.push(day.id)
    starts.push(day.startsAt)
    at = day.endsAt as number
  } while (at < to)
  starts.push(at)
  return { ids, starts, place: sql<string>`CAST(${placeOf(starts)} AS TEXT)` }
}

/** A stretch of days of 24 hours is one division; a day on which clocks change stands by itself. */
function placeOf(starts: readonly number[]): RawBuilder<number> {
  const cases: RawBuilder<unknown>[] = []
  for (let first = 0; first < starts.length - 1; ) {
    let next = first + 1
    const isPlain = lengthOf(starts, first) === DAY_MS
    while (isPlain && next < starts.length - 1 && lengthOf(starts, next) === DAY_MS) next += 1
    const start = starts[first] as number
    const place = isPlain ? sql`${sql.lit(first)} + (at_ms - ${sql.lit(start)}) / ${sql.lit(DAY_MS)}` : sql`${sql.lit(first)}`
    cases.push(sql`WHEN at_ms < ${sql.lit(starts[next] as number)} THEN ${place}`)
    first = next
  }
  return sql<number>`CASE ${sql.join(cases, sql` `)} END`
}

function lengthOf(starts: readonly number[], index: number): number {
  return (starts[index + 1] as number) - (starts[index] as number)
}
