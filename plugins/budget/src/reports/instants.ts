import { windowAt } from '../limits/window.ts'
import { checkTimeZone } from './days.ts'
import { invalid } from './dimensions.ts'

const DATE = /^\d{4}-\d{2}-\d{2}$/
const EPOCH = /^\d{1,15}$/
const HALF_DAY_MS = 43_200_000

/**
 * Epoch ms of an instant as people write it: `2026-10-25`, which is when that day begins in the time zone, an ISO 8601 time with its offset,
 * or epoch ms. Throws `INVALID_REQUEST`, naming `param`, for anything else.
 */
export function costInstant(text: string, timeZone: string, param: string): number {
  checkTimeZone(timeZone)
  if (EPOCH.test(text)) return Number(text)
  const at = /(?:Z|[+-]\d{2}:?\d{2})$/.test(text) || DATE.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw invalid(param, 'write 2026-10-25, 2026-10-25T08:00:00Z, or epoch ms')
  if (!DATE.test(text)) return at
  // Noon in UTC falls on the day itself, or on one beside it.
  for (const near of [at + HALF_DAY_MS, at, at + 2 * HALF_DAY_MS, at - HALF_DAY_MS, at + 3 * HALF_DAY_MS]) {
    const day = windowAt('day', timeZone, near)
    if (day.id === text) return day.startsAt
  }
  throw invalid(param, `there is no ${text} in ${timeZone}`)
}

/** Epoch ms at which the calendar month that holds an instant begins. Throws `INVALID_REQUEST` for what is no time zone. */
export function costMonth(at: number, timeZone: string): number {
  checkTimeZone(timeZone)
  return windowAt('month', timeZone, at).startsAt
}
