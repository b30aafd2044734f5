import { type Health, health } from '@switchyard/contract'
import type { Suite } from '../../conformance/suite.ts'
import { changingCases } from './changing-cases.ts'
import { healthMutants } from './mutants.ts'
import { readingCases } from './reading-cases.ts'

/** What can be promised of port `health` without traffic, and implementations that break each promise. */
export const healthSuite: Suite<Health> = {
  port: health,
  cases: [...readingCases, ...changingCases],
  mutants: healthMutants,
}
