import { HOUR_MS } from './hourly.ts'

const WEEK_HOURS = 168
const LARGEST_MEMO = 50_000

/** Hours of the week in a time zone: hours since 1970-01-01 UTC that fall on one weekday and hour are comparable. */
export interface WeekSlots {
  /** The hour so many weeks before that shows the same weekday and hour; clocks may have changed in between. */
  weeksBefore(hour: number, weeks: number): number
}

/** @throws RangeError for a time zone that is not known. */
export function weekSlots(timeZone: string): WeekSlots {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, weekday: 'short', hour: '2-digit', hourCycle: 'h23' })
  const memo = new Map<number, string>()
  const slotOf = (hour: number): string => {
    let slot = memo.get(hour)
    if (slot === undefined) {
      slot = format.format(hour * HOUR_MS)
      if (memo.size >= LARGEST_MEMO) memo.clear()
      memo.set(hour, slot)
    }
    return slot
  }
  return {
    weeksBefore(hour, weeks) {
      const plain = hour - WEEK_HOURS * weeks
      const slot = slotOf(hour)
      for (const near of [plain, plain - 1, plain + 1]) if (slotOf(near) === slot) return near
      return plain
    },
  }
}
