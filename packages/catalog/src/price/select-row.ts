import type { PriceHours, PriceRow, Tier } from '../entry.ts'

/** What decides which row of an entry holds for a request. */
export interface Conditions {
  /** The reply's service tier, else the request's. Default `standard`. */
  readonly tier?: Tier | undefined
  /** Default: the price that holds everywhere; where there is none, the dearest region's. */
  readonly region?: string | undefined
  /** Epoch ms at which the request began. Without it the latest price counts, and of several hours the dearest, as an upper bound. */
  readonly at?: number | undefined
}

/** How the cost that a row gives relates to the true one. */
export type Bound = 'exact' | 'upper' | 'lower'

export interface Selected {
  readonly row: PriceRow
  readonly bound: Bound
}

/**
 * The row that a whole request is priced by: tier, then region, then the largest `contextOver` below the input tokens, then time.
 * A batch or flex price that is missing falls back to standard as an upper bound, any other tier as a lower one. Undefined = no row.
 */
export function selectRow(rows: readonly PriceRow[], inputTokens: number, conditions: Conditions = {}): Selected | undefined {
  const kept = keptOf(rows)
  if (kept === undefined || conditions.region !== undefined) return select(rows, inputTokens, conditions)
  const { tier = 'standard', at } = conditions
  const selected = at === undefined ? kept.anyTime : kept.atTime
  let steps = selected[tier]
  if (steps === undefined) {
    steps = new Array<Selected | null | undefined>(kept.steps.length + 1).fill(undefined)
    selected[tier] = steps
  }
  const step = stepOf(kept.steps, inputTokens)
  let found = steps[step]
  if (found === undefined) {
    found = select(rows, inputTokens, conditions) ?? null
    steps[step] = found
  }
  return found ?? undefined
}

type ByTier = { [T in Tier]?: (Selected | null | undefined)[] }

/** What was selected of rows that hold at all times: it depends on nothing but the tier, the context step, and whether a time was given. */
interface Kept {
  /** Every `contextOver`, smallest first. */
  readonly steps: readonly number[]
  readonly atTime: ByTier
  readonly anyTime: ByTier
}

/** Prices of an entry are never changed, but replaced with it. */
const KEPT = new WeakMap<readonly PriceRow[], Kept | null>()

function keptOf(rows: readonly PriceRow[]): Kept | undefined {
  let kept = KEPT.get(rows)
  if (kept === undefined) {
    const timed = rows.some(({ from, until, hours }) => from !== undefined || until !== undefined || hours !== undefined)
    const steps = [...new Set(rows.flatMap(({ contextOver }) => contextOver ?? []))].sort((a, b) => a - b)
    kept = timed ? null : { steps, atTime: {}, anyTime: {} }
    KEPT.set(rows, kept)
  }
  return kept ?? undefined
}

/** How many steps so many tokens are over. */
function stepOf(steps: readonly number[], inputTokens: number): number {
  let step = 0
  while (step < steps.length && (steps[step] as number) < inputTokens) step += 1
  return step
}

function select(rows: readonly PriceRow[], inputTokens: number, conditions: Conditions): Selected | undefined {
  const { tier = 'standard', region, at } = conditions
  const standing = rows.filter((row) => holdsAt(row, at))
  const own = inRegion(tierOf(standing, tier), region)
  const row = pick(own.rows, inputTokens, at)
  const standard = tier === 'standard' ? own : inRegion(tierOf(standing, 'standard'), region)
  if (row !== undefined) {
    // A tier that is priced for short requests only says too little about a long one.
    const long = tier === 'standard' ? undefined : pick(standard.rows, inputTokens, at)
    const short = long?.contextOver !== undefined && (row.contextOver ?? -1) < long.contextOver
    return { row, bound: short ? 'lower' : row.hours !== undefined && at === undefined ? 'upper' : own.bound }
  }
  const fallback = tier === 'standard' ? undefined : pick(standard.rows, inputTokens, at)
  if (fallback === undefined) return undefined
  return { row: fallback, bound: tier === 'batch' || tier === 'flex' ? 'upper' : 'lower' }
}

function tierOf(rows: readonly PriceRow[], tier: Tier): readonly PriceRow[] {
  return rows.filter((row) => row.tier === tier)
}

function inRegion(
  rows: readonly PriceRow[],
  region: string | undefined,
): { readonly rows: readonly PriceRow[]; readonly bound: Bound } {
  const named = region === undefined ? [] : rows.filter((row) => row.region === region)
  if (named.length > 0) return { rows: named, bound: 'exact' }
  const everywhere = rows.filter((row) => row.region === '*')
  if (everywhere.length > 0 || rows.length === 0) return { rows: everywhere, bound: 'exact' }
  const dearest = rows.reduce((a, b) => (weight(b) > weight(a) ? b : a)).region
  return { rows: rows.filter((row) => row.region === dearest), bound: 'upper' }
}

function weight(row: PriceRow): number {
  return (row.perToken.input ?? 0) + (row.perToken.output ?? 0)
}

function pick(rows: readonly PriceRow[], inputTokens: number, at: number | undefined): PriceRow | undefined {
  let best: PriceRow | undefined
  for (const row of rows) {
    if (row.contextOver !== undefined && row.contextOver >= inputTokens) continue
    if (best === undefined || beats(row, best, at)) best = row
  }
  return best
}

function beats(a: PriceRow, b: PriceRow, at: number | undefined): boolean {
  const over = (a.contextOver ?? -1) - (b.contextOver ?? -1)
  if (over !== 0) return over > 0
  if (at === undefined && a.until !== b.until) return endOf(a) > endOf(b)
  if (a.from !== b.from) return (a.from ?? '') > (b.from ?? '')
  if (at === undefined) return weight(a) > weight(b)
  if (a.until !== b.until) return endOf(a) < endOf(b)
  return a.hours !== undefined && b.hours === undefined
}

/** ISO text after every date for what does not end. */
function endOf({ until }: PriceRow): string {
  return until ?? '~'
}

function holdsAt(row: PriceRow, at: number | undefined): boolean {
  if (at === undefined) return true
  if (row.from !== undefined && at < Date.parse(row.from)) return false
  if (row.until !== undefined && at >= Date.parse(row.until)) return false
  return row.hours === undefined || within(row.hours, at)
}

function within(hours: PriceHours, at: number): boolean {
  const time = new Date(at)
  const minute = time.getUTCHours() * 60 + time.getUTCMinutes()
  const { startMinute, endMinute, weekdays } = hours
  if (startMinute <= endMinute) return weekdays.includes(time.getUTCDay()) && minute >= startMinute && minute < endMinute
  // Past midnight: the part after it belongs to the weekday that the window began on.
  if (minute >= startMinute) return weekdays.includes(time.getUTCDay())
  return minute < endMinute && weekdays.includes((time.getUTCDay() + 6) % 7)
}
