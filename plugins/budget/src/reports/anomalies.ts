import { HOUR_MS, type HourlyUsd } from './hourly.ts'
import { type WeekSlots, weekSlots } from './week-slots.ts'

/** One episode in which hours cost far more than such hours did. USD as floats. */
export interface Episode {
  /** Epoch ms: its first hour, and the end of its last. */
  readonly startedAt: number
  readonly endedAt: number
  /** Whether it may go on: it is not long enough past. */
  readonly isOpen: boolean
  readonly hours: number
  /** Of its dearest hour. */
  readonly peakUsd: number
  /** The median of hours like that one. */
  readonly usualUsd: number
  /** How many median deviations the dearest hour lay above it. */
  readonly score: number
  /** What it cost beyond the usual. */
  readonly excessUsd: number
  /** What was compared: the same weekday and hour of weeks before, or with too few of them the same hour of days before. */
  readonly against: 'weekday-hour' | 'hour'
}

/** An episode of one value. */
export interface Anomaly extends Episode {
  readonly tenant: string
  /** Dimension that was watched. */
  readonly by: string
  readonly value: string
}

export interface AnomalyRules {
  /** Epoch ms: episodes that begin in [from, to). Only complete hours count. */
  readonly from: number
  readonly to: number
  readonly timeZone: string
  /** USD an hour below which nothing is one. */
  readonly floorUsd: number
}

interface Judged {
  readonly usual: number
  readonly score: number
  readonly against: Episode['against']
}

const LEAST_SCORE = 6
const TIMES_TRAILING = 5
const TRAILING_HOURS = 24
const MOST_WEEKS = 8
const LEAST_WEEKS = 4
const MOST_DAYS = 14
const LEAST_DAYS = 5
/** An episode is over after so many hours like others. */
const QUIET_HOURS = 3
/** A series that never varied would make every cent infinite. */
const LEAST_DEVIATION = 0.05

/**
 * Episodes of a series: one begins with an hour that is more than 6 median deviations above the median of hours like it, more than 5 times
 * the mean of the 24 hours before, and above a floor; it lasts until three hours in a row are not so far up.
 */
export function episodes(hours: HourlyUsd, { from, to, timeZone, floorUsd }: AnomalyRules): readonly Episode[] {
  const end = Math.floor(to / HOUR_MS)
  let first = end
  for (const hour of hours.keys()) if (hour < first) first = hour
  const slots = weekSlots(timeZone)
  const found: Episode[] = []
  let open: { start: number; last: number; peak: number; at: Judged; excess: number; hours: number } | undefined
  const close = (isOpen: boolean): void => {
    if (open === undefined) return
    const { start, last, peak, at, excess, hours: count } = open
    const { usual, score, against } = at
    if (start * HOUR_MS >= from)
      found.push({
        startedAt: start * HOUR_MS,
        endedAt: (last + 1) * HOUR_MS,
        isOpen,
        hours: count,
        peakUsd: peak,
        usualUsd: usual,
        score,
        excessUsd: excess,
        against,
      })
    open = undefined
  }
  for (let hour = first; hour < end; hour++) {
    const usd = hours.get(hour) ?? 0
    if (open !== undefined && hour - open.last > QUIET_HOURS) close(false)
    if (usd <= floorUsd) continue
    const judged = judge(hours, hour, first, slots)
    if (judged === undefined || judged.score <= LEAST_SCORE) continue
    if (open === undefined) {
      if (usd <= TIMES_TRAILING * trailingMean(hours, hour)) continue
      open = { start: hour, last: hour, peak: usd, at: judged, excess: 0, hours: 0 }
    }
    open.last = hour
    open.hours += 1
    open.excess += usd - judged.usual
    if (usd > open.peak) {
      open.peak = usd
      open.at = judged
    }
  }
  close(open !== undefined && end - open.last <= QUIET_HOURS)
  return found
}

function judge(hours: HourlyUsd, hour: number, first: number, slots: WeekSlots): Judged | undefined {
  const weeks: number[] = []
  for (let week = 1; week <= MOST_WEEKS; week++) {
    const before = slots.weeksBefore(hour, week)
    if (before < first) break
    weeks.push(hours.get(before) ?? 0)
  }
  if (weeks.length >= LEAST_WEEKS) return against(hours.get(hour) ?? 0, weeks, 'weekday-hour')
  const days: number[] = []
  for (let day = 1; day <= MOST_DAYS && hour - day * 24 >= first; day++) days.push(hours.get(hour - day * 24) ?? 0)
  return days.length < LEAST_DAYS ? undefined : against(hours.get(hour) ?? 0, days, 'hour')
}

function against(usd: number, others: readonly number[], how: Episode['against']): Judged {
  const usual = median(others)
  const deviation = Math.max(median(others.map((other) => Math.abs(other - usual))), LEAST_DEVIATION * usual, 1e-9)
  return { usual, score: (usd - usual) / deviation, against: how }
}

function trailingMean(hours: HourlyUsd, hour: number): number {
  let sum = 0
  for (let before = hour - TRAILING_HOURS; before < hour; before++) sum += hours.get(before) ?? 0
  return sum / TRAILING_HOURS
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const high = sorted[middle] as number
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] as number) + high) / 2
}
