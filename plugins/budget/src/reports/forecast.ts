import { HOUR_MS, type HourlyUsd } from './hourly.ts'
import { weekSlots } from './week-slots.ts'

/** How a forecast was made. `run-rate` stands for too little history: the mean of what is there, and no more than a hint. */
export type ForecastMethod = 'seasonal' | 'run-rate'

/** What a stretch of time will have cost. USD as floats: estimates, not bookings. */
export interface Forecast {
  /** Epoch ms. */
  readonly from: number
  readonly to: number
  readonly method: ForecastMethod
  readonly spentUsd: number
  /** Spent and still to come. */
  readonly expectedUsd: number
  /** The band that holds four of five outcomes, from how far such forecasts were off before; undefined where nothing tells. */
  readonly lowUsd: number | undefined
  readonly highUsd: number | undefined
  /** Factor from week to week; 1 for a run rate. */
  readonly trend: number
  readonly historyDays: number
}

/** What is known of a series now. */
export interface Prediction {
  readonly method: ForecastMethod
  readonly trend: number
  readonly historyDays: number
  /** Standard deviation of a day's forecast, USD; undefined where nothing tells. */
  readonly dayError: number | undefined
  /** How much errors of neighbouring days go together, 0 to 0.9. */
  readonly persistence: number
  /** USD of an hour to come. */
  at(hour: number): number
}

const WEEK_HOURS = 168
const SEASONAL_AFTER_HOURS = 2 * WEEK_HOURS
const DAYS_LOOKED_AT = 28
const EWMA = 0.2
const TREND = { least: 0.5, most: 2 } as const
/** Of the normal distribution: four of five outcomes lie within. */
const EIGHTY_PERCENT = 1.2816
const LEAST_RESIDUALS = 3

/** Learns from the complete hours before `now` (epoch ms): the last comparable weekday and hour, times a smoothed trend from week to week. */
export function predict(hours: HourlyUsd, now: number, timeZone: string): Prediction {
  const current = Math.floor(now / HOUR_MS)
  let first = current
  for (const hour of hours.keys()) if (hour < first) first = hour
  const history = current - first
  const usd = (hour: number): number => hours.get(hour) ?? 0
  if (history < SEASONAL_AFTER_HOURS) return runRate(usd, current, history)
  const slots = weekSlots(timeZone)
  const residuals: number[] = []
  let trend = 1
  const days = Math.min(DAYS_LOOKED_AT, Math.floor((history - WEEK_HOURS) / 24))
  for (let day = days; day >= 1; day--) {
    const start = current - day * 24
    let actual = 0
    let comparable = 0
    for (let hour = start; hour < start + 24; hour++) {
      actual += usd(hour)
      comparable += usd(slots.weeksBefore(hour, 1))
    }
    // The first days only teach the trend.
    if (start - first >= SEASONAL_AFTER_HOURS || day <= days - 7) residuals.push(actual - comparable * trend)
    if (comparable > 0) trend *= clamp(actual / comparable / trend, TREND.least, TREND.most) ** EWMA
    trend = clamp(trend, TREND.least, TREND.most)
  }
  return {
    method: 'seasonal',
    trend,
    historyDays: history / 24,
    dayError: residuals.length < LEAST_RESIDUALS ? deviationOfDays(usd, current, history) : rootMeanSquare(residuals),
    persistence: persistenceOf(residuals),
    at(hour) {
      const weeks = Math.max(1, Math.ceil((hour - current + 1) / WEEK_HOURS))
      let before = slots.weeksBefore(hour, weeks)
      let past = weeks
      if (before >= current) {
        past += 1
        before = slots.weeksBefore(hour, past)
      }
      return Math.max(0, usd(before) * trend ** past)
    },
  }
}

/** What [from, to) will have cost, seen from `now`; all in epoch ms. */
export function forecast(
  hours: HourlyUsd,
  { from, to, now, timeZone }: { readonly from: number; readonly to: number; readonly now: number; readonly timeZone: string },
): Forecast {
  const prediction = predict(hours, now, timeZone)
  let spentUsd = 0
  for (const [hour, usd] of hours) if (hour * HOUR_MS >= hourFloor(from) && hour * HOUR_MS <= now) spentUsd += usd
  let toCome = 0
  for (const [hour, part] of hoursBetween(now, to)) toCome += prediction.at(hour) * part
  const days = Math.max(0, to - now) / (24 * HOUR_MS)
  const { dayError, persistence: p } = prediction
  // Errors that go together do not cancel: the variance of a sum of days grows by (1 + p) / (1 - p).
  const spread = dayError === undefined ? undefined : EIGHTY_PERCENT * dayError * Math.sqrt((days * (1 + p)) / (1 - p))
  const expectedUsd = spentUsd + toCome
  const { method, trend, historyDays } = prediction
  return {
    from,
    to,
    method,
    spentUsd,
    expectedUsd,
    lowUsd: spread === undefined ? undefined : Math.min(expectedUsd, Math.max(spentUsd, expectedUsd - spread)),
    highUsd: spread === undefined ? undefined : expectedUsd + spread,
    trend,
    historyDays,
  }
}

/** Epoch ms at which spending reaches a limit; undefined where it does not before `until`. */
export function exhaustedAt(
  prediction: Prediction,
  {
    spentUsd,
    limitUsd,
    now,
    until,
  }: { readonly spentUsd: number; readonly limitUsd: number; readonly now: number; readonly until: number },
): number | undefined {
  if (spentUsd >= limitUsd) return now
  let spent = spentUsd
  for (const [hour, part] of hoursBetween(now, until)) {
    const usd = prediction.at(hour) * part
    if (usd > 0 && spent + usd >= limitUsd) {
      const start = Math.max(now, hour * HOUR_MS)
      return Math.round(start + ((limitUsd - spent) / usd) * part * HOUR_MS)
    }
    spent += usd
  }
  return undefined
}

/** Each hour of a stretch, and how much of it lies within. */
function* hoursBetween(from: number, to: number): Generator<readonly [hour: number, part: number]> {
  for (let at = from; at < to; ) {
    const hour = Math.floor(at / HOUR_MS)
    const end = Math.min(to, (hour + 1) * HOUR_MS)
    yield [hour, (end - at) / HOUR_MS]
    at = end
  }
}

function runRate(usd: (hour: number) => number, current: number, history: number): Prediction {
  const looked = Math.min(history, WEEK_HOURS)
  let sum = 0
  for (let hour = current - looked; hour < current; hour++) sum += usd(hour)
  // Before the first hour is over, what it has cost is all there is.
  const rate = looked > 0 ? sum / looked : usd(current)
  const dayError = deviationOfDays(usd, current, history)
  return { method: 'run-rate', trend: 1, historyDays: history / 24, dayError, persistence: 0, at: () => Math.max(0, rate) }
}

function deviationOfDays(usd: (hour: number) => number, current: number, history: number): number | undefined {
  const days = Math.min(14, Math.floor(history / 24))
  if (days < LEAST_RESIDUALS) return undefined
  const sums = Array.from({ length: days }, (_, day) => {
    let sum = 0
    for (let hour = current - (day + 1) * 24; hour < current - day * 24; hour++) sum += usd(hour)
    return sum
  })
  const mean = sums.reduce((a, b) => a + b, 0) / days
  return rootMeanSquare(sums.map((sum) => sum - mean))
}

function rootMeanSquare(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
}

function persistenceOf(residuals: readonly number[]): number {
  const all = residuals.reduce((sum, value) => sum + value * value, 0)
  if (residuals.length < LEAST_RESIDUALS || all === 0) return 0
  let together = 0
  for (let index = 1; index < residuals.length; index++)
    together += (residuals[index] as number) * (residuals[index - 1] as number)
  return clamp(together / all, 0, 0.9)
}

function hourFloor(at: number): number {
  return Math.floor(at / HOUR_MS) * HOUR_MS
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
