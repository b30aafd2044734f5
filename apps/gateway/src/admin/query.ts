import { SwitchyardError } from '@switchyard/contract'

/** The members of a query, each at most once. Throws `INVALID_REQUEST` for one that is not known, naming those that are. */
export function onlyKnown<K extends string>(query: URLSearchParams, known: readonly K[]): Partial<Record<K, string>> {
  const given: Partial<Record<K, string>> = {}
  for (const [name, value] of query) {
    const found = known.find((one) => one === name)
    if (found === undefined)
      throw invalid(name, known.length === 0 ? 'there are no filters here' : `it is none of ${known.join(', ')}`)
    if (given[found] !== undefined) throw invalid(name, 'it stands there twice; part several values by commas')
    given[found] = value
  }
  return given
}

/** One page of a list. */
export interface Page<T> {
  readonly data: readonly T[]
  /** Present where more follow. */
  readonly nextCursor: string | null
}

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000

/**
 * The items behind a cursor, `limit` at most (1 to 1,000, default 100). A cursor holds the last id that was seen, so that it stays good
 * when the list changes in between.
 * @param items In order of their ids.
 */
export function pageOf<T extends { readonly id: string }>(
  items: readonly T[],
  { limit, cursor }: { readonly limit?: string | undefined; readonly cursor?: string | undefined },
): Page<T> {
  const count = limit === undefined ? DEFAULT_LIMIT : limitIn(limit)
  const after = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString()
  if (cursor !== undefined && (after === '' || Buffer.from(after).toString('base64url') !== cursor))
    throw invalid('cursor', 'it is none that this list gave')
  const start = after === '' ? 0 : items.findIndex(({ id }) => id > after)
  const data = start === -1 ? [] : items.slice(start, start + count)
  const last = data.at(-1)
  const more = last !== undefined && start + count < items.length
  return { data, nextCursor: more ? Buffer.from(last.id).toString('base64url') : null }
}

function limitIn(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MAX_LIMIT) return limit
  throw invalid('limit', `it is a whole number from 1 to ${MAX_LIMIT}`)
}

function invalid(param: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `${param.slice(0, 100)}: ${what}`, { details: { param: param.slice(0, 100) } })
}
