import {
  type CostDimension,
  type CostFilter,
  type CostRows,
  costInstant,
  costMonth,
  isDimension,
  isFilter,
} from '@switchyard/budget'
import { SwitchyardError } from '@switchyard/contract'

/** What a query asks of a report: its rows, and what else was given by name, each once. */
export interface CostAsk<K extends string> {
  readonly rows: CostRows
  readonly timeZone: string
  readonly given: Partial<Record<K, string>>
}

const COMMON: readonly string[] = ['from', 'to', 'timeZone']
const DAY_MS = 86_400_000

/**
 * Reads `from`, `to` (exclusive), `timeZone`, filters by dimension (several times for several values, empty for rows without one), and the
 * names that a route knows beside. Default: the calendar month so far. Throws `INVALID_REQUEST` for anything else.
 */
export function costAsk<K extends string>(query: URLSearchParams, known: readonly K[], now: number): CostAsk<K> {
  const given: Record<string, string> = {}
  const where: Record<string, string[]> = {}
  for (const [name, value] of query) {
    if (COMMON.includes(name) || known.some((one) => one === name)) {
      if (given[name] !== undefined) throw invalid(name, 'it stands there twice')
      given[name] = value
    } else if (isFilter(name)) {
      where[name] ??= []
      where[name].push(value)
    } else {
      throw invalid(name, `it is none of ${[...COMMON, ...known].join(', ')}, and no dimension such as team or tag:NAME`)
    }
  }
  const { timeZone = 'UTC', from, to } = given
  const until = to === undefined ? now + 1 : costInstant(to, timeZone, 'to')
  const since =
    from === undefined ? costMonth(Math.max(0, Math.min(now, until - 1)), timeZone) : costInstant(from, timeZone, 'from')
  return { rows: { from: since, to: until, where: where as CostFilter }, timeZone, given: given as Partial<Record<K, string>> }
}

/** Dimensions as `team,day` names them. */
export function dimensionsIn(text: string | undefined): readonly CostDimension[] {
  if (text === undefined || text === '') return []
  return text.split(',').map((name) => {
    if (isDimension(name)) return name
    throw invalid('group', `there is no dimension ${JSON.stringify(name.slice(0, 100))}`)
  })
}

/** A whole number within bounds, or its default. */
export function wholeIn(text: string | undefined, param: string, most: number, fallback: number): number {
  if (text === undefined) return fallback
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= most) return value
  throw invalid(param, `it is a whole number from 1 to ${most}`)
}

/** One of several words, or the first of them. */
export function wordIn<W extends string>(text: string | undefined, param: string, words: readonly [W, ...W[]]): W {
  if (text === undefined) return words[0]
  const found = words.find((word) => word === text)
  if (found !== undefined) return found
  throw invalid(param, `it is none of ${words.join(', ')}`)
}

/** A query that asks for the very rows of a figure. */
export function rowsLink({ from, to, where = {} }: CostRows): string {
  const query = new URLSearchParams({ from: String(from), to: String(to) })
  for (const [name, value] of Object.entries(where))
    for (const one of typeof value === 'string' ? [value] : (value ?? [])) query.append(name, one)
  return `/admin/costs/rows?${query}`
}

/** Days back from now, for what looks at the recent past. */
export function daysAgo(now: number, days: number): number {
  return Math.max(0, now - days * DAY_MS)
}

function invalid(param: string, what: string): SwitchyardError {
  const name = param.slice(0, 100)
  return new SwitchyardError('INVALID_REQUEST', `${name}: ${what}`, { details: { param: name } })
}
