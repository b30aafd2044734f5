import { type Cache, cache } from '@switchyard/contract'
import type { Suite } from '../../conformance/suite.ts'
import { callCases } from './call-cases.ts'
import { changeCases } from './change-cases.ts'
import { changeMutants } from './change-mutants.ts'
import { countCases } from './count-cases.ts'
import { countMutants } from './count-mutants.ts'
import { entryCases } from './entry-cases.ts'
import { entryMutants } from './entry-mutants.ts'
import { expiryCases } from './expiry-cases.ts'
import { expiryMutants } from './expiry-mutants.ts'
import { markCases } from './mark-cases.ts'
import { markMutants } from './mark-mutants.ts'
import { tagCases } from './tag-cases.ts'
import { tagMutants } from './tag-mutants.ts'

/** What every cache promises, and caches that break each promise. */
export const cacheSuite: Suite<Cache> = {
  port: cache,
  cases: [...entryCases, ...expiryCases, ...tagCases, ...callCases, ...markCases, ...changeCases, ...countCases],
  mutants: [...entryMutants, ...expiryMutants, ...tagMutants, ...markMutants, ...changeMutants, ...countMutants],
}
