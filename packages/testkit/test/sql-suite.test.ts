import { type SqlDatabase, SwitchyardError, sql } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { runSuite, type Subject, sqlSuite, suiteProblems } from '../src/index.ts'

/** A database that refuses everything, as a plugin's first draft might. */
function refusing(capabilities: SqlDatabase['capabilities']): Subject<SqlDatabase> {
  const refuse = (): Promise<never> => Promise.reject(new SwitchyardError('UNSUPPORTED', 'not yet'))
  return {
    name: 'refuses everything',
    open: async () => ({
      instance: {
        capabilities,
        query: refuse,
        transaction: refuse,
        stream: () => ({ [Symbol.asyncIterator]: () => ({ next: refuse }) }),
      },
      now: () => 0,
      advance: async () => {},
      fixture: undefined,
      close: async () => {},
    }),
  }
}

// That right databases pass it and its mutants are killed is shown where there is a database: in the connectors' conformance tests.
describe('the sql suite', () => {
  test('is well-formed, and every case is named by a mutant', () => {
    expect(suiteProblems(sqlSuite)).toEqual([])
    expect(sqlSuite.port).toBe(sql)
  })

  test('passes nothing but the refusals where a database refuses everything and declares nothing', async () => {
    const report = await runSuite(
      sqlSuite,
      refusing({ dialect: 'sqlite', transactions: false, streaming: false, cancel: false }),
    )
    const passed = report.cases.filter(({ status }) => status === 'passed').map(({ id }) => id)
    const hanging = sqlSuite.cases.filter(({ declared, id }) => declared !== undefined && id !== 'sql.query.abort-in-flight')
    expect(passed).toEqual(['sql.capabilities.well-formed', ...hanging.map(({ id }) => id)])
  })

  test('names a dialect that it does not speak', async () => {
    const capabilities = { dialect: 'mysql', transactions: true, streaming: true, cancel: true } as const
    const report = await runSuite(sqlSuite, refusing(capabilities), { only: ['sql.query.parallel'] })
    expect(report.cases[0]?.error?.message).toBe('the sql suite does not speak mysql; add it to its dialect table')
  })
})
