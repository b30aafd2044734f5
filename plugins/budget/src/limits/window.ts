/** How often a budget begins anew. */
export type WindowKind = 'day' | 'week' | 'month' | 'total'

/** One window of a budget. */
export interface BudgetWindow {
  /** Part of the counter's key: `2026-10-25`, `2026-W43`, `2026-10` or `all`. */
  readonly id: string
  /** Epoch ms; 0 for `total`. */
  readonly startsAt: number
  /** Epoch ms, exclusive; undefined for `total`. */
  readonly endsAt: number | undefined
}

const DAY_MS = 86_400_000
/** No clock on earth is further from UTC, changes included. */
const FARTHEST_MS = 36 * 3_600_000
const TOTAL: BudgetWindow = Object.freeze({ id: 'all', startsAt: 0, endsAt: undefined })
const FORMATS = new Map<string, Intl.DateTimeFormat>()

/** Whether the machine knows a time zone of this name. */
export function isTimeZone(timeZone: string): boolean {
  try {
    return formatOf(timeZone) !== undefined
  } catch {
    return false
  }
}

/**
 * The calendar window that holds at an instant (epoch ms) in a time zone. Weeks are of ISO 8601. A day begins at the first instant that
 * bears its date; where clocks go back over midnight and show a date twice, at one of the two, always the same.
 * @throws RangeError for a time zone that is not known.
 */
export function windowAt(kind: WindowKind, timeZone: string, at: number): BudgetWindow {
  if (kind === 'total') return TOTAL
  let day = localDay(timeZone, at)
  // Clocks that go back over midnight show two dates by turns: a day that has begun stays, and one that has not is not there yet.
  while (firstInstant(timeZone, day + 1) <= at) day += 1
  while (firstInstant(timeZone, day) > at) day -= 1
  const [first, next, id] = spanOf(kind, day)
  return { id, startsAt: firstInstant(timeZone, first), endsAt: firstInstant(timeZone, next) }
}

/** Days since 1970-01-01, first and next, and the name of the window that holds a day. */
function spanOf(kind: Exclude<WindowKind, 'total'>, day: number): readonly [number, number, string] {
  const date = new Date(day * DAY_MS)
  const iso = date.toISOString().slice(0, 10)
  if (kind === 'day') return [day, day + 1, iso]
  if (kind === 'month') {
    const year = date.getUTCFullYear()
    const month = date.getUTCMonth()
    return [Date.UTC(year, month, 1) / DAY_MS, Date.UTC(year, month + 1, 1) / DAY_MS, iso.slice(0, 7)]
  }
  const monday = day - ((date.getUTCDay() + 6) % 7)
  // The ISO year of a week is that of its Thursday.
  const thursday = new Date((monday + 3) * DAY_MS)
  const year = thursday.getUTCFullYear()
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS / 7) + 1
  return [monday, monday + 7, `${year}-W${String(week).padStart(2, '0')}`]
}

/** The days before and after it are bounded by the same search, so that they fit together. */
function firstInstant(timeZone: string, day: number): number {
  let low = day * DAY_MS - FARTHEST_MS
  let high = day * DAY_MS + FARTHEST_MS
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (localDay(timeZone, middle) >= day) high = middle
    else low = middle + 1
  }
  return low
}

function localDay(timeZone: string, at: number): number {
  let year = 0
  let month = 1
  let date = 1
  for (const { type, value } of formatOf(timeZone).formatToParts(at)) {
    if (type === 'year') year = Number(value)
    else if (type === 'month') month = Number(value)
    else if (type === 'day') date = Number(value)
  }
  return Date.UTC(year, month - 1, date) / DAY_MS
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = FORMATS.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    })
    FORMATS.set(timeZone, format)
  }
  return format
}
