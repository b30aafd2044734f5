import assert from 'node:assert/strict'
import { type Isolation, type SqlDatabase, type SqlSession, SwitchyardError } from '@switchyard/contract'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { gate, pause } from './tables.ts'
import { transactionCase } from './transaction-cases.ts'

/** Long enough for another connection to see what must not be seen; an implementation may also make it wait. */
const CHANCE_MS = 100

const LEVELS: readonly Isolation[] = ['read committed', 'repeatable read', 'serializable']

export const isolationCases: readonly ConformanceCase<SqlDatabase>[] = [
  transactionCase(
    'hides-uncommitted',
    'what a transaction has written is seen by nobody else until it commits: not by queries, not by transactions',
    async (instance, table) => {
      const written = gate()
      const finish = gate()
      const first = instance
        .transaction(async (session) => {
          await table.insert(session, 1)
          written.open()
          await finish.opened
          throw new Error('rolled back')
        })
        .catch(() => {})
      await written.opened
      const seen = Promise.all([table.count(instance), instance.transaction((session) => table.count(session))])
      seen.catch(() => {})
      await Promise.race([seen, pause(CHANCE_MS)])
      finish.open()
      await first
      assert.deepEqual(await seen, [0, 0], 'rows seen by a query and by a transaction')
    },
  ),
  transactionCase(
    'isolation-levels',
    'every isolation level of the contract is taken, at least as strictly as asked',
    async (instance, table) => {
      for (const isolation of LEVELS) {
        await instance.transaction((session) => table.insert(session, 1), { isolation })
      }
      assert.equal(await table.count(instance), LEVELS.length, 'rows')
    },
  ),
  transactionCase(
    'repeatable-read',
    'under repeatable read a second look sees what the first saw, whatever others have committed between',
    async (instance, table) => {
      let other: Promise<unknown> = Promise.resolve()
      const look = async (session: SqlSession): Promise<readonly unknown[]> => {
        const before = await table.count(session)
        other = table.insert(instance, 1)
        other.catch(() => {})
        await Promise.race([other, pause(CHANCE_MS)])
        return [before, await table.count(session)]
      }
      const seen = await instance.transaction(look, { isolation: 'repeatable read' })
      await other
      assert.deepEqual(seen, [0, 0], 'rows at the first and the second look')
      assert.equal(await table.count(instance), 1, 'rows in the end')
    },
  ),
  transactionCase(
    'serializable',
    'under serializable two transactions that each read what the other writes do not both commit unseen; the refused one is a retryable CONFLICT',
    async (instance, table) => {
      await instance.query(`INSERT INTO ${table.name} VALUES (1), (2)`)
      let looked = 0
      const both = gate()
      const leave = async (mine: number, session: SqlSession): Promise<void> => {
        const present = await table.count(session)
        if (++looked === 2) both.open()
        await Promise.race([both.opened, pause(CHANCE_MS)])
        if (present === 2) await session.query(`DELETE FROM ${table.name} WHERE a = ${mine}`)
      }
      const outcomes = await Promise.allSettled(
        [1, 2].map((mine) => instance.transaction((session) => leave(mine, session), { isolation: 'serializable' })),
      )
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') continue
        const error: unknown = outcome.reason
        assert.ok(SwitchyardError.is(error, 'CONFLICT'), `refused with ${String(error)}`)
        assert.equal(error.retryable, true, 'retryable')
      }
      assert.equal(await table.count(instance), 1, 'rows: each transaction was to leave the last one')
    },
  ),
]
