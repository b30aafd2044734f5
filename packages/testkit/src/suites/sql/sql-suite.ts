import { type SqlDatabase, sql } from '@switchyard/contract'
import type { Suite } from '../../conformance/suite.ts'
import { cancelMutants } from './cancel-mutants.ts'
import { isolationCases } from './isolation-cases.ts'
import { queryCases } from './query-cases.ts'
import { queryMutants } from './query-mutants.ts'
import { refusalCases } from './refusal-cases.ts'
import { streamCases } from './stream-cases.ts'
import { streamMutants } from './stream-mutants.ts'
import { transactionCases } from './transaction-cases.ts'
import { transactionMutants } from './transaction-mutants.ts'

/**
 * What every implementation of the `sql` port promises. Each case makes tables of its own, randomly named, and drops them, so it
 * may run on a database that is in use. The dialects it speaks are in `dialect.ts`.
 */
export const sqlSuite: Suite<SqlDatabase> = {
  port: sql,
  cases: [...queryCases, ...refusalCases, ...transactionCases, ...isolationCases, ...streamCases],
  mutants: [...queryMutants, ...cancelMutants, ...transactionMutants, ...streamMutants],
}
