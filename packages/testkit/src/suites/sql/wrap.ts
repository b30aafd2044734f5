import type { SqlDatabase, SqlResult, SqlSession } from '@switchyard/contract'

export type Query = (
  text: string,
  params: readonly unknown[],
  options: Parameters<SqlSession['query']>[2],
) => Promise<SqlResult>

/** The right database with some members replaced. */
export function wrap(right: SqlDatabase, wrong: Partial<SqlDatabase>): SqlDatabase {
  return {
    capabilities: right.capabilities,
    query: (text, params, options) => right.query(text, params, options),
    transaction: (work, options) => right.transaction(work, options),
    stream: (text, params, options) => right.stream(text, params, options),
    ...wrong,
  }
}

/** A session whose queries go through `query`. */
export function sessionOf(query: Query): SqlSession {
  return { query: ((text, params = [], options) => query(text, params, options)) as SqlSession['query'] }
}

/** The right database whose queries, outside and inside transactions, go through `change`. */
export function wrapQuery(right: SqlDatabase, change: (query: Query) => Query): SqlDatabase {
  const changed = (session: SqlSession): SqlSession =>
    sessionOf(change((text, params, options) => session.query(text, params, options)))
  return wrap(right, {
    query: changed(right).query,
    transaction: (work, options) => right.transaction((session) => work(changed(session)), options),
  })
}

/** The right database with every value that comes out of a query changed. */
export function wrapValues(right: SqlDatabase, change: (value: unknown) => unknown): SqlDatabase {
  return wrapQuery(right, (query) => async (text, params, options) => {
    const result = await query(text, params, options)
    const rows = result.rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, change(value)])))
    return { ...result, rows }
  })
}

/** Options without their signal. */
export function deaf<O extends { readonly signal?: AbortSignal }>(options: O | undefined): Omit<O, 'signal'> {
  const { signal: _, ...rest } = options ?? ({} as O)
  return rest
}
