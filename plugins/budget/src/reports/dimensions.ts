import { SwitchyardError } from '@switchyard/contract'
import { type RawBuilder, sql } from 'kysely'
import { idFloor, type LedgerColumn } from '../ledger/columns.ts'
import type { Dialect } from '../ledger/schema.ts'
import { type CostDimension, type CostFilter, type CostRange, type CostRows, DIMENSIONS, type PlainDimension } from './port.ts'

const COLUMN: Readonly<Record<PlainDimension, LedgerColumn>> = {
  tenant: 'tenant',
  team: 'team',
  key: 'key_id',
  user: 'user_id',
  model: 'model',
  provider: 'provider',
  session: 'session',
  route: 'route',
  deployment: 'deployment',
  endpoint: 'endpoint',
  purpose: 'purpose',
  taskClass: 'task_class',
  arm: 'arm',
  kind: 'kind',
  call: 'call_id',
}
const LONGEST_TAG = 64
const MOST_VALUES = 100

/** Whether a text names a dimension; `day` is one to group by only. */
export function isDimension(text: string): text is CostDimension {
  return text === 'day' || isFilter(text)
}

/** Whether rows can be chosen by a dimension of this name. */
export function isFilter(text: string): text is PlainDimension | `tag:${string}` {
  if (text.startsWith('tag:')) return text.length > 4 && text.length <= 4 + LONGEST_TAG
  return (DIMENSIONS as readonly string[]).includes(text)
}

/** What a row says at a dimension, as text or NULL. */
export function dimensionValue(dimension: PlainDimension | `tag:${string}`, dialect: Dialect): RawBuilder<string | null> {
  // A model that names no provider has an empty one, which is none.
  if (!dimension.startsWith('tag:')) return sql<string | null>`NULLIF(${sql.ref(COLUMN[dimension as PlainDimension])}, '')`
  const tag = dimension.slice(4)
  if (dialect === 'postgres') return sql<string | null>`NULLIF(tags::jsonb ->> ${tag}::text, '')`
  return sql<string | null>`NULLIF(CAST(json_extract(tags, ${`$.${JSON.stringify(tag)}`}) AS TEXT), '')`
}

/** The condition on rows of a range and a filter. Throws `INVALID_REQUEST` for what cannot be. */
export function conditionOf({ from, to, where = {} }: CostRows, dialect: Dialect): RawBuilder<boolean> {
  checkRange({ from, to })
  const all: RawBuilder<unknown>[] = [sql`attempt_id >= ${idFloor(from)}`, sql`attempt_id < ${idFloor(to)}`]
  for (const [name, wanted] of Object.entries(where) as [keyof CostFilter, string | readonly string[] | undefined][]) {
    if (wanted === undefined) continue
    if (!isFilter(name)) throw unknownDimension(name)
    const values = typeof wanted === 'string' ? [wanted] : wanted
    if (values.length > MOST_VALUES) throw invalid(name, `more than ${MOST_VALUES} values at once`)
    const value = dimensionValue(name, dialect)
    const some = values.filter((one) => one !== '')
    const any: RawBuilder<unknown>[] = []
    if (some.length > 0) any.push(sql`${value} IN (${sql.join(some)})`)
    if (some.length < values.length) any.push(sql`${value} IS NULL`)
    all.push(any.length === 0 ? sql`1 = 0` : sql`(${sql.join(any, sql` OR `)})`)
  }
  return sql<boolean>`${sql.join(all, sql` AND `)}`
}

/** Throws `INVALID_REQUEST` for a range that is none. */
export function checkRange({ from, to }: CostRange): void {
  if (!Number.isFinite(from) || !Number.isFinite(to) || from < 0 || from > to)
    throw invalid('from', 'a range is from an instant to a later one, in epoch ms')
}

/** The error for a name that is no dimension. */
export function unknownDimension(name: string): SwitchyardError {
  return invalid(name.slice(0, 100), `there is no such dimension; there are ${DIMENSIONS.join(', ')}, day and tag:NAME`)
}

/** An `INVALID_REQUEST` that names what was wrong. */
export function invalid(param: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `${param}: ${what}`, { details: { param } })
}
