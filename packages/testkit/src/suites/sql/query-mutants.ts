import { type SqlDatabase, type SqlResult, SwitchyardError } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { deaf, wrap, wrapQuery, wrapValues } from './wrap.ts'

type SqlMutant = Mutant<SqlDatabase>

/** Puts text parameters into the statement, as careless code does. */
function interpolate(text: string, params: readonly unknown[]): { text: string; params: readonly unknown[] } {
  if (!params.some((param) => typeof param === 'string')) return { text, params }
  let at = 0
  const literal = (param: unknown): string =>
    param === null ? 'NULL' : typeof param === 'string' ? `'${param}'` : String(param)
  return { text: text.replace(/\?|\$\d+/g, () => literal(params[at++])), params: [] }
}

const DECIMAL = /^-?\d+\.\d+$/

export const queryMutants: readonly SqlMutant[] = [
  {
    name: 'hides-what-it-can-do',
    killedBy: 'sql.capabilities.well-formed',
    mutate: (right) => wrap(right, { capabilities: { ...right.capabilities, cancel: undefined as never } }),
  },
  {
    name: 'loses-last-row',
    killedBy: 'sql.query.returns-rows',
    mutate: (right) =>
      wrapQuery(right, (query) => async (...call) => {
        const { rows, rowCount } = await query(...call)
        return { rows: rows.length > 1 ? rows.slice(0, -1) : rows, rowCount }
      }),
  },
  {
    name: 'counts-rows-it-returns-only',
    killedBy: 'sql.query.counts-changes',
    mutate: (right) =>
      wrapQuery(right, (query) => async (...call) => {
        const { rows } = await query(...call)
        return { rows, rowCount: rows.length }
      }),
  },
  {
    name: 'counts-the-write-before',
    killedBy: 'sql.query.counts-changes',
    mutate(right) {
      let before = 0
      return wrapQuery(right, (query) => async (...call) => {
        const { rows, rowCount } = await query(...call)
        if (rowCount > 0) before = rowCount
        return { rows, rowCount: rows.length > 0 ? rowCount : before }
      })
    },
  },
  {
    name: 'interpolates-parameters',
    killedBy: 'sql.query.binds-parameters',
    mutate: (right) =>
      wrapQuery(right, (query) => (text, params, options) => {
        const whole = interpolate(text, params)
        return query(whole.text, whole.params, options)
      }),
  },
  { name: 'null-as-empty-text', killedBy: 'sql.query.null', mutate: (right) => wrapValues(right, (value) => value ?? '') },
  {
    name: 'null-as-undefined',
    killedBy: 'sql.query.null',
    mutate: (right) => wrapValues(right, (value) => value ?? undefined),
  },
  {
    name: 'rounds-large-integers',
    killedBy: 'sql.query.exact-integers',
    mutate: (right) => wrapValues(right, (value) => (typeof value === 'bigint' ? Number(value) : value)),
  },
  {
    name: 'large-integers-as-text',
    killedBy: 'sql.query.exact-integers',
    mutate: (right) => wrapValues(right, (value) => (typeof value === 'bigint' ? String(value) : value)),
  },
  {
    name: 'bigint-for-every-integer',
    killedBy: 'sql.query.exact-integers',
    mutate: (right) => wrapValues(right, (value) => (Number.isSafeInteger(value) ? BigInt(value as number) : value)),
  },
  {
    name: 'decimals-as-floats',
    killedBy: 'sql.query.exact-decimals',
    mutate: (right) => wrapValues(right, (value) => (typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value)),
  },
  {
    name: 'floats-in-single-precision',
    killedBy: 'sql.query.reals',
    mutate: (right) => wrapValues(right, (value) => (typeof value === 'number' ? Math.fround(value) : value)),
  },
  {
    name: 'binary-as-text',
    killedBy: 'sql.query.binary',
    mutate: (right) => wrapValues(right, (value) => (value instanceof Uint8Array ? new TextDecoder().decode(value) : value)),
  },
  {
    name: 'sends-the-whole-buffer',
    killedBy: 'sql.query.binary',
    mutate: (right) =>
      wrapQuery(right, (query) => (text, params, options) => {
        const whole = params.map((param) => (param instanceof Uint8Array ? new Uint8Array(param.buffer) : param))
        return query(text, whole, options)
      }),
  },
  {
    name: 'caches-by-text-alone',
    killedBy: 'sql.query.parallel',
    mutate(right) {
      const known = new Map<string, Promise<SqlResult>>()
      return wrapQuery(right, (query) => (text, params, options) => {
        const cached = known.get(text)
        if (cached !== undefined && params.length > 0) return cached
        const fresh = query(text, params, options)
        known.set(text, fresh)
        return fresh
      })
    },
  },
  {
    name: 'lets-raw-errors-out',
    killedBy: 'sql.query.syntax-error',
    mutate: (right) =>
      wrapQuery(
        right,
        (query) =>
          (...call) =>
            query(...call).catch((error: Error) => {
              throw new Error(error.message)
            }),
      ),
  },
  {
    name: 'says-unknown-table-is-passing',
    killedBy: 'sql.query.unknown-table',
    mutate: (right) => recode(right, 'INVALID_REQUEST', 'UPSTREAM_UNAVAILABLE'),
  },
  {
    name: 'undefined-as-null',
    killedBy: 'sql.query.undefined-parameter',
    mutate: (right) =>
      wrapQuery(
        right,
        (query) => (text, params, options) =>
          query(
            text,
            params.map((param) => param ?? null),
            options,
          ),
      ),
  },
  {
    name: 'pads-parameters',
    killedBy: 'sql.query.parameter-count',
    mutate: (right) =>
      wrapQuery(right, (query) => (text, params, options) => {
        const places = (text.match(/\?|\$\d+/g) ?? []).length
        return query(
          text,
          Array.from({ length: places }, (_, at) => params[at] ?? null),
          options,
        )
      }),
  },
  {
    name: 'says-unique-violation-is-passing',
    killedBy: 'sql.query.unique-violation',
    mutate: (right) => recode(right, 'CONFLICT', 'CONFLICT', true),
  },
  {
    name: 'blames-the-text-for-unique-violation',
    killedBy: 'sql.query.unique-violation',
    mutate: (right) => recode(right, 'CONFLICT', 'INVALID_REQUEST'),
  },
  {
    name: 'runs-every-statement-of-a-text',
    killedBy: 'sql.query.one-statement',
    mutate: (right) =>
      wrapQuery(right, (query) => async (text, params, options) => {
        const [first = '', ...rest] = text.split(';')
        const result = await query(first, params, options)
        for (const more of rest) if (/^\s*\w/.test(more)) await query(more, [], options)
        return result
      }),
  },
  {
    name: 'runs-the-first-statement-of-a-text',
    killedBy: 'sql.query.one-statement',
    mutate: (right) => wrapQuery(right, (query) => (text, params, options) => query(text.split(';')[0] ?? '', params, options)),
  },
  {
    name: 'ignores-aborted-signal',
    killedBy: 'sql.query.aborted-signal',
    mutate: (right) => wrapQuery(right, (query) => (text, params, options) => query(text, params, deaf(options))),
  },
  {
    name: 'rejects-aborted-after-running',
    killedBy: 'sql.query.aborted-signal',
    mutate: (right) =>
      wrapQuery(right, (query) => async (text, params, options) => {
        const result = await query(text, params, deaf(options))
        if (options?.signal?.aborted === true) throw new SwitchyardError('ABORTED', 'too late')
        return result
      }),
  },
  {
    name: 'forgets-why-it-was-aborted',
    killedBy: 'sql.query.signal-reason',
    mutate: (right) =>
      wrapQuery(right, (query) => (text, params, options) => {
        if (options?.signal?.aborted !== true) return query(text, params, options)
        return Promise.reject(new SwitchyardError('ABORTED', 'aborted'))
      }),
  },
]

/** Gives errors of one code another, or another word on retrying. */
function recode(
  right: SqlDatabase,
  from: 'CONFLICT' | 'INVALID_REQUEST',
  to: 'CONFLICT' | 'INVALID_REQUEST' | 'UPSTREAM_UNAVAILABLE',
  retryable?: boolean,
): SqlDatabase {
  return wrapQuery(
    right,
    (query) =>
      (...call) =>
        query(...call).catch((error: unknown) => {
          if (!SwitchyardError.is(error, from)) throw error
          throw new SwitchyardError(to, error.message, retryable === undefined ? {} : { retryable })
        }),
  )
}
