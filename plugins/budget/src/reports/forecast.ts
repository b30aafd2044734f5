import { HOUR_MS, type HourlyUsd } from './hourly.ts'
import { type WeekSlots, weekSlots } from './week-slots.ts'

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
  /** USD of an hour to come. */
  at(hour: number): number
  /** How far off the sum over so many days has been before, as a standard deviation in USD; undefined where nothing tells. */
  errorOver(days: number): number | undefined
}

/** A series up to an hour, which is the first that is not over. */
interface Past {
  readonly usd: (hour: number) => number
  readonly slots: WeekSlots
  readonly first: number
  readonly current: number
}

const WEEK_HOURS = 168
const SEASONAL_AFTER_HOURS = 2 * WEEK_HOURS
const DAYS_LOOKED_AT = 28
const EWMA = 0.2
const TREND = { least: 0.5, most: 2 } as const
/** Of the normal distribution: four of five outcomes lie within. */
const EIGHTY_PERCENT = 1.2816
const LEAST_RESIDUALS = 3
/** Errors over a longer time than any that was tried are guessed, and seen to be larger than they look. */
const STRETCHED = 1.25

/** Learns from the complete hours before `now` (epoch ms): the last comparable weekday and hour, times a smoothed trend from week to week. */
export function predict(hours: HourlyUsd, now: number, timeZone: string): Prediction {
  const current = Math.floor(now / HOUR_MS)
  let first = current
  for (const hour of hours.keys()) if (hour < first) first = hour
  const usd = (hour: number): number => hours.get(hour) ?? 0
  const past: Past = { usd, slots: weekSlots(timeZone), first, current }
  const historyDays = (current - first) / 24
  if (current - first < SEASONAL_AFTER_HOURS) {
    const rate = runRate(past)
    return { method: 'run-rate', trend: 1, historyDays, at: () => rate, errorOver: (days) => errorOfDays(past, days) }
  }
  const trend = trendOf(past)
  return {
    method: 'seasonal',
    trend,
    historyDays,
    at: (hour) => expected(past, trend, hour),
    errorOver: (days) => errorOfForecasts(past, days) ?? errorOfDays(past, days),
  }
}

/** The last comparable hour, once for each week that lies between times the trend. */
function expected({ usd, slots, current }: Past, trend: number, hour: number): number {
  let weeks = Math.max(1, Math.ceil((hour - current + 1) / WEEK_HOURS))
  let before = slots.weeksBefore(hour, weeks)
  if (before >= current) {
    weeks += 1
    before = slots.weeksBefore(hour, weeks)
  }
  return Math.max(0, usd(before) * trend ** weeks)
}

function trendOf({ usd, slots, first, current }: Past): number {
  const days = Math.min(DAYS_LOOKED_AT, Math.floor((current - first - WEEK_HOURS) / 24))
  let trend = 1
  for (let day = days; day >= 1; day--) {
    let actual = 0
    let comparable = 0
    for (let hour = current - day * 24; hour < current - (day - 1) * 24; hour++) {
      actual += usd(hour)
      comparable += usd(slots.weeksBefore(hour, 1))
    }
    if (comparable === 0) continue
    const ratio = clamp(actual / comparable, TREND.least, TREND.most)
    trend = trend ** (1 - EWMA) * ratio ** EWMA
  }
  return trend
}

/** Forecasts as long as this one, made as of each day before, against what came. Where there was no room for so long a one, a shorter one. */
function errorOfForecasts(past: Past, days: number): number | undefined {
  const { usd, first, current } = past
  const room = Math.floor((current - first - SEASONAL_AFTER_HOURS) / 24) - LEAST_RESIDUALS
  const length = Math.max(1, Math.min(Math.ceil(days), room))
  const residuals: number[] = []
  for (let day = length; day < length + DAYS_LOOKED_AT; day++) {
    const then: Past = { ...past, current: current - day * 24 }
    if (then.current - first < SEASONAL_AFTER_HOURS) break
    const trend = trendOf(then)
    let off = 0
    for (let hour = then.current; hour < then.current + length * 24; hour++) off += usd(hour) - expected(then, trend, hour)
    residuals.push(off)
  }
  if (residuals.length < LEAST_RESIDUALS) return undefined
  // Each week to come repeats the errors of the same last week, so that errors grow as the days do.
  return rootMeanSquare(residuals) * (days / length) * (length < days ? STRETCHED : 1)
}

/** What [from, to) will have cost, seen from `now`; all in epoch ms. */
export function forecast(
  hours: HourlyUsd,
  { from, to, now, timeZone }: { readonly from: number; readonly to: number; readonly now: number; readonly timeZone: string },
): Forecast {
  const prediction = predict(hours, now, timeZone)
  let spentUsd = 0
  for (const [hour, usd] of hours) if (hour * HOUR_MS >= hourFloor(from) && hour * HOUR_MS <= now) spentUsd += usd
  const toCome = usdUntil(prediction, now, to)
  const days = Math.max(0, to - now) / (24 * HOUR_MS)
  const error = days === 0 ? 0 : prediction.errorOver(days)
  const spread = error === undefined ? undefined : EIGHTY_PERCENT * error
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

/** USD still to come between two instants, in epoch ms. */
export function usdUntil(prediction: Prediction, now: number, to: number): number {
  let usd = 0
  for (const [hour, part] of hoursBetween(now, to)) usd += prediction.at(hour) * part
  return usd
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

/** The mean of the last week, or of what there is; before the first hour is over, what it has cost is all. */
function runRate({ usd, first, current }: Past): number {
  const looked = Math.min(current - first, WEEK_HOURS)
  let sum = 0
  for (let hour = current - looked; hour < current; hour++) sum += usd(hour)
  return Math.max(0, looked > 0 ? sum / looked : usd(current))
}

/** From how days differ, as if none knew of another. */
function errorOfDays({ usd, first, current }: Past, length: number): number | undefined {
  const days = Math.min(14, Math.floor((current - first) / 24))
  if (days < LEAST_RESIDUALS) return undefined
  const sums = Array.from({ length: days }, (_, day) => {
    let sum = 0
    for (let hour = current - (day + 1) * 24; hour < current - day * 24; hour++) sum += usd(hour)
    return sum
  })
  const mean = sums.reduce((a, b) => a + b, 0) / days
  return rootMeanSquare(sums.map((sum) => sum - mean)) * Math.sqrt(length)
}

function rootMeanSquare(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
}

function hourFloor(at: number): number {
  return Math.floor(at / HOUR_MS) * HOUR_MS
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
