import { type SqlDatabase, SwitchyardError } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { deaf, wrap } from './wrap.ts'

type SqlMutant = Mutant<SqlDatabase>
type Row = Record<string, unknown>
type Options = Parameters<SqlDatabase['stream']>[2]

/** The right database with its rows changed on their way. */
function wrapStream(
  right: SqlDatabase,
  wrong: (rows: (options: Options) => AsyncIterable<Row>, options: Options) => AsyncIterable<Row>,
): SqlDatabase {
  const stream = (text: string, params?: readonly unknown[], options?: Options): AsyncIterable<Row> =>
    wrong((inner) => right.stream(text, params, inner), options)
  return wrap(right, { stream: stream as SqlDatabase['stream'] })
}

export const streamMutants: readonly SqlMutant[] = [
  {
    name: 'loses-a-row-a-thousand',
    killedBy: 'sql.stream.all-rows-in-order',
    mutate: (right) =>
      wrapStream(right, async function* (rows, options) {
        let count = 0
        for await (const row of rows(options)) if (++count % 1_000 !== 0) yield row
      }),
  },
  {
    name: 'ends-after-a-batch',
    killedBy: 'sql.stream.all-rows-in-order',
    mutate: (right) =>
      wrapStream(right, async function* (rows, options) {
        let count = 0
        for await (const row of rows(options)) {
          yield row
          if (++count === 1_000) return
        }
      }),
  },
  {
    name: 'streams-undeclared',
    killedBy: 'sql.stream.all-rows-in-order',
    mutate: (right) => wrap(right, { capabilities: { ...right.capabilities, streaming: false } }),
  },
  {
    name: 'streams-large-integers-as-floats',
    killedBy: 'sql.stream.same-values',
    mutate: (right) =>
      wrapStream(right, async function* (rows, options) {
        for await (const row of rows(options)) {
          yield Object.fromEntries(
            Object.entries(row).map(([key, value]) => [key, typeof value === 'bigint' ? Number(value) : value]),
          )
        }
      }),
  },
  {
    name: 'holds-the-whole-result-back',
    killedBy: 'sql.stream.yields-before-error',
    mutate: (right) =>
      wrapStream(right, async function* (rows, options) {
        const all: Row[] = []
        for await (const row of rows(options)) all.push(row)
        yield* all
      }),
  },
  {
    name: 'keeps-the-connection-of-a-left-stream',
    killedBy: 'sql.stream.break-frees',
    mutate: (right) =>
      wrapStream(right, async function* (rows, options) {
        const inner = rows(options)[Symbol.asyncIterator]()
        for (let step = await inner.next(); step.done !== true; step = await inner.next()) yield step.value
      }),
  },
  {
    name: 'ends-quietly-on-an-error',
    killedBy: 'sql.stream.rejects-errors',
    mutate: (right) =>
      wrapStream(right, async function* (rows, options) {
        try {
          yield* rows(options)
        } catch {}
      }),
  },
  {
    name: 'streams-although-aborted',
    killedBy: 'sql.stream.aborted-signal',
    mutate: (right) =>
      wrapStream(right, async function* (rows, options) {
        for await (const row of rows(deaf(options))) {
          if (options?.signal?.aborted === true) throw new SwitchyardError('ABORTED', 'too late')
          yield row
        }
      }),
  },
  {
    name: 'ends-quietly-when-aborted',
    killedBy: 'sql.stream.abort-frees',
    mutate: (right) =>
      wrapStream(right, async function* (rows, options) {
        try {
          yield* rows(options)
        } catch (error) {
          if (options?.signal?.aborted !== true) throw error
        }
      }),
  },
  {
    name: 'waits-for-its-reader-to-notice-an-abort',
    killedBy: 'sql.stream.abort-frees',
    mutate: (right) =>
      wrapStream(right, async function* (rows, options) {
        for await (const row of rows(deaf(options))) {
          if (options?.signal?.aborted === true) throw new SwitchyardError('ABORTED', 'aborted')
          yield row
        }
      }),
  },
]
