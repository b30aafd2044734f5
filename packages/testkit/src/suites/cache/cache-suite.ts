import { type Cache, cache } from '@switchyard/contract'
import type { Suite } from '../../conformance/suite.ts'
import { callCases } from './call-cases.ts'
import { entryCases } from './entry-cases.ts'
import { entryMutants } from './entry-mutants.ts'
import { expiryCases } from './expiry-cases.ts'
import { expiryMutants } from './expiry-mutants.ts'
import { tagCases } from './tag-cases.ts'
import { tagMutants } from './tag-mutants.ts'

/** What every cache promises, and caches that break each promise. */
export const cacheSuite: Suite<Cache> = {
  port: cache,
  cases: [...entryCases, ...expiryCases, ...tagCases, ...callCases],
  mutants: [...entryMutants, ...expiryMutants, ...tagMutants],
}
