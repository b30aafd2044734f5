import { type SqlDatabase, type SqlSession, SwitchyardError } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { gate } from './tables.ts'
import { deaf, sessionOf, wrap } from './wrap.ts'

type SqlMutant = Mutant<SqlDatabase>
type Work = Parameters<SqlDatabase['transaction']>[0]
type Options = Parameters<SqlDatabase['transaction']>[1]

/** The right database with its transactions replaced. */
function wrapTransaction(right: SqlDatabase, wrong: (work: Work, options: Options) => Promise<unknown>): SqlDatabase {
  return wrap(right, { transaction: wrong as SqlDatabase['transaction'] })
}

/** Runs the work in no transaction at all. */
const without = (right: SqlDatabase): SqlDatabase => wrapTransaction(right, (work) => work(right))

const UNDO = new Error('undo')

/** Rolls back what `work` did, and resolves with its value all the same. */
async function undone(right: SqlDatabase, work: Work, options: Options): Promise<unknown> {
  let value: unknown
  await right
    .transaction(async (session) => {
      value = await work(session)
      throw UNDO
    }, options)
    .catch((error: unknown) => {
      if (error !== UNDO) throw error
    })
  return value
}

export const transactionMutants: readonly SqlMutant[] = [
  {
    name: 'never-commits',
    killedBy: 'sql.transaction.commits',
    mutate: (right) => wrapTransaction(right, (work, options) => undone(right, work, options)),
  },
  {
    name: 'loses-the-value-of-work',
    killedBy: 'sql.transaction.commits',
    mutate: (right) => wrapTransaction(right, async (work, options) => void (await right.transaction(work, options))),
  },
  {
    name: 'transacts-undeclared',
    killedBy: 'sql.transaction.commits',
    mutate: (right) => wrap(right, { capabilities: { ...right.capabilities, transactions: false } }),
  },
  {
    name: 'commits-what-failed',
    killedBy: 'sql.transaction.rolls-back',
    mutate: (right) =>
      wrapTransaction(right, async (work, options) => {
        const outcome = await right.transaction(async (session) => {
          try {
            return { value: await work(session) }
          } catch (error) {
            return { error }
          }
        }, options)
        if ('error' in outcome) throw outcome.error
        return outcome.value
      }),
  },
  {
    name: 'wraps-the-error-of-work',
    killedBy: 'sql.transaction.rolls-back',
    mutate: (right) =>
      wrapTransaction(right, (work, options) =>
        right.transaction(work, options).catch((cause: unknown) => {
          throw new SwitchyardError('INTERNAL', 'the transaction failed', { cause })
        }),
      ),
  },
  {
    name: 'session-outlives-its-transaction',
    killedBy: 'sql.transaction.session-closes',
    mutate: (right) =>
      wrapTransaction(right, (work, options) => {
        let ended = false
        return right
          .transaction(
            (session) => work(sessionOf((...call) => (ended ? right.query(...call) : session.query(...call)))),
            options,
          )
          .finally(() => {
            ended = true
          })
      }),
  },
  {
    name: 'resolves-though-rolled-back',
    killedBy: 'sql.transaction.failed-statement',
    mutate: (right) =>
      wrapTransaction(right, async (work, options) => {
        let failed = false
        const noting = (session: SqlSession): SqlSession =>
          sessionOf((...call) =>
            session.query(...call).catch((error: unknown) => {
              failed = true
              throw error
            }),
          )
        let value: unknown
        await right
          .transaction(async (session) => {
            value = await work(noting(session))
            if (failed) throw UNDO
          }, options)
          .catch((error: unknown) => {
            if (error !== UNDO && !failed) throw error
          })
        return value
      }),
  },
  {
    name: 'swallows-a-failed-commit',
    killedBy: 'sql.transaction.commit-failure',
    mutate: (right) =>
      wrapTransaction(right, async (work, options) => {
        let worked = false
        let value: unknown
        const noting: Work = async (session) => {
          value = await work(session)
          worked = true
        }
        await right.transaction(noting, options).catch((error: unknown) => {
          if (!worked) throw error
        })
        return value
      }),
  },
  {
    name: 'takes-commit-from-a-session',
    killedBy: 'sql.transaction.own-commit',
    mutate: (right) =>
      wrapTransaction(right, (work, options) =>
        right.transaction((session) => {
          const query: SqlSession = sessionOf(async (text, params, call) =>
            /^commit/i.test(text) ? { rows: [], rowCount: 0 } : session.query(text, params, call),
          )
          return work(query)
        }, options),
      ),
  },
  {
    name: 'takes-savepoints-for-transactions',
    killedBy: 'sql.transaction.savepoint',
    mutate: (right) =>
      wrapTransaction(right, (work, options) =>
        right.transaction((session) => {
          const query: SqlSession = sessionOf(async (text, params, call) => {
            if (/savepoint/i.test(text)) throw new SwitchyardError('INVALID_REQUEST', 'no transactions in a session')
            return session.query(text, params, call)
          })
          return work(query)
        }, options),
      ),
  },
  {
    name: 'begins-although-aborted',
    killedBy: 'sql.transaction.aborted-signal',
    mutate: (right) =>
      wrapTransaction(right, async (work, options) => {
        const value = await right.transaction(work, deaf(options))
        if (options?.signal?.aborted === true) throw new SwitchyardError('ABORTED', 'too late')
        return value
      }),
  },
  {
    name: 'commits-when-aborted',
    killedBy: 'sql.transaction.abort-rolls-back',
    mutate: (right) =>
      wrapTransaction(right, async (work, options) => {
        const aborted = gate()
        options?.signal?.addEventListener('abort', () => aborted.open())
        const value = await right.transaction((session) => Promise.race([work(session), aborted.opened]), deaf(options))
        if (options?.signal?.aborted === true) throw new SwitchyardError('ABORTED', 'aborted')
        return value
      }),
  },
  { name: 'shows-uncommitted', killedBy: 'sql.transaction.hides-uncommitted', mutate: without },
  {
    name: 'refuses-isolation',
    killedBy: 'sql.transaction.isolation-levels',
    mutate: (right) =>
      wrapTransaction(right, async (work, options) => {
        if (options?.isolation === undefined) return right.transaction(work, options)
        throw new SwitchyardError('UNSUPPORTED', 'no isolation levels here')
      }),
  },
  { name: 'looks-at-the-latest', killedBy: 'sql.transaction.repeatable-read', mutate: without },
  { name: 'lets-write-skew-through', killedBy: 'sql.transaction.serializable', mutate: without },
  {
    name: 'leaves-a-transaction-open',
    killedBy: 'sql.query.no-open-transaction',
    mutate(right) {
      let end: (() => void) | undefined
      let session: SqlSession = right
      const query: SqlSession = sessionOf(async (text, params, options) => {
        if (/\bbegin$/i.test(text) && end === undefined) {
          const begun = gate()
          const finish = gate()
          end = finish.open
          const work = async (inside: SqlSession): Promise<void> => {
            session = inside
            begun.open()
            await finish.opened
            throw UNDO
          }
          right.transaction(work).catch(() => {})
          await begun.opened
          return { rows: [], rowCount: 0 }
        }
        if (text === 'ROLLBACK') {
          end?.()
          end = undefined
          session = right
          return { rows: [], rowCount: 0 }
        }
        return session.query(text, params, options)
      })
      return wrap(right, { query: query.query })
    },
  },
]
